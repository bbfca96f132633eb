"""Figure 2: F1 against the number of captions."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.captions import CaptionPoint, Captions
from mner.show.charts import Lines, Point
from mner.show.exhibit import Exhibit, Table, mean_sd


def exhibit(results: Sequence[Captions]) -> Exhibit:
    """One line a row; the number of captions that a row was trained with stands out."""
    most = max(len(one.points) for one in results)
    rows = []
    for one in results:
        cells = [mean_sd(point.f1) for point in one.points]
        trained = "all" if one.trained is None else str(one.trained)
        rows.append((one.row, trained, *cells, *["-"] * (most - len(cells))))
    orders: dict[tuple[str, ...], list[str]] = {}
    for one in results:
        orders.setdefault(one.order, []).append(one.row)
    longest = max(results, key=lambda one: len(one.points))
    note = "Order of captions: " + "; ".join(
        ", ".join(order) + (f" ({', '.join(of)})" if len(orders) > 1 else "") for order, of in orders.items()
    )
    note += ". Posts with k captions or more: " + ", ".join(
        f"{point.full} (k={point.captions})" for point in longest.points
    )
    for one in results:
        if any(point.cut for point in one.points):
            told = ", ".join(f"{point.cut} (k={point.captions})" for point in one.points if point.captions)
            note += f". Posts of which {one.row} does not read all captions, for its budget of sub-tokens: {told}"
    return Exhibit(
        name="captions",
        title=ANALYSES["captions"],
        about="The I+T view of trained models, reading the first k captions of each post; a post that has fewer shows "
        "those it has. Nothing is trained again for a k: rows trained with another number of captions are lines of "
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
