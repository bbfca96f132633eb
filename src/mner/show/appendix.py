"""What is behind the scores of a data set: learning curves, and records of analyses, as parts of a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mner.analysis import ANALYSES
from mner.analysis.cases import Cases, turned
from mner.analysis.learning import belong, learning
from mner.analysis.recorded import Recorded
from mner.errors import DataError
from mner.runs import Experiment
from mner.runs.record import ScoredSplit
from mner.show.exhibit import Exhibit, reads_from_left
from mner.show.exhibits import exhibit
from mner.show.tables import Part, Table

SPLITS: tuple[ScoredSplit, ...] = ("test", "dev")


def appendix(experiments: Mapping[str, Experiment], recorded: Sequence[Recorded]) -> Iterator[Part]:
    """The learning curves, then each analysis on record, as far as there are any."""
    yield from curves(experiments)
    yield from analyses(experiments, recorded)


def analyses(experiments: Mapping[str, Experiment], recorded: Sequence[Recorded]) -> Iterator[Part]:
    """Each analysis on record, with the command and the runs behind it."""
    for name in ANALYSES:
        chosen = [each for each in recorded if each.analysis == name]
        if chosen:
            notes = [note for each in chosen for note in provenance(each, experiments)]
            yield from parts(exhibit(name, [each.result for each in chosen]), notes=notes)


def parts(shown: Exhibit, *, notes: Iterable[str] = ()) -> Iterator[Part]:
    """An exhibit as parts of a report, one for each table; how to read it stands before the first."""
    last = len(shown.tables) - 1
    for number, table in enumerate(shown.tables):
        texts = next((at for at in range(len(table.columns)) if not reads_from_left(table, at)), len(table.columns))
        yield Part(
            table.title if table.title.lower().startswith(shown.name) else f"{shown.name.capitalize()}: {table.title}",
            "" if number else shown.about,
            Table(table.columns, table.rows, texts=texts),
            notes=(*([table.note] if table.note else []), *(notes if number == last else ())),
            signatures=shown.signatures if number == last else (),
        )


def provenance(analysis: Recorded, experiments: Mapping[str, Experiment]) -> Iterator[str]:
    """The command behind a record of an analysis, its runs, and whether they are those whose scores are on record.

    ``experiments`` are all of the data set. Cases come with the counts of other readings.
    """
    own, options = f"{analysis.data}/{analysis.row}", ("--baseline", "--unaligned")
    others = [name for name in dict.fromkeys(run.experiment for run in analysis.runs) if name != own]
    flags = "".join(f" {option} runs/{name}" for option, name in zip(options, others, strict=False))
    runs = ", ".join(map(str, analysis.runs))
    yield f"`mner analyze {analysis.analysis} runs/{own}{flags} --record`, {analysis.split}: {runs}"
    experiment = experiments.get(analysis.row)
    known = set() if experiment is None else {record.id for record in experiment.records}
    if not {run for run in analysis.runs if run.experiment == own} <= known:
        yield f"{analysis.analysis} of {own}: not of the runs whose scores stand here; analyze these"
    elif experiment is not None and isinstance(analysis.result, Cases):
        without = next((experiments[name] for name in experiments if f"{analysis.data}/{name}" in others[:1]), None)
        yield from _other_readings(experiment, without, analysis)


def _other_readings(experiment: Experiment, without: Experiment | None, analysis: Recorded) -> Iterator[str]:
    """Posts that turn between a run's own two views, and between two seeds of what it is compared with."""
    split: ScoredSplit = "test" if analysis.split == "test" else "dev"
    (run,) = (record for record in experiment.records if record.seed == analysis.result.seed)
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
    """The learning curves of each split, where experiments were trained on some of the posts."""
    on_some = [each for each in experiments.values() if not each.whole]
    chosen = [each for each in experiments.values() if any(belong(each, other) for other in on_some)]
    results, notes = [], []
    for split in SPLITS:
        if not any(each.f1(split, "T") for each in chosen):
            continue
        try:
            result = learning(chosen, split=split)
        except DataError as error:
            notes.append(str(error))
            continue
        curves = tuple(curve for curve in result.curves if len(curve.points) > 1)
        results += [replace(result, curves=curves)] if curves else []
    if results:
        yield from parts(exhibit("learning", results), notes=notes)
    elif notes:
        yield Part("Learning", notes=tuple(notes))
