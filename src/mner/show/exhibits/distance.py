"""Figure 3: how far the two views' vectors of a word lie apart."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mner.analysis import ANALYSES
from mner.analysis.distance import Distances
from mner.show.charts import Lines, Point
from mner.show.exhibit import Exhibit, Table


def exhibit(results: Sequence[Distances]) -> Exhibit:
    """One histogram a row, drawn as a line through the middles of its bins, whose width differs between rows."""
    return Exhibit(
        name="distance",
        title=ANALYSES["distance"],
        about="The vectors that the emission layer reads, of the same word in the views T and I+T of one model, "
        "dropout off. Only posts with a context count: in the others both views are one. The length of the "
        "T view's vectors is the scale.",
        tables=(
            Table(
                "L2 distance",
                ("row", "CVA", "posts", "words", "mean", "sd", "vector length", "mean / length"),
                tuple(
                    (
                        one.row,
                        one.cva,
                        str(one.posts),
                        f"{one.words:,}",
                        f"{one.mean:.3f}",
                        f"{one.sd:.3f}",
                        f"{one.norm:.3f}",
                        f"{one.mean / one.norm:.3f}" if one.norm else "-",
                    )
                    for one in results
                ),
            ),
        ),
        charts=(
            Lines(
                "Words by distance",
                "L2 distance",
                "% of words per unit of distance",
                tuple((one.row, _line(one)) for one in results),
                dots=False,
                zero=True,
            ),
        ),
        signatures=tuple((one.row, one.signature) for one in results),
    )


def _line(one: Distances) -> tuple[Point, ...]:
    return tuple(
        Point((low + high) / 2, 100 * share / (high - low), f"{one.row}, {low:.2f} to {high:.2f}: {100 * share:.1f} %")
        for (low, high), share in zip(pairwise(one.edges), one.shares, strict=True)
    )
