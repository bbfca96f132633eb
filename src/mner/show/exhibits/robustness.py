"""F1 with the true, a shuffled and a blank context."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.robustness import Robustness
from mner.show.charts import Bars
from mner.show.display import signed
from mner.show.exhibit import Exhibit, Table, mean_sd


def exhibit(results: Sequence[Robustness]) -> Exhibit:
    """One table of all rows, and a chart of what each loses."""
    lines = [
        (
            one.row,
            f"{one.used} of {one.posts}",
            each.context,
            mean_sd(each.f1),
            signed(None if each.loss is None else -each.loss),
            f"{each.changed:.1f}",
        )
        for one in results
        for each in one.readings
    ]
    draws = max(one.shuffles for one in results)
    kinds = tuple(each.context for each in results[0].readings if each.loss is not None)
    return Exhibit(
        name="robustness",
        title=ANALYSES["robustness"],
        about="The I+T view of the same model. Shuffled: each post with a context has that of another picture. Blank: "
        "none, which is the T view. A model that uses its context loses F1 by both.",
        tables=(
            Table(
                "F1 by context",
                ("row", "posts with context", "context", "F1", "against true", "% of posts changed"),
                tuple(lines),
                f"Shuffled: mean of {draws} draws." if draws > 1 else "",
            ),
        ),
        charts=(
            Bars(
                "F1 against the true context",
                "F1 minus F1 with the true context",
                kinds,
                tuple(
                    (one.row, tuple(-each.loss for each in one.readings if each.loss is not None)) for one in results
                ),
            ),
        ),
        signatures=tuple((f"{one.row} {each.context}", each.f1.signature) for one in results for each in one.readings),
    )
