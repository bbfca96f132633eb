"""A picture -> what a page can hold of it: a small JPEG inside the page, and boxes to draw over it."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from mner.contexts.entry_text import words_of
from mner.errors import ImageError
from mner.evidence import Explanation
from mner.several import apart
from mner.show.display import colour
from mner.types import Box, VisualContext

LONGEST = 800
"""Pixels of an embedded picture's longer side, at most."""

BOXES = 12
"""Objects whose boxes are drawn, the most certain first; more would hide the picture."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A picture as a data URI; ``width`` and ``height`` are the original's, in the pixels that boxes count."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """One rectangle over a picture: ``kind`` is tag or ocr, ``colour`` that of the entity it shares words with."""

    x: float
    y: float
    width: float
    height: float
    label: str
    kind: str
    colour: int | None = None


def embed(
    source: Any, *, longest: int = LONGEST, quality: int = 82, form: Literal["jpeg", "webp"] = "jpeg"
) -> Embedded | None:
    """A picture small enough to stand inside a page; None for no picture, or one that cannot be read."""
    if source is None:
        return None
    from mner.vision.images import open_image

    try:
        picture = open_image(source)
    except ImageError:
        return None
    small = picture.pixels.copy()
    small.thumbnail((longest, longest))
    stream = io.BytesIO()
    small.save(stream, form, quality=quality, optimize=True)
    uri = f"data:image/{form};base64," + base64.b64encode(stream.getvalue()).decode()
    return Embedded(uri, picture.width, picture.height)


def embed_all(
    explanation: Explanation, *, longest: int = LONGEST, quality: int = 82, form: Literal["jpeg", "webp"] = "jpeg"
) -> list[Embedded | None]:
    """Each of an explanation's pictures as ``embed`` makes it, in their order."""
    return [embed(source, longest=longest, quality=quality, form=form) for source in explanation.pictures]


def boxes(explanation: Explanation, picture: Embedded, place: int = 0) -> tuple[list[Drawn], int]:
    """The rectangles to draw over the picture at a place, and how many objects were left out for clarity."""
    context = explanation.prediction.context
    read = None if context is None else apart(context).get(place)
    if read is None:
        return [], 0
    matches = [(row.entity.label, match) for row in explanation.evidence for match in row.matches]
    owner = {(match.text, match.box): colour(label) for label, match in matches if match.picture == place}
    return boxes_of(read, picture, owner=owner)


def boxes_of(
    context: VisualContext,
    picture: Embedded,
    *,
    owner: Mapping[tuple[str, Any], int] = MappingProxyType({}),
    most: int = BOXES,
) -> tuple[list[Drawn], int]:
    """The rectangles of what was read from a picture, and how many objects were left out for clarity.

    Args:
        context: What was read.
        picture: The picture.
        owner: Colour of the entity that shares a line of text, by the line's text and box.
        most: Objects that are drawn, at most.
    """
    tags = [(tag, box) for tag in context.tags if (box := _inside(tag.box, picture)) is not None]
    tags.sort(key=lambda pair: -(1.0 if pair[0].confidence is None else pair[0].confidence))
    drawn = [_drawn(box, words_of(tag), "tag") for tag, box in tags[:most]]
    return drawn + _texts(context, picture, owner), max(0, len(tags) - most)


def _texts(context: VisualContext, picture: Embedded, owner: Mapping[tuple[str, Any], int]) -> list[Drawn]:
    return [
        _drawn(box, text.text, "ocr", owner.get((text.text, text.box)))
        for text in context.ocr
        if (box := _inside(text.box, picture)) is not None
    ]


def _drawn(box: Box, label: str, kind: str, of: int | None = None) -> Drawn:
    left, top, right, bottom = box
    return Drawn(round(left, 1), round(top, 1), round(right - left, 1), round(bottom - top, 1), label, kind, of)


def _inside(box: Sequence[float] | None, picture: Embedded) -> Box | None:
    """The part of a box that lies in the picture; None for none. Rows may be edited by hand."""
    if box is None or len(box) != 4 or not all(math.isfinite(side) for side in box):
        return None
    left, right = (min(max(side, 0.0), picture.width) for side in (box[0], box[2]))
    top, bottom = (min(max(side, 0.0), picture.height) for side in (box[1], box[3]))
    return (left, top, right, bottom) if right > left and bottom > top else None
