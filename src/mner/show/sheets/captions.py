"""Figure 2: F1 against the number of captions."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.captions import CaptionPoint, Captions
from mner.show.charts import Lines, Point
from mner.show.sheet import Sheet, Table, mean_sd


def sheet(results: Sequence[Captions]) -> Sheet:
    """One line a row; the number of captions that a row was trained with stands out."""
    most = max(len(one.points) for one in results)
    rows = []
    for one in results:
        cells = [mean_sd(point.f1) for point in one.points]
        trained = "all" if one.trained is None else str(one.trained)
        rows.append((one.row, trained, *cells, *["-"] * (most - len(cells))))
    full = results[0]
    orders = dict.fromkeys(one.order for one in results)
    note = "Captions in the order " + "; or ".join(", ".join(order) for order in orders) + ". "
    note += "Posts with at least k captions: " + ", ".join(
        f"{point.full} of {full.posts} (k={point.captions})" for point in full.points
    )
    return Sheet(
        name="captions",
        title=ANALYSES["captions"],
        about="The I+T view of trained models, reading the first k captions of each post; a post that has fewer shows "
        "those it has. Nothing is trained anew for a k: rows trained with another number of captions are lines of "
        "their own, and the number a row was trained with stands out.",
        tables=(
            Table("F1 by captions", ("row", "trained with", *(f"k={k}" for k in range(most))), tuple(rows), note + "."),
        ),
        charts=(
            Lines(
                "F1 against the number of captions", "captions", "F1", tuple((one.row, _line(one)) for one in results)
            ),
        ),
        signatures=tuple(
            (f"{one.row} k={point.captions}", point.f1.signature) for one in results for point in one.points
        ),
    )


def _line(one: Captions) -> tuple[Point, ...]:
    return tuple(
        Point(point.captions, point.f1.mean, _told(one, point), point.f1.sd, marked=point.captions == one.trained)
        for point in one.points
    )


def _told(one: Captions, point: CaptionPoint) -> str:
    return f"{one.row}, {point.captions} captions: {mean_sd(point.f1)}"
