"""Comparisons of two experiments as tables for a terminal, or as plain lines where one reads or pipes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mner.evaluation.mean import Mean
from mner.evaluation.significance import Interval
from mner.runs.compare import Comparison, Line
from mner.show.display import shown, signed

if TYPE_CHECKING:
    from rich.table import Table

ALPHA = 0.05


def columns(comparison: Comparison) -> list[str]:
    """The heads of a comparison's table."""
    sides = [
        f"{shown(name)} {view}" for name, view in ((comparison.a, comparison.view_a), (comparison.b, comparison.view_b))
    ]
    return ["label", *sides, "difference", "95 % interval", "p bootstrap", "p t-test"]


def cells(line: Line) -> list[str]:
    """A line of it: means with sample deviations, difference in points, interval, both p; "-" for what is not known.

    >>> cells(Line("PER", (70.0, 71.0), (70.0,), None, None))
    ['PER', '70.50 ± 0.71', '70.00', '+0.50', '-', '-', '-']
    """
    return [
        shown(line.label),
        mean_sd(line.a),
        mean_sd(line.b),
        signed(line.difference),
        "-" if line.interval is None else bounds(line.interval),
        "-" if line.interval is None else p_value(line.interval.p),
        "-" if line.t_test is None else p_value(line.t_test.p),
    ]


def mean_sd(values: Sequence[float]) -> str:
    """The mean, and the sample deviation of more than one; "-" for none.

    >>> mean_sd([74.0, 75.0]), mean_sd([74.0]), mean_sd([])
    ('74.50 ± 0.71', '74.00', '-')
    """
    return f"{Mean.of(values):.2f}" if values else "-"


def bounds(interval: Interval) -> str:
    """Both ends of an interval.

    >>> bounds(Interval(-0.5, 1.25, 0.3))
    '\u22120.50 to +1.25'
    """
    return f"{signed(interval.low)} to {signed(interval.high)}"


def p_value(p: float) -> str:
    """A p with three decimals, "≤0.001" from there on, where the bootstrap's least p stands.

    >>> p_value(0.0412), p_value(0.001)
    ('0.041', '≤0.001')
    """
    return "≤0.001" if p <= 0.001 else f"{p:.3f}"


def title(comparison: Comparison) -> str:
    """What is compared, such as "ita I+T against text T, test, seeds 1 2 3"."""
    seeds = " ".join(map(str, comparison.seeds_a))
    if comparison.seeds_b != comparison.seeds_a:
        seeds += f" against {' '.join(map(str, comparison.seeds_b))}"
    sides = f"{shown(comparison.a)} {comparison.view_a} against {shown(comparison.b)} {comparison.view_b}"
    return f"{sides}, {comparison.split}, seed{'s' * (len(comparison.seeds_a) > 1)} {seeds}"


def plain(comparison: Comparison) -> Iterator[str]:
    """The lines of a comparison as text in columns, signatures and notes below."""
    rows = [columns(comparison), *(cells(line) for line in comparison.lines)]
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    yield title(comparison)
    for row in rows:
        first, *others = (
            cell.ljust(width) if not number else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join([first, *others]).rstrip()
    yield from below(comparison)


def below(comparison: Comparison) -> Iterator[str]:
    """The signatures of both sides and of the difference, then the notes."""
    yield from comparison.signatures
    yield from (f"note: {shown(note)}" for note in comparison.notes)


def table(comparison: Comparison) -> Table:
    """The comparison as a table for a terminal; a difference whose tests agree that it is there is coloured."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=Text(title(comparison), "bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, head in enumerate(columns(comparison)):
        grid.add_column(Text(head), justify="right" if number else "left")
    for line in comparison.lines:
        style = ("green" if line.difference > 0 else "red") if sure(line) else ""
        grid.add_row(*(Text(cell, style if number == 3 else "") for number, cell in enumerate(cells(line))))
    return grid


def sure(line: Line) -> bool:
    """Whether the interval leaves 0 out and the t-test's p is below 0.05; never with one of them missing."""
    if line.interval is None or line.t_test is None:
        return False
    return line.interval.low * line.interval.high > 0 and line.t_test.p < ALPHA
