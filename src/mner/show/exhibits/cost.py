"""Appendix A.1: what rows cost."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.cost import Cost
from mner.show.exhibit import Exhibit, Table

COLUMNS = (
    "row",
    "encoder",
    "runs",
    "parameters",
    "minutes",
    "core-minutes",
    "epochs",
    "peak MiB",
    "precision",
    "machine",
)


def exhibit(results: Sequence[Cost]) -> Exhibit:
    """One table of all rows."""
    rows = [row for one in results for row in one.rows]
    lines = [
        (
            row.row,
            row.encoder,
            str(row.runs),
            f"{row.parameters:,}",
            _minutes(row.seconds, row.seconds_sd),
            _minutes(row.cpu_seconds),
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
        about="From run records. Minutes of training, dev scoring left out; core-minutes: processor time of all "
        "threads meanwhile, which a pause does not lengthen; of several runs their means. Peak memory is the whole "
        "process's, the greatest of all runs. Compare rows of one machine.",
        tables=(Table("Cost", COLUMNS, tuple(lines)),),
        signatures=tuple(
            (f"{row.row} dev {view}", line)
            for row in rows
            for view, line in zip(("T", "I+T"), row.signatures, strict=True)
        ),
    )


def _minutes(seconds: float | None, deviation: float | None = None) -> str:
    """Seconds as minutes, with their deviation.

    >>> _minutes(90.0, 6.0), _minutes(90.0), _minutes(None)
    ('1.5 \u00b1 0.1', '1.5', '-')
    """
    if seconds is None:
        return "-"
    return f"{seconds / 60:.1f}" if deviation is None else f"{seconds / 60:.1f} \u00b1 {deviation / 60:.1f}"
