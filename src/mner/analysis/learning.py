"""F1 against the number of training posts: experiments that differ in ``data.train_posts`` alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mner.analysis import About
from mner.analysis.parts.f1_summary import F1Summary, summary_of
from mner.analysis.parts.inputs import Inputs, RecordSplit
from mner.analysis.parts.report import Lines, Point, Report, Table, columns
from mner.config import Section
from mner.errors import DataError
from mner.runs.experiments import Experiment
from mner.runs.pairing import scored
from mner.runs.record import ScoredSplit
from mner.runs.settings import settings_that_differ
from mner.types import ViewName

FREE = frozenset({"name", "data.train_posts"})
"""Settings in which the experiments of one curve may differ."""

ABOUT = About("F1 against the number of training posts, of experiments that differ in that alone", reads="records")


class Options(Section):
    """Which scores make the curves."""

    split: RecordSplit = "dev"


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """One experiment of a curve, trained on ``posts`` posts."""

    posts: int
    row: str
    f1: F1Summary


@dataclass(frozen=True, slots=True)
class Curve:
    """One view of experiments that differ in their number of training posts alone, named after the largest."""

    row: str
    view: ViewName
    points: tuple[LearningPoint, ...]


@dataclass(frozen=True, slots=True)
class Learning:
    """All curves of one split."""

    split: str
    curves: tuple[Curve, ...]


def analyze(inputs: Inputs, options: Options) -> Report:
    """All curves of the experiments named."""
    return report([learning(inputs.records(), split=options.split)])


def learning(experiments: Iterable[Experiment], *, split: ScoredSplit = "dev") -> Learning:
    """F1 of each trained view against the number of training posts; experiments with other settings are other curves.

    Args:
        experiments: Experiments on one data set.
        split: dev or test; runs without its scores are left out.

    Raises:
        DataError: No run has scores of the split, or two experiments of a curve were scored on different posts or have
            the same number of training posts.
    """
    series: list[list[Experiment]] = []
    for experiment in experiments:
        runs = scored(experiment, split)
        if not runs.records:
            continue
        for curve in series:
            if not belong(runs, curve[0]):
                continue
            ours, theirs = (each.records[0].posts_fingerprint(split) for each in (runs, curve[0]))
            if ours != theirs:
                raise DataError(
                    f"{curve[0].full_name} and {runs.full_name}: scored on different posts, {split}@{theirs} and "
                    f"{split}@{ours}; name experiments that were scored on the same posts"
                )
            if posts(runs) in map(posts, curve):
                raise DataError(
                    f"{runs.full_name}: another experiment of the same settings has {posts(runs)} posts, too"
                )
            curve.append(runs)
            break
        else:
            series.append([runs])
    if not series:
        raise DataError(f"no run has scores of {split}; mner evaluate RUN --final scores test")
    return Learning(split, tuple(_curve(curve, view, split) for curve in series for view in curve[0].trained))


def posts(experiment: Experiment) -> int:
    """Posts that an experiment was trained on."""
    trained_on = experiment.records[0].splits.get("train")
    return 0 if trained_on is None else trained_on.posts


def belong(a: Experiment, b: Experiment) -> bool:
    """Whether two experiments differ in nothing but the number of training posts."""
    first, second = a.records[0], b.records[0]
    return (
        a.data == b.data
        and first.encoder == second.encoder
        and not settings_that_differ(first.config, second.config, but=FREE)
    )


def _curve(experiments: list[Experiment], view: ViewName, split: ScoredSplit) -> Curve:
    ordered = sorted(experiments, key=posts)
    points = tuple(
        LearningPoint(posts(experiment), experiment.full_name, summary_of(experiment.signature(split, view)))
        for experiment in ordered
    )
    return Curve(ordered[-1].full_name, view, points)


def report(results: Sequence[Learning]) -> Report:
    """A table and a chart of all curves of a split."""
    tables, charts = [], []
    for result in results:
        counts = sorted({point.posts for curve in result.curves for point in curve.points})
        rows = []
        for curve in result.curves:
            f1 = {point.posts: point.f1 for point in curve.points}
            rows.append((f"{curve.row} {curve.view}", *map(f1.get, counts)))
        headings = columns("experiment", *(f"{count:,} posts" for count in counts))
        tables.append(Table(f"F1 by training posts, {result.split}", headings, tuple(rows)))
        lines = tuple((f"{curve.row} {curve.view}", tuple(map(_point, curve.points))) for curve in result.curves)
        charts.append(Lines(f"F1 against the number of training posts, {result.split}", "posts", "F1", lines))
    return Report(
        name="learning",
        title=ABOUT.title,
        about="Experiments that differ in data.train_posts alone. One draw of posts serves all of them and all seeds, "
        "and a larger one holds the smaller ones. The number of epochs is the same, so fewer posts are fewer steps, "
        "too.",
        results=tuple(results),
        tables=tuple(tables),
        charts=tuple(charts),
        signatures=tuple(
            (f"{point.row} {curve.view}, {point.posts} posts", point.f1.signature)
            for result in results
            for curve in result.curves
            for point in curve.points
        ),
    )


def _point(point: LearningPoint) -> Point:
    return Point(point.posts, point.f1.mean, f"{point.row}, {point.posts}: {point.f1}", point.f1.sd)
