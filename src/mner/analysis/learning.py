"""F1 against the number of training posts: rows that differ in ``data.train_posts`` alone, from their records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mner.analysis.measured import Measured, summary
from mner.errors import DataError
from mner.runs.experiments import Experiment, settings_that_differ
from mner.runs.pairing import scored
from mner.runs.record import ScoredSplit
from mner.types import ViewName

FREE = frozenset({"name", "data.train_posts"})
"""Settings in which the rows of one curve may differ."""


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """One row of a curve, trained on ``posts`` posts."""

    posts: int
    row: str
    f1: Measured


@dataclass(frozen=True, slots=True)
class Curve:
    """One view of rows that differ in their number of training posts alone, named after the one with the most."""

    row: str
    view: ViewName
    points: tuple[LearningPoint, ...]


@dataclass(frozen=True, slots=True)
class Learning:
    """All curves of one split."""

    split: str
    curves: tuple[Curve, ...]


def learning(rows: Iterable[Experiment], *, split: ScoredSplit = "dev") -> Learning:
    """F1 of each trained view against the number of training posts; rows with other settings are other curves.

    Args:
        rows: Rows of one data set.
        split: dev or test; runs without its scores are left out.

    Raises:
        DataError: No run has scores of the split, or two rows of one curve have the same number of posts.
    """
    series: list[list[Experiment]] = []
    for row in rows:
        measured = scored(row, split)
        if not measured.records:
            continue
        for one in series:
            if not belong(measured, one[0]):
                continue
            if posts(measured) in map(posts, one):
                raise DataError(
                    f"{measured.full_name}: another row of the same settings has {posts(measured)} posts, too"
                )
            one.append(measured)
            break
        else:
            series.append([measured])
    if not series:
        raise DataError(f"no run has scores of {split}; mner evaluate RUN --final scores test")
    return Learning(split, tuple(_curve(one, view, split) for one in series for view in one[0].trained))


def posts(row: Experiment) -> int:
    """Posts that a row was trained on."""
    trained_on = row.records[0].splits.get("train")
    return 0 if trained_on is None else trained_on.posts


def belong(a: Experiment, b: Experiment) -> bool:
    """Whether two rows differ in nothing but the number of training posts."""
    first, second = a.records[0], b.records[0]
    return (
        a.data == b.data
        and first.encoder == second.encoder
        and not settings_that_differ(first.config, second.config, but=FREE)
    )


def _curve(rows: list[Experiment], view: ViewName, split: ScoredSplit) -> Curve:
    ordered = sorted(rows, key=posts)
    points = tuple(LearningPoint(posts(row), row.full_name, _measured(row, view, split)) for row in ordered)
    return Curve(ordered[-1].full_name, view, points)


def _measured(row: Experiment, view: ViewName, split: ScoredSplit) -> Measured:
    return summary(row.signature(split, view))
