"""Experiments -> each against the baseline on the same encoder and the same training posts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mner.errors import DataError
from mner.runs import Experiment
from mner.runs.compare import Comparison, compare
from mner.runs.pairing import scored
from mner.runs.record import ScoredSplit
from mner.show.comparison import cells
from mner.show.tables import Part, TextTable
from mner.types import ViewName

SPLITS: tuple[ScoredSplit, ...] = ("test", "dev")
TESTS = ("difference", "95 % interval", "p bootstrap", "p t-test")


def text_only(experiments: Mapping[str, Experiment]) -> str | None:
    """The experiment that reads the words alone, by its identity; None where there is no such, or more than one."""
    names = {each.identity.experiment for each in experiments.values() if each.trained == ("T",)}
    return names.pop() if len(names) == 1 else None


def baseline_of(experiment: Experiment, experiments: Mapping[str, Experiment], baseline: str) -> Experiment | None:
    """The experiment of that name or identity that one is fairly compared with, or None.

    It stands on the same encoder and training posts, and is of the same variant or of none. A tuned experiment is
    compared with the tuned baseline where there is one.
    """

    def fits(other: Experiment) -> bool:
        ours, theirs = experiment.identity, other.identity
        return (
            baseline in (theirs.experiment, other.name)
            and other.name != experiment.name
            and theirs.variant in ("", ours.variant)
            and (ours.tuned or not theirs.tuned)
            and other.encoder == experiment.encoder
            and _training_posts(other) == _training_posts(experiment)
        )

    fitting = [other for other in experiments.values() if fits(other)]
    return max(fitting, key=lambda other: (other.identity.tuned, other.identity.variant), default=None)


def alike(experiment: Experiment, baseline: Experiment | None) -> bool:
    """Whether a baseline is the same in all but the experiment: of the same variant, and tuned or not alike."""
    if baseline is None:
        return False
    ours, theirs = experiment.identity, baseline.identity
    return (ours.variant, ours.tuned) == (theirs.variant, theirs.tuned)


def gains(experiments: Mapping[str, Experiment], baseline: str | None) -> Iterator[Part]:
    """One part for all experiments that have a baseline; none if there is no such experiment.

    Args:
        experiments: Those of one data set, by name.
        baseline: The name or the identity of the baseline; None for no comparison.
    """
    comparisons: list[Comparison] = []
    notes: list[str] = []
    title = "Against the text alone"
    for experiment in experiments.values() if baseline is not None else ():
        other = baseline_of(experiment, experiments, str(baseline))
        if other is not None and other.trained != ("T",):
            title = f"Against {baseline}"
        for split in SPLITS if other is not None else ():
            comparisons += tried(experiment, other, split, notes)
    if comparisons or notes:
        yield Part(
            title,
            "Difference in F1 points, on the seeds that both experiments have. Student's t-test: over seeds, "
            "two-sided, unpaired, equal variances. Interval and p: paired bootstrap over posts, the seeds as they are. "
            "Of twenty tests where there is no difference, one has p below 0.05 all the same.",
            comparison_table(("experiment", "view", "against", "split", "seeds"), comparisons),
            notes=tuple(dict.fromkeys((*notes, *comparison_notes(comparisons)))),
            signatures=tuple(signatures(comparisons)),
        )


def tried(
    a: Experiment, b: Experiment | None, split: ScoredSplit, notes: list[str], *, view: ViewName | None = None
) -> list[Comparison]:
    """The comparison of two experiments on the runs that have the split's scores; what prevents it joins ``notes``."""
    if b is None:
        return []
    a, b = scored(a, split), scored(b, split)
    if not a.records or not b.records:
        return []
    try:
        return compare(a, b, split=split, view=view)
    except DataError as error:
        notes.append(str(error))
        return []


def comparison_table(columns: tuple[str, ...], comparisons: Sequence[Comparison]) -> TextTable | None:
    """The micro line of each comparison under five leading columns; None where there is no comparison."""
    rows = tuple((*_lead(each), *cells(each.lines[0])[3:]) for each in comparisons)
    return TextTable((*columns, *TESTS), rows, texts=len(columns)) if rows else None


def comparison_notes(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """What a reader must know of each comparison."""
    for each in comparisons:
        yield from (f"{each.a} against {each.b}: {note}" for note in each.notes)


def signatures(comparisons: Sequence[Comparison]) -> Iterator[tuple[str, str]]:
    """Each difference with its signature."""
    for each in comparisons:
        yield f"{each.a} {each.view_a} against {each.b} {each.view_b}, {each.split}", each.signatures[2]


def _lead(comparison: Comparison) -> tuple[str, ...]:
    seeds = " ".join(map(str, comparison.seeds_a))
    if comparison.seeds_a != comparison.seeds_b:
        seeds += f" / {' '.join(map(str, comparison.seeds_b))}"
    against = f"{comparison.b} {comparison.view_b}"
    return comparison.a, comparison.view_a, against, comparison.split, seeds


def _training_posts(experiment: Experiment) -> str | None:
    facts = experiment.records[0].splits.get("train")
    return None if facts is None else facts.fingerprint
