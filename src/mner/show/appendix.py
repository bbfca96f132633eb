"""What is behind the scores of a data set: learning curves, and records of analyses, as parts of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


def appendix(experiments: Mapping[str, Experiment], recorded: Sequence[AnalysisRecord]) -> Iterator[Part]:
    """The learning curves, then each analysis on record with the command and the runs behind it.

    Args:
        experiments: All of a data set, by name.
        recorded: The analyses on record of that data set.
    """
    yield from curves(experiments)
    for name in sorted({record.analysis for record in recorded}):
        records = [record for record in recorded if record.analysis == name]
        notes = [note for record in records for note in provenance(record, experiments)]
        yield from parts(analysis.report(name, [record.result for record in records]), notes=notes)


def provenance(record: AnalysisRecord, experiments: Mapping[str, Experiment]) -> Iterator[str]:
    """The command behind a record of an analysis, its runs, and whether they are those whose scores are on record.

    ``experiments`` are all of the data set. Cases come with the counts of other readings.
    """
    own, options = f"{record.data}/{record.row}", ("--baseline", "--unaligned")
    others = [name for name in dict.fromkeys(run.experiment for run in record.runs) if name != own]
    flags = "".join(f" {option} runs/{name}" for option, name in zip(options, others, strict=False))
    runs = ", ".join(map(str, record.runs))
    yield f"`mner analyze {record.analysis} runs/{own}{flags} --record`, {record.split}: {runs}"
    experiment = experiments.get(record.row)
    known = set() if experiment is None else {scored.id for scored in experiment.records}
    if not {run for run in record.runs if run.experiment == own} <= known:
        yield f"{record.analysis} of {own}: not of the runs whose scores stand here; analyze these"
    elif experiment is not None and isinstance(record.result, Cases):
        without = next((experiments[name] for name in experiments if f"{record.data}/{name}" in others[:1]), None)
        yield from _other_readings(experiment, without, record)


def _other_readings(experiment: Experiment, without: Experiment | None, record: AnalysisRecord) -> Iterator[str]:
    """Posts that turn between a run's own two views, and between two seeds of what it is compared with."""
    split: ScoredSplit = "test" if record.split == "test" else "dev"
    (run,) = (scored for scored in experiment.records if scored.seed == record.result.seed)
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
