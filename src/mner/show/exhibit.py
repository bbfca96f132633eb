"""What is shown of an analysis, whatever it is drawn on: charts, tables, notes, the signature of every number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mner.analysis.cases import Cases
from mner.analysis.measured import Measured
from mner.show.charts import Bars, Lines
from mner.show.display import shown


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a heading; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One analysis.

    Attributes:
        name: The analysis.
        title: What it tells.
        about: How its numbers are to be read.
        tables: Its numbers.
        charts: The same as pictures.
        signatures: What each number stands for, and its signature.
        cases: Posts to look at.
    """

    name: str
    title: str
    about: str
    tables: tuple[Table, ...]
    charts: tuple[Lines | Bars, ...] = ()
    signatures: tuple[tuple[str, str], ...] = ()
    cases: tuple[Cases, ...] = ()


def text(exhibit: Exhibit) -> str:
    """The exhibit's tables and signatures as plain text with aligned columns.

    >>> table = Table("F1", ("row", "T"), (("d/text", "74.11"),))
    >>> print(text(Exhibit("slices", "Slices", "", (table,), signatures=(("d/text T", "f1=74.11"),))))
    F1
    row         T
    d/text  74.11
    <BLANKLINE>
    Signatures
    d/text T  f1=74.11
    """
    blocks = ["\n".join(_table(table)) for table in exhibit.tables]
    if exhibit.signatures:
        width = max(len(shown(name)) for name, _ in exhibit.signatures)
        told = [f"{shown(name):<{width}}  {shown(line)}" for name, line in exhibit.signatures]
        blocks.append("\n".join(["Signatures", *told]))
    return "\n\n".join(blocks)


def mean_sd(one: Measured) -> str:
    """An F1, of several runs their mean with its deviation.

    >>> mean_sd(Measured((70.0, 72.0), 71.0, 1.414, "")), mean_sd(Measured((70.0,), 70.0, None, ""))
    ('71.00 ± 1.41', '70.00')
    """
    return f"{one.mean:.2f}" if one.sd is None else f"{one.mean:.2f} ± {one.sd:.2f}"


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield shown(table.title)
    lines = [table.columns, *table.rows]
    cells = [[shown(cell).replace("\n", " ") for cell in line] for line in lines]
    widths = [max(len(line[column]) for line in cells) for column in range(len(table.columns))]
    for line in cells:
        padded = [
            cell.ljust(width) if reads_from_left(table, at) else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield "  ".join(padded).rstrip()
    if table.note:
        yield shown(table.note)


def reads_from_left(table: Table, column: int) -> bool:
    """Whether a column is read from its left: the first one, and those that hold words."""
    cells = [row[column] for row in table.rows if row[column]]
    return column == 0 or any(cell[0].isalpha() for cell in cells)
