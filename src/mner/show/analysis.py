"""The exhibit of an analysis -> one page that stands alone: charts, tables and pictures inside, nothing loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mner.analysis.cases import Case, Cases
from mner.data.pictures import place_of
from mner.show.charts import names, svg
from mner.show.display import colour, legend
from mner.show.environment import template
from mner.show.exhibit import Exhibit, reads_from_left
from mner.show.picture import embed
from mner.types import Span

THUMBNAIL = 360
"""Pixels of a case's picture's longer side, at most."""


def page(exhibit: Exhibit, *, images: Path | None = None) -> str:
    """The page of an analysis.

    Args:
        exhibit: What it shows.
        images: Folder of the posts' pictures; None shows none. A picture that is not there is left out.
    """
    tables = exhibit.tables
    if exhibit.cases:  # they stand below, each with its picture
        tables = tuple(table for table in tables if table.title != "Cases")
    text: str = template("analysis.html").render(
        name=exhibit.name,
        title=exhibit.title[:1].upper() + exhibit.title[1:],
        about=exhibit.about,
        charts=[{"title": chart.title, "svg": svg(chart), "names": names(chart)} for chart in exhibit.charts],
        tables=[
            {
                "title": table.title,
                "columns": table.columns,
                "rows": table.rows,
                "words": [reads_from_left(table, column) for column in range(len(table.columns))],
                "note": table.note,
            }
            for table in tables
        ],
        signatures=exhibit.signatures,
        labels=legend(span.label for cases in exhibit.cases for case in cases.shown for span in _spans(case)),
        groups=[group for cases in exhibit.cases for group in _groups(cases, images)],
    )
    return text


def _groups(cases: Cases, images: Path | None) -> list[dict[str, Any]]:
    """The cases of one kind under one heading."""
    return [
        {
            "kind": kind,
            "row": cases.row,
            "told": cases.told(kind),
            "count": count,
            "cases": [_case(case, images) for case in cases.shown if case.kind == kind],
        }
        for kind, count in cases.counts.items()
    ]


def _spans(case: Case) -> Iterator[Span]:
    yield from case.gold
    for reading in case.readings:
        yield from reading.spans


def _case(case: Case, images: Path | None) -> dict[str, Any]:
    source = None if images is None or case.image is None else place_of(images, case.image)
    picture = embed(source, longest=THUMBNAIL, quality=78)
    gold = set(case.gold)
    readings: list[dict[str, Any]] = [{"name": "gold", "right": None, "runs": _runs(case.words, case.gold)}]
    for reading in case.readings:
        missed = [span for span in case.gold if span not in reading.spans]
        extra = [span for span in reading.spans if span not in gold]
        readings.append(
            {
                "name": reading.name,
                "right": reading.right,
                "runs": _runs(case.words, reading.spans),
                "counts": f"{len(missed)} missed, {len(extra)} wrong" if not reading.right else "",
            }
        )
    return {
        "id": case.id,
        "picture": picture,
        "readings": readings,
        "pieces": case.pieces,
        "matches": [(" ".join(case.words[s.start : s.end]), match.text) for s, match in case.matches],
    }


def _runs(words: Sequence[str], spans: Sequence[Span]) -> list[dict[str, Any]]:
    """The words cut at the entities; ``label`` is None outside of them."""
    runs: list[dict[str, Any]] = []
    at = 0
    for span in sorted(spans):
        if span.start > at:
            runs.append({"text": " ".join([*words[at : span.start], ""]), "label": None})
        text = " ".join(words[span.start : span.end])
        runs.append({"text": text, "label": span.label, "colour": colour(span.label), "score": ""})
        runs.append({"text": " ", "label": None})
        at = span.end
    runs.append({"text": " ".join(words[at:]), "label": None})
    return [run for run in runs if run["text"]]
