"""What a row costs (appendix A.1): parameters, seconds of training and peak memory, from its run records."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mner.analysis.labels import Record, name_of
from mner.errors import DataError
from mner.evaluation.signature import joint


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
        epochs: Epochs run, mean over runs.
        peak_mib: The most memory a run's process held, in MiB; the greatest of all runs.
        precision: Number format of training.
        machine: CPU and cores; several where runs were on several.
        signatures: Of the dev scores, T and I+T.
    """

    row: str
    encoder: str
    runs: int
    parameters: int
    seconds: float
    seconds_sd: float | None
    epochs: float
    peak_mib: float
    precision: str
    machine: str
    signatures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """All rows, in the order given."""

    rows: tuple[RowCost, ...]


def cost(rows: Iterable[Sequence[Record]]) -> Cost:
    """The cost of each row from the records of its runs.

    Raises:
        DataError: The runs of a row differ in their number of parameters.
    """
    return Cost(tuple(_row(records) for records in rows))


def _row(records: Sequence[Record]) -> RowCost:
    parameters = {int(record["parameters"]) for record in records}
    if len(parameters) > 1:
        told = " and ".join(f"{count:,}" for count in sorted(parameters))
        raise DataError(f"{name_of(records[0])}: runs of one row with {told} parameters; name them apart")
    seconds = [float(record["seconds"]) for record in records]
    return RowCost(
        row=name_of(records[0]),
        encoder=str(records[0]["encoder"]["name"]),
        runs=len(records),
        parameters=parameters.pop(),
        seconds=statistics.fmean(seconds),
        seconds_sd=statistics.stdev(seconds) if len(seconds) > 1 else None,
        epochs=statistics.fmean(len(record["epochs"]) for record in records),
        peak_mib=max(float(record["peak_memory_mib"]) for record in records),
        precision=_all(str(record["precision"]) for record in records),
        machine=_all(_machine(record["machine"]) for record in records),
        signatures=tuple(
            joint(
                records[0]["dev"][view]["signature"],
                [record["dev"][view]["micro"]["f1"] for record in records],
            )
            for view in ("T", "I+T")
        ),
    )


def _machine(machine: dict[str, Any]) -> str:
    return f"{machine['cpu']}, {machine['cores']} cores"


def _all(values: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(values))
