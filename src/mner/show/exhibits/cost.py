"""Appendix A.1: what rows cost."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.cost import Cost
from mner.show.exhibit import Exhibit, Table

COLUMNS = ("row", "encoder", "runs", "parameters", "seconds", "epochs", "peak MiB", "precision", "machine")


def exhibit(results: Sequence[Cost]) -> Exhibit:
    """One table of all rows."""
    rows = [row for one in results for row in one.rows]
    lines = [
        (
            row.row,
            row.encoder,
            str(row.runs),
            f"{row.parameters:,}",
            f"{row.seconds:.0f}" if row.seconds_sd is None else f"{row.seconds:.0f} \u00b1 {row.seconds_sd:.0f}",
            f"{row.epochs:g}",
            f"{row.peak_mib:.0f}",
            row.precision,
            row.machine,
        )
        for row in rows
    ]
    return Exhibit(
        name="cost",
        title=ANALYSES["cost"],
        about="From run records. Seconds of training, dev scoring left out; of several runs their mean. Peak memory is "
        "the whole process's, the greatest of all runs. Compare rows of one machine.",
        tables=(Table("Cost", COLUMNS, tuple(lines)),),
        signatures=tuple(
            (f"{row.row} dev {view}", line)
            for row in rows
            for view, line in zip(("T", "I+T"), row.signatures, strict=True)
        ),
    )
