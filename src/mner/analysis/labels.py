"""Precision, recall and F1 of each label against a baseline (Table 5), and the paper's claim about them tested."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from mner.runs import Experiment
from mner.runs.pairing import check_same, paired
from mner.runs.record import NO_ENTITIES, ScoredSplit
from mner.types import ViewName

VIEWS: tuple[ViewName, ...] = ("T", "I+T")
THRESHOLD = 0.5
"""Relative F1 gain, in percent, above which the paper's claim speaks of a label."""


@dataclass(frozen=True, slots=True)
class Triple:
    """Precision, recall and F1 of one label, or their gains; in percent, None where there is no such ratio."""

    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class LabelGain:
    """One label in one view of the row, against the baseline's T view; means over runs.

    Attributes:
        label: The label, or "micro" for all.
        view: The row's view.
        baseline: Scores of the baseline.
        row: Scores of the row.
        points: Row minus baseline.
        relative: The same in percent of the baseline; None where that is 0.
        holds: Whether precision gained more than recall, relatively; None where the claim does not speak of it.
    """

    label: str
    view: ViewName
    baseline: Triple
    row: Triple
    points: Triple
    relative: Triple
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Claim:
    """The claim in one view: of ``labels`` that gained enough it holds for ``held``.

    ``p`` is the chance that a coin would be right as often or more often (one-sided sign test); None without labels.
    """

    view: ViewName
    labels: int
    held: int
    p: float | None


@dataclass(frozen=True, slots=True)
class Labels:
    """Two rows by label, each number of ``baseline`` and ``row`` under its signature; ``notes`` of what is left out."""

    baseline: str
    row: str
    split: str
    threshold: float
    gains: tuple[LabelGain, ...]
    claims: tuple[Claim, ...]
    signatures: tuple[str, ...]
    notes: tuple[str, ...] = ()


def labels(
    baseline: Experiment, row: Experiment, *, split: ScoredSplit = "dev", threshold: float = THRESHOLD
) -> Labels:
    """Scores by label of a row against a baseline, from their run records.

    The claim (ITA, Table 5): where a label's relative F1 gain exceeds ``threshold`` percent, its relative precision
    gain exceeds its relative recall gain. Rows are read on the seeds that both have; rows that share none, on all.

    Args:
        baseline: The row whose T view is compared with.
        row: The row in question, both views.
        split: "dev", or "test" where the records hold scores of it.
        threshold: In percent.

    Raises:
        DataError: A record holds no scores of the split, or the rows may not be compared (``check_same``).
    """
    row, baseline, notes = paired(row, baseline)
    check_same(baseline, row, split)
    scores = [record.scores(split) or {} for record in (*baseline.records, *row.records)]
    names = sorted({label for each in scores for label in each["T"].labels})
    gains = [
        _gain(label, view, _mean(baseline, split, "T", label), _mean(row, split, view, label), threshold)
        for view in VIEWS
        for label in (*names, "micro")
    ]
    signatures = (str(baseline.signature(split, "T")), *(str(row.signature(split, view)) for view in VIEWS))
    claims = tuple(_claim(view, [gain for gain in gains if gain.view == view]) for view in VIEWS)
    return Labels(baseline.full_name, row.full_name, split, threshold, tuple(gains), claims, signatures, notes)


def sign_test(held: int, of: int) -> float:
    """The chance that a fair coin falls on one side ``held`` times or more out of ``of``.

    >>> sign_test(3, 4)
    0.3125
    """
    return float(sum(math.comb(of, count) for count in range(held, of + 1)) / 2**of)


def _gain(label: str, view: ViewName, before: Triple, after: Triple, threshold: float) -> LabelGain:
    three = ("precision", "recall", "f1")
    pairs = [(getattr(before, part), getattr(after, part)) for part in three]
    relative = Triple(*(100 * (new - old) / old if old else None for old, new in pairs))
    holds: bool | None = None
    if label != "micro" and relative.f1 is not None and relative.f1 > threshold:
        holds = (relative.precision or 0.0) > (relative.recall or 0.0)
    return LabelGain(label, view, before, after, Triple(*(new - old for old, new in pairs)), relative, holds)


def _claim(view: ViewName, gains: Sequence[LabelGain]) -> Claim:
    told = [gain.holds for gain in gains if gain.holds is not None]
    return Claim(view, len(told), sum(told), sign_test(sum(told), len(told)) if told else None)


def _mean(row: Experiment, split: ScoredSplit, view: ViewName, label: str) -> Triple:
    views = [scores[view] for record in row.records if (scores := record.scores(split)) is not None]
    of_label = [each.micro if label == "micro" else each.labels.get(label, NO_ENTITIES) for each in views]
    return Triple(
        *(statistics.fmean(getattr(each, part) for each in of_label) for part in ("precision", "recall", "f1"))
    )
