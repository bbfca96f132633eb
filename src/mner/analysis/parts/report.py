"""What an analysis reports: numbers, tables of numbers, charts as data, posts to look at. ``show`` draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mner.analysis.parts.f1_summary import F1Summary
from mner.evaluation.mean import Mean
from mner.evaluation.significance import Interval
from mner.grounding.texts import Match
from mner.types import Span
from mner.views import Piece

Cell = str | int | float | F1Summary | Mean | Interval | tuple[float | None, ...] | None
"""What a table holds; None where there is no such number."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its heading.
        format: How its numbers are written, as in a format string: ".2f", ",d"; "+.2f" for differences, "p" for the p
            of a test.
    """

    name: str
    format: str = ".2f"


def columns(*given: str | tuple[str, str]) -> tuple[Column, ...]:
    """Columns by their names, or names and formats.

    >>> columns("row", ("posts", "d"))
    (Column(name='row', format='.2f'), Column(name='posts', format='d'))
    """
    return tuple(Column(each) if isinstance(each, str) else Column(*each) for each in given)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a heading; the first column names the row."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f'table "{self.title}": {len(row)} cells under {len(self.columns)} columns')


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a line; ``spread`` extends to both sides, ``marked`` stands out, ``title`` says what it is."""

    x: float
    y: float
    title: str
    spread: float | None = None
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines by name over one scale; ``dots`` draws their points, ``zero`` begins the scale at 0."""

    title: str
    x: str
    y: str
    series: tuple[tuple[str, tuple[Point, ...]], ...]
    dots: bool = True
    zero: bool = False


@dataclass(frozen=True, slots=True)
class Bars:
    """Groups of bars, one bar for each series in a group; None where there is no bar."""

    title: str
    x: str
    series: tuple[str, ...]
    groups: tuple[tuple[str, tuple[float | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one model predicted in one view of a post."""

    name: str
    spans: tuple[Span, ...]
    right: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A post to look at.

    Attributes:
        kind: Why it is shown.
        id: The post's id.
        words: Its words.
        image: Its picture's name.
        gold: Gold entities.
        readings: What each model predicted.
        pieces: What stood beside the words.
        matches: Texts in the picture that share words with a gold entity (Figure 5), with that entity.
    """

    kind: str
    id: str
    words: tuple[str, ...]
    image: str | None
    gold: tuple[Span, ...]
    readings: tuple[Reading, ...]
    pieces: tuple[Piece, ...]
    matches: tuple[tuple[Span, Match], ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of posts: what makes a post one of them, and how many there are."""

    name: str
    meaning: str
    count: int


@dataclass(frozen=True, slots=True)
class Examples:
    """Posts to look at, of some kinds each, under the name of what they are examples of."""

    title: str
    kinds: tuple[Kind, ...]
    posts: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What one analysis says.

    Attributes:
        name: The analysis.
        title: What it shows.
        about: How its numbers are to be read.
        results: Its numbers as the analysis computes them, one object for each experiment; what JSON and records hold.
        tables: The same numbers under headings.
        charts: The same numbers as descriptions of charts.
        signatures: What each number is of, and its signature.
        examples: Posts to look at.
    """

    name: str
    title: str
    about: str
    results: tuple[Any, ...]
    tables: tuple[Table, ...]
    charts: tuple[Lines | Bars, ...] = ()
    signatures: tuple[tuple[str, str], ...] = ()
    examples: tuple[Examples, ...] = ()


def entities(words: Sequence[str], spans: Sequence[Span]) -> str:
    """Entities as text: their words and labels.

    >>> entities(["Kevin", "Love", "won"], [Span(0, 2, "PER")])
    'Kevin Love PER'
    """
    return "; ".join(f"{' '.join(words[span.start : span.end])} {span.label}" for span in sorted(spans)) or "none"
