"""What choosing the better of two readings could bring at most."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.oracle import Choice, Oracle
from mner.show.charts import Bars
from mner.show.display import signed
from mner.show.exhibit import Exhibit, Table, mean_sd

COLUMNS = ("between", "reading a", "reading b", "F1 of a", "F1 of b", "oracle", "gain", "% of posts differ")


def exhibit(results: Sequence[Oracle]) -> Exhibit:
    """A table and a chart for each row."""
    return Exhibit(
        name="oracle",
        title=ANALYSES["oracle"],
        about="An oracle that knows the gold labels takes for each post the one of two readings that serves the "
        "whole F1; no model reaches it. Two seeds of one row differ as well and are the control: what the picture "
        "could bring is what a choice gains beyond that. Gain: over the better of both readings.",
        tables=tuple(
            Table(f"{one.row}, {one.split}", COLUMNS, tuple(map(_row, one.choices)), "; ".join(one.notes))
            for one in results
        ),
        charts=tuple(
            Bars(
                f"Gain of the oracle: {one.row}, {one.split}",
                "F1 of the oracle minus F1 of the better reading",
                ("gain",),
                tuple((f"{each.what}: {each.a}, {each.b}", (each.gain,)) for each in one.choices),
            )
            for one in results
        ),
        signatures=tuple(
            (f"{each.what}: {each.a}, {each.b}", each.best.signature) for one in results for each in one.choices
        ),
    )


def _row(one: Choice) -> tuple[str, ...]:
    f1 = (f"{one.f1[0]:.2f}", f"{one.f1[1]:.2f}", mean_sd(one.best))
    return (one.what, one.a, one.b, *f1, signed(one.gain), f"{one.differ:.1f}")
