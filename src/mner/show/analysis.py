"""The report of an analysis -> text, JSON, a page that stands alone, Markdown, or its charts as one SVG."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from mner.analysis.parts.f1_summary import F1Summary
from mner.analysis.parts.report import Case, Cell, Column, Examples, Report, Table, entities
from mner.data.pictures import place_of
from mner.errors import MnerError
from mner.evaluation.mean import Mean
from mner.evaluation.significance import Interval
from mner.show import tables
from mner.show.charts import names, svg, svg_file
from mner.show.comparison import bounds, p_value
from mner.show.display import colour, legend, shown, signed
from mner.show.environment import template
from mner.show.picture import embed
from mner.types import Span

THUMBNAIL = 360
"""Pixels of a case's picture's longer side, at most."""


def text(report: Report) -> str:
    """The report's tables and signatures as plain text with aligned columns.

    >>> table = Table("F1", (Column("row"), Column("T")), (("d/text", 74.111),))
    >>> print(text(Report("slices", "Slices", "", (), (table,), signatures=(("d/text T", "f1=74.11"),))))
    F1
    row         T
    d/text  74.11
    <BLANKLINE>
    Signatures
    d/text T  f1=74.11
    """
    blocks = ["\n".join(_aligned(table)) for table in [*report.tables, *_examples_as_tables(report)]]
    if report.signatures:
        width = max(len(shown(name)) for name, _ in report.signatures)
        lines = [f"{shown(name):<{width}}  {shown(line)}" for name, line in report.signatures]
        blocks.append("\n".join(["Signatures", *lines]))
    return "\n\n".join(blocks)


def as_json(report: Report) -> str:
    """The report's results as a JSON list."""
    return json.dumps([asdict(result) for result in report.results], indent=1, ensure_ascii=False)


def markdown(report: Report) -> str:
    """The report as Markdown."""
    return tables.markdown(report.title[:1].upper() + report.title[1:], (), [tables.Section("", tuple(parts(report)))])


def charts(report: Report) -> str:
    """The report's charts as one SVG, one below the other.

    Raises:
        MnerError: It has none.
    """
    if not report.charts:
        raise MnerError(f"{report.name} has no chart; write a page: --out {report.name}.html")
    return svg_file(report.charts)


def page(report: Report, *, images: Path | None = None) -> str:
    """The report as one HTML page: charts, tables and pictures inside, nothing loaded.

    Args:
        report: The report.
        images: Folder of the posts' pictures; None shows none. A picture that is not there is left out.
    """
    posts = [case for examples in report.examples for case in examples.posts]
    written: str = template("analysis.html").render(
        name=report.name,
        title=report.title[:1].upper() + report.title[1:],
        about=report.about,
        charts=[{"title": chart.title, "svg": svg(chart), "names": names(chart)} for chart in report.charts],
        tables=[_table(table) for table in report.tables],
        signatures=report.signatures,
        labels=legend(span.label for case in posts for span in _spans(case)),
        groups=[group for examples in report.examples for group in _groups(examples, images)],
    )
    return written


FORMS: dict[str, Callable[[Report], str]] = {
    "text": text,
    "json": as_json,
    "html": page,
    "markdown": markdown,
    "svg": charts,
}
"""Name of a form -> what writes a report in it."""


def parts(report: Report, *, notes: Iterable[str] = ()) -> Iterator[tables.Part]:
    """The report as parts of a larger one, one for each table; how to read it stands before the first."""
    everything = [*report.tables, *_examples_as_tables(report)]
    last = len(everything) - 1
    for number, table in enumerate(everything):
        rows = _rows(table)
        words = _words(rows, len(table.columns))
        titled = table.title.lower().startswith(report.name)
        yield tables.Part(
            table.title if titled else f"{report.name.capitalize()}: {table.title}",
            "" if number else report.about,
            tables.TextTable(tuple(column.name for column in table.columns), rows, texts=[*words, False].index(False)),
            notes=(*([table.note] if table.note else []), *(notes if number == last else ())),
            signatures=report.signatures if number == last else (),
        )


def cell(value: Cell, column: Column) -> str:
    """What stands in a cell.

    >>> cell(1234, Column("posts", ",d")), cell(-0.5, Column("gain", "+.2f")), cell((50.0, None), Column("P/R"))
    ('1,234', '\u22120.50', '50.00/-')
    >>> cell(Mean(1.5, 0.1), Column("minutes", ".1f")), cell(0.0412, Column("p", "p")), cell(None, Column("k=2"))
    ('1.5 ± 0.1', '0.041', '-')
    """
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return "/".join(cell(part, column) for part in value)
    if isinstance(value, Interval):
        return bounds(value)
    if isinstance(value, F1Summary | Mean):
        return f"{Mean(value.mean, value.sd):{column.format}}"
    if column.format == "p":
        return p_value(value)
    return signed(value) if column.format == "+.2f" else f"{value:{column.format}}"


def _rows(table: Table) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(map(cell, row, table.columns)) for row in table.rows)


def _words(rows: Sequence[Sequence[str]], columns: int) -> list[bool]:
    """Of each column, whether it is read from its left: the first one, and those that hold words."""
    return [not at or any(row[at][:1].isalpha() for row in rows) for at in range(columns)]


def _aligned(table: Table) -> Iterator[str]:
    if table.title:
        yield shown(table.title)
    rows = _rows(table)
    words = _words(rows, len(table.columns))
    lines = [tuple(column.name for column in table.columns), *rows]
    cells = [[shown(text).replace("\n", " ") for text in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        padded = [
            text.ljust(width) if left else text.rjust(width)
            for text, width, left in zip(line, widths, words, strict=True)
        ]
        yield "  ".join(padded).rstrip()
    if table.note:
        yield shown(table.note)


def _examples_as_tables(report: Report) -> Iterator[Table]:
    for examples in report.examples:
        for readings, posts in groupby(examples.posts, lambda case: tuple(reading.name for reading in case.readings)):
            columns = tuple(map(Column, ("kind", "post", "gold", *readings)))
            rows = tuple(
                (
                    *(case.kind, case.id, entities(case.words, case.gold)),
                    *(entities(case.words, reading.spans) for reading in case.readings),
                )
                for case in posts
            )
            yield Table("Cases", columns, rows)


def _table(table: Table) -> dict[str, Any]:
    rows, columns = _rows(table), [column.name for column in table.columns]
    return {
        "title": table.title,
        "columns": columns,
        "rows": rows,
        "words": _words(rows, len(columns)),
        "note": table.note,
    }


def _groups(examples: Examples, images: Path | None) -> list[dict[str, Any]]:
    """The posts of one kind under one heading."""
    return [
        {
            "kind": kind.name,
            "title": examples.title,
            "meaning": kind.meaning,
            "count": kind.count,
            "cases": [_case(case, images) for case in examples.posts if case.kind == kind.name],
        }
        for kind in examples.kinds
    ]


def _spans(case: Case) -> Iterator[Span]:
    yield from case.gold
    for reading in case.readings:
        yield from reading.spans


def _case(case: Case, images: Path | None) -> dict[str, Any]:
    source = None if images is None or case.image is None else place_of(images, case.image)
    gold = set(case.gold)
    readings: list[dict[str, Any]] = [{"name": "gold", "right": None, "runs": _runs(case.words, case.gold)}]
    for reading in case.readings:
        missed, wrong = len(gold - set(reading.spans)), len([span for span in reading.spans if span not in gold])
        readings.append(
            {
                "name": reading.name,
                "right": reading.right,
                "runs": _runs(case.words, reading.spans),
                "counts": f"{missed} missed, {wrong} wrong" if not reading.right else "",
            }
        )
    return {
        "id": case.id,
        "picture": embed(source, longest=THUMBNAIL, quality=78),
        "readings": readings,
        "pieces": case.pieces,
        "matches": [(" ".join(case.words[span.start : span.end]), match.text) for span, match in case.matches],
    }


def _runs(words: Sequence[str], spans: Sequence[Span]) -> list[dict[str, Any]]:
    """The words cut at the entities; ``label`` is None outside of them."""
    runs: list[dict[str, Any]] = []
    at = 0
    for span in sorted(spans):
        if span.start > at:
            runs.append({"text": " ".join([*words[at : span.start], ""]), "label": None})
        entity = " ".join(words[span.start : span.end])
        runs.append({"text": entity, "label": span.label, "colour": colour(span.label), "score": ""})
        runs.append({"text": " ", "label": None})
        at = span.end
    runs.append({"text": " ".join(words[at:]), "label": None})
    return [run for run in runs if run["text"]]
