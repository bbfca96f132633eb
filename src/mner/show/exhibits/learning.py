"""F1 against the number of training posts."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.learning import Learning
from mner.show.charts import Lines, Point
from mner.show.exhibit import Exhibit, Table, mean_sd


def exhibit(results: Sequence[Learning]) -> Exhibit:
    """A table and a chart of all curves of a split."""
    tables, charts = [], []
    for one in results:
        counts = sorted({point.posts for curve in one.curves for point in curve.points})
        rows = []
        for curve in one.curves:
            told = {point.posts: mean_sd(point.f1) for point in curve.points}
            rows.append((f"{curve.row} {curve.view}", *(told.get(count, "-") for count in counts)))
        columns = ("row", *(f"{count:,} posts" for count in counts))
        tables.append(Table(f"F1 by training posts, {one.split}", columns, tuple(rows)))
        lines = tuple(
            (
                f"{curve.row} {curve.view}",
                tuple(
                    Point(point.posts, point.f1.mean, f"{point.row}, {point.posts}: {mean_sd(point.f1)}", point.f1.sd)
                    for point in curve.points
                ),
            )
            for curve in one.curves
        )
        charts.append(Lines(f"F1 against the number of training posts, {one.split}", "posts", "F1", lines))
    return Exhibit(
        name="learning",
        title=ANALYSES["learning"],
        about="Rows that differ in data.train_posts alone. One draw of posts serves all rows and seeds, and a "
        "larger one holds the smaller ones. The number of epochs is the same, so fewer posts are fewer steps, too.",
        tables=tuple(tables),
        charts=tuple(charts),
        signatures=tuple(
            (f"{point.row} {curve.view}, {point.posts} posts", point.f1.signature)
            for one in results
            for curve in one.curves
            for point in curve.points
        ),
    )
