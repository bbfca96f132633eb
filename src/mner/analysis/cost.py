"""What experiments cost (appendix A.1): parameters, seconds of training and peak memory, from their run records."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mner.analysis import About
from mner.analysis.parts.inputs import Inputs
from mner.analysis.parts.report import Report, Table, columns
from mner.config import Section
from mner.errors import DataError
from mner.evaluation.mean import Mean
from mner.runs import Experiment
from mner.runs.record import Machine
from mner.types import ViewName

VIEWS: tuple[ViewName, ...] = ("T", "I+T")
ABOUT = About("parameters, minutes and peak memory of experiments (appendix A.1)", reads="records", alone=True)


class Options(Section):
    """None: the records of whole runs have no split."""


@dataclass(frozen=True, slots=True)
class RowCost:
    """One experiment.

    Attributes:
        row: Data set and experiment.
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
    """All experiments, in the order given."""

    rows: tuple[RowCost, ...]


def analyze(inputs: Inputs, options: Options) -> Report:
    """The cost of all experiments named, or of all on record."""
    return report([cost(inputs.records())])


def cost(experiments: Iterable[Experiment]) -> Cost:
    """The cost of each experiment from the records of its runs.

    Raises:
        DataError: The runs of an experiment differ in their number of parameters.
    """
    return Cost(tuple(map(_cost, experiments)))


def _cost(experiment: Experiment) -> RowCost:
    records = experiment.records
    parameters = {record.parameters for record in records}
    if len(parameters) > 1:
        counts = " and ".join(f"{count:,}" for count in sorted(parameters))
        raise DataError(f"{experiment.full_name}: its runs have {counts} parameters; give them different names")
    seconds = [record.seconds for record in records]
    cpu_seconds = [record.cpu_seconds for record in records if record.cpu_seconds is not None]
    return RowCost(
        row=experiment.full_name,
        encoder=experiment.encoder,
        runs=len(records),
        parameters=parameters.pop(),
        seconds=statistics.fmean(seconds),
        seconds_sd=statistics.stdev(seconds) if len(seconds) > 1 else None,
        cpu_seconds=statistics.fmean(cpu_seconds) if cpu_seconds else None,
        epochs=statistics.fmean(len(record.epochs) for record in records),
        peak_mib=max(record.peak_memory_mib for record in records),
        precision=_all(record.number_format for record in records),
        machine=_all(_machine(record.machine) for record in records),
        signatures=tuple(str(experiment.signature("dev", view)) for view in VIEWS),
    )


def _machine(machine: Machine) -> str:
    flags = " ".join(machine.flags) or "no flags known"
    return f"{machine.cpu} ({flags}), {machine.cores} cores"


def _all(values: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(values))


def report(results: Sequence[Cost]) -> Report:
    """One table of all experiments."""
    rows = [row for result in results for row in result.rows]
    headings = columns(
        "experiment",
        "encoder",
        ("runs", "d"),
        ("parameters", ",d"),
        ("minutes", ".1f"),
        ("core-minutes", ".1f"),
        ("epochs", "g"),
        ("peak MiB", ".0f"),
        "precision",
        "machine",
    )
    cells = tuple(
        (
            row.row,
            row.encoder,
            row.runs,
            row.parameters,
            Mean(row.seconds / 60, None if row.seconds_sd is None else row.seconds_sd / 60),
            None if row.cpu_seconds is None else row.cpu_seconds / 60,
            row.epochs,
            row.peak_mib,
            row.precision,
            row.machine,
        )
        for row in rows
    )
    return Report(
        name="cost",
        title=ABOUT.title,
        about="From run records. Minutes of training, dev scoring left out; core-minutes: processor time of all "
        "threads meanwhile, which a pause does not lengthen; of several runs their means. Peak memory is the whole "
        "process's, the greatest of all runs. Compare experiments of one machine.",
        results=tuple(results),
        tables=(Table("Cost", headings, cells),),
        signatures=tuple(
            (f"{row.row} dev {view}", line) for row in rows for view, line in zip(VIEWS, row.signatures, strict=True)
        ),
    )
