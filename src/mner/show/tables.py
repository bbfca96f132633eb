"""The parts of a report: sections of tables and notes, and the two forms they are written in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING

from mner.safe_text import for_markdown, shown
from mner.show.environment import template

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table; every row has as many cells as there are columns. The first ``texts`` hold words, the rest numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1

    @property
    def words(self) -> list[bool]:
        """Of each column, whether it holds words."""
        return [column < self.texts for column in range(len(self.columns))]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a section: its title, what must be known before its table, and lines below it.

    ``signatures`` are pairs of what is measured and the signature beside it.
    """

    title: str
    about: str = ""
    table: TextTable | None = None
    notes: tuple[str, ...] = ()
    signatures: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A data set, or another chapter of the report."""

    title: str
    parts: tuple[Part, ...]


def markdown(title: str, about: Sequence[str], sections: Sequence[Section]) -> str:
    """The report as Markdown, paragraphs as they are, characters that would end a cell escaped."""
    return "\n".join(_lines(title, about, sections)) + "\n"


def page(title: str, about: Sequence[str], sections: Sequence[Section]) -> str:
    """The report as one HTML page that stands alone: style inside, nothing loaded, nothing that runs."""
    text: str = template("results.html").render(
        title=title,
        about=about,
        code=_code,
        sections=list(zip(_anchors(section.title for section in sections), sections, strict=True)),
    )
    return text


def _lines(title: str, about: Sequence[str], sections: Sequence[Section]) -> Iterator[str]:
    yield f"# {title}"
    for paragraph in about:
        yield from ("", paragraph)
    for section in sections:
        if section.title:
            yield from ("", f"## {for_markdown(section.title)}")
        for part in section.parts:
            if part.title:
                yield from ("", f"### {for_markdown(part.title)}")
            if part.about:
                yield from ("", for_markdown(part.about))
            if part.table is not None:
                yield from ("", *_rows(part.table))
            if part.notes:
                yield from ("", *(f"- {for_markdown(note)}" for note in part.notes))
            if part.signatures:
                yield from ("", "<details><summary>Signatures</summary>", "")
                yield from (f"- {for_markdown(what)}: `{for_markdown(line)}`" for what, line in part.signatures)
                yield from ("", "</details>")


def _rows(table: TextTable) -> Iterator[str]:
    numbers = len(table.columns) - table.texts
    yield f"| {' | '.join(map(_cell, table.columns))} |"
    yield f"|{'---|' * table.texts}{'---:|' * numbers}"
    for row in table.rows:
        yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    r"""A cell of a Markdown table.

    >>> _cell("a|b")
    'a\\|b'
    """
    return for_markdown(text).replace("|", "\\|")


def _code(text: str) -> Markup:
    """A paragraph for the page: what Markdown has between backticks becomes code."""
    from markupsafe import Markup, escape

    parts = [escape(part) for part in " ".join(shown(text).split()).split("`")]
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def _anchors(titles: Iterable[str]) -> list[str]:
    """The names that links lead to, each once.

    >>> _anchors(["Twitter 15!", "twitter-15", "推特"])
    ['twitter-15', 'twitter-15-2', '推特']
    """
    anchors: list[str] = []
    for title in titles:
        words = re.sub(r"[\W_]+", "-", title.lower()).strip("-") or "section"
        numbered = (f"{words}-{number}" for number in count(2))
        anchors.append(next(name for name in chain([words], numbered) if name not in anchors))
    return anchors
