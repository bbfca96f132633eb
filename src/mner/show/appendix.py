"""What is behind the scores of a data set: learning curves, and records of analyses, as parts of a report."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mner import analysis
from mner.analysis import learning
from mner.analysis.cases import Cases, turned
from mner.analysis.parts.analysis_record import AnalysisRecord
from mner.errors import DataError
from mner.runs import Experiment
from mner.runs.record import ScoredSplit
from mner.show.analysis import parts
from mner.show.tables import Part

SPLITS: tuple[ScoredSplit, ...] = ("test", "dev")
RESULTS = "results"
"""The folder of results that a command takes by itself."""


def appendix(
    experiments: Mapping[str, Experiment], recorded: Sequence[AnalysisRecord], *, results: str = RESULTS
) -> Iterator[Part]:
    """The learning curves, then each analysis on record with the command and the runs behind it.

    Args:
        experiments: All of a data set, by name.
        recorded: The analyses on record of that data set.
        results: The folder of results, as a command names it.
    """
    yield from curves(experiments)
    for name in sorted({record.analysis for record in recorded}):
        records = [record for record in recorded if record.analysis == name]
        notes = [note for record in records for note in provenance(record, experiments, results=results)]
        yield from parts(analysis.report(name, [record.result for record in records]), notes=notes)


def provenance(
    record: AnalysisRecord, experiments: Mapping[str, Experiment], *, results: str = RESULTS
) -> Iterator[str]:
    """The command behind a record of an analysis, its runs, and those of them whose scores are not on record.

    ``experiments`` are all of the data set, ``results`` is the folder of results as a command names it. Cases come with
    the counts of other readings.
    """
    own = f"{record.data}/{record.row}"
    yield f"`{_command(record, results)}`, {record.split}: {', '.join(map(str, record.runs))}"
    for runs in absent(record, experiments.values()):
        yield f"{record.analysis} of {own}: {runs}; analyze again"
    experiment = experiments.get(record.row)
    if experiment is not None and isinstance(record.result, Cases):
        without = next(
            (each for each in experiments.values() if each.full_name == record.options.get("baseline")), None
        )
        yield from _other_readings(experiment, without, record)


def absent(record: AnalysisRecord, experiments: Iterable[Experiment]) -> Iterator[str]:
    """Which runs behind a record of an analysis were trained again since, and which have no record."""
    known = {scored.id for experiment in experiments for scored in experiment.records}
    seeds = {run._replace(model="") for run in known}
    runs = [run for run in record.runs if run not in known]
    again = [str(run) for run in runs if run._replace(model="") in seeds]
    unknown = [str(run) for run in runs if run._replace(model="") not in seeds]
    if again:
        yield f"trained again since: {', '.join(again)}"
    if unknown:
        yield f"no record here of {', '.join(unknown)}"


def _command(record: AnalysisRecord, results: str) -> str:
    """The command that makes the record; experiments stand where ``mner train`` puts them."""
    names = {run.experiment for run in record.runs}
    words = ["mner", "analyze", record.analysis, f"runs/{record.data}/{record.row}"]
    for option, value in record.options.items():
        values = value if isinstance(value, list | tuple) else [value]
        text = ",".join(f"runs/{each}" if each in names else str(each) for each in values)
        words += [analysis.flag(option)] if value is True else [analysis.flag(option), text]
    words += ["--record"] if results == RESULTS else ["--record", "--results", results]
    return shlex.join(words)


def _other_readings(experiment: Experiment, without: Experiment | None, record: AnalysisRecord) -> Iterator[str]:
    """Posts that turn between a run's own two views, and between two seeds of what it is compared with."""
    split: ScoredSplit = "test" if record.split == "test" else "dev"
    run = next((scored for scored in experiment.records if scored.id in record.runs), None)
    if run is None:
        return
    turns = {f"{experiment.full_name} T to its own I+T": turned(run, "T", run, "I+T", split=split)}
    if without is not None and len(without.records) > 1:
        a, b = without.records[:2]
        view = without.trained[0]
        between = f"{without.full_name} {view}, seed {a.seed} to seed {b.seed}"
        turns[between] = turned(a, view, b, view, split=split)
    for what, counts in turns.items():
        if counts is not None:
            yield f"beside these cases, {what}: wrong to right {counts[0]} posts, right to wrong {counts[1]}"


def curves(experiments: Mapping[str, Experiment]) -> Iterator[Part]:
    """The learning curves of each split, where experiments were trained on part of the posts."""
    on_part = [each for each in experiments.values() if not each.whole]
    chosen = [each for each in experiments.values() if any(learning.belong(each, other) for other in on_part)]
    results, notes = [], []
    for split in SPLITS:
        if not any(each.f1(split, "T") for each in chosen):
            continue
        try:
            result = learning.learning(chosen, split=split)
        except DataError as error:
            notes.append(str(error))
            continue
        long_enough = tuple(curve for curve in result.curves if len(curve.points) > 1)
        results += [replace(result, curves=long_enough)] if long_enough else []
    if results:
        yield from parts(learning.report(results), notes=notes)
    elif notes:
        yield Part("Learning", notes=tuple(notes))
