"""What a row costs (appendix A.1): parameters, seconds of training and peak memory, from its run records."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from mner.errors import DataError
from mner.runs import Experiment
from mner.runs.record import Machine
from mner.types import ViewName

VIEWS: tuple[ViewName, ...] = ("T", "I+T")


@dataclass(frozen=True, slots=True)
class RowCost:
    """One row.

    Attributes:
        row: Data set and row.
        encoder: The encoder's name.
        runs: Records behind the numbers.
        parameters: Trained parameters, the encoder's included.
        seconds: Of training, dev scoring left out; mean over runs.
        seconds_sd: Their standard deviation; None for one run.
        cpu_seconds: Processor time of all threads in the same, which a pause does not lengthen; mean over the runs
            whose records hold it, None where none does.
        epochs: Epochs run, mean over runs.
        peak_mib: The most memory a run's process held, in MiB; the greatest of all runs.
        precision: Number format of training.
        machine: CPU, its vector units and cores; several where runs were on several.
        signatures: Of the dev scores, T and I+T.
    """

    row: str
    encoder: str
    runs: int
    parameters: int
    seconds: float
    seconds_sd: float | None
    cpu_seconds: float | None
    epochs: float
    peak_mib: float
    precision: str
    machine: str
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """All rows, in the order given."""

    rows: tuple[RowCost, ...]


def cost(rows: Iterable[Experiment]) -> Cost:
    """The cost of each row from the records of its runs.

    Raises:
        DataError: The runs of a row differ in their number of parameters.
    """
    return Cost(tuple(map(_row, rows)))


def _row(row: Experiment) -> RowCost:
    records = row.records
    parameters = {record.parameters for record in records}
    if len(parameters) > 1:
        told = " and ".join(f"{count:,}" for count in sorted(parameters))
        raise DataError(f"{row.full_name}: runs of one row with {told} parameters; name them apart")
    seconds = [record.seconds for record in records]
    worked = [record.cpu_seconds for record in records if record.cpu_seconds is not None]
    return RowCost(
        row=row.full_name,
        encoder=row.encoder,
        runs=len(records),
        parameters=parameters.pop(),
        seconds=statistics.fmean(seconds),
        seconds_sd=statistics.stdev(seconds) if len(seconds) > 1 else None,
        cpu_seconds=statistics.fmean(worked) if worked else None,
        epochs=statistics.fmean(len(record.epochs) for record in records),
        peak_mib=max(record.peak_memory_mib for record in records),
        precision=_all(record.number_format for record in records),
        machine=_all(_machine(record.machine) for record in records),
        signatures=tuple(str(row.signature("dev", view)) for view in VIEWS),
    )


def _machine(machine: Machine) -> str:
    flags = " ".join(machine.flags) or "no flags known"
    return f"{machine.cpu} ({flags}), {machine.cores} cores"


def _all(values: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(values))
