"""An artefact -> a contact sheet: one page that stands alone, each picture small, with boxes and what was read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from mner.contexts.edit import MARK
from mner.contexts.entry_text import Entry, words_of
from mner.data.pictures import place_of
from mner.files import write_text
from mner.show.environment import template
from mner.show.picture import Drawn, Embedded, boxes_of, embed
from mner.types import VisualContext

LIMIT = 100
"""Pictures of a sheet, where nothing else is asked for; each adds 20 to 60 kB to the page."""

LONGEST = 480
"""Pixels of an embedded picture's longer side, at most."""

BOXES = 8
"""Objects whose boxes are drawn, the most certain first; the pictures are too small for more."""

MOST = 40
"""Entries of one kind that are written out; more are counted."""

LETTERS = 400
"""Characters of one entry that are written out."""


@dataclass(frozen=True, slots=True)
class Card:
    """One picture of the sheet."""

    name: str
    status: str
    reason: str
    edited: bool
    extractor: str
    picture: Embedded | None
    stroke: float
    boxes: list[Drawn]
    undrawn: int
    lists: list[tuple[str, bool, list[tuple[str, float | None, str]], int]]


def write_sheet(
    rows: Iterable[VisualContext],
    path: Path,
    *,
    images: Path,
    allow_outside: bool = False,
    limit: int = LIMIT,
    title: str = "contexts",
) -> tuple[int, int]:
    """Write the contact sheet of some rows; how many pictures it shows, and how many it leaves out.

    Args:
        rows: Rows of an artefact; the first ones are shown.
        path: The page.
        images: Folder of the pictures. One that is not there leaves its place empty.
        allow_outside: Show pictures that rows name outside that folder, too.
        limit: Pictures on the page, at most; 0: all.
        title: Heading of the page.
    """
    remaining = iter(rows)
    cards = [
        _card(row, place_of(images, row.image, allow_outside=allow_outside)) for row in islice(remaining, limit or None)
    ]
    left_out = sum(1 for _ in remaining)
    write_text(path, template("sheet.html").render(title=title, cards=cards, left_out=left_out))
    return len(cards), left_out


def _card(row: VisualContext, place: object) -> Card:
    picture = embed(place, longest=LONGEST, quality=78)
    drawn, undrawn = boxes_of(row, picture, most=BOXES) if picture else ([], 0)
    extractor = row.extractor or {}
    named: list[tuple[str, bool, tuple[Entry, ...]]] = [
        ("Captions", False, row.captions),
        ("Objects", True, row.tags),
        ("Text", True, row.ocr),
        ("Background", False, row.texts),
    ]
    return Card(
        name=row.image,
        status=row.status,
        reason=row.reason or "",
        edited=bool(row.extra.get(MARK)),
        extractor=" ".join(str(extractor[key]) for key in ("name", "version", "fingerprint") if key in extractor),
        picture=picture,
        stroke=max(picture.width, picture.height) / 340 if picture else 1,
        boxes=drawn,
        undrawn=undrawn,
        lists=[
            (head, chips, [_entry(entry) for entry in entries[:MOST]], len(entries[MOST:]))
            for head, chips, entries in named
            if entries
        ],
    )


def _entry(entry: Entry) -> tuple[str, float | None, str]:
    """What an entry says, cut; its confidence; its source."""
    text = words_of(entry)
    cut = text if len(text) <= LETTERS else f"{text[:LETTERS]} \u2026 ({len(text):,} characters)"
    return cut, getattr(entry, "confidence", None), entry.source
