"""A picture -> what a page can hold of it: a small JPEG inside the page, and boxes to draw over it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mner.contexts.entry_text import words_of
from mner.errors import ImageError
from mner.evidence import Explanation
from mner.grounding.boxes import inside
from mner.regions import Box, Region
from mner.several import apart
from mner.show.display import colour
from mner.types import Entity, VisualContext

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
    """One rectangle over a picture.

    Attributes:
        label: What it shows, for a tooltip.
        kind: tag, ocr, or region for what shows an entity.
        name: What is written over it; "" for nothing.
        colour: Of the entity that a region shows.
        row: The number of that entity's evidence.
    """

    x: float
    y: float
    width: float
    height: float
    label: str
    kind: str
    name: str = ""
    colour: int | None = None
    row: int | None = None


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
    regions = [
        (number, row.entity, region)
        for number, row in enumerate(explanation.evidence)
        for region in row.entity.regions or ()
        if region.picture == place
    ]
    return boxes_of(read or VisualContext("picture"), picture, regions=regions)


def boxes_of(
    context: VisualContext,
    picture: Embedded,
    *,
    regions: Sequence[tuple[int, Entity, Region]] = (),
    most: int = BOXES,
) -> tuple[list[Drawn], int]:
    """The rectangles of what was read from a picture, and how many objects were left out for clarity.

    Args:
        context: What was read.
        picture: The picture.
        regions: The number of an entity's evidence, the entity, and a region that shows it; they take the place of
            readings with the same box.
        most: Objects that are drawn, at most.
    """
    size = (picture.width, picture.height)
    shown = [(*each, box) for each in regions if (box := inside(each[2].box, size)) is not None]
    tags = [(tag, box) for tag in context.tags if (box := inside(tag.box, size)) is not None]
    tags.sort(key=lambda pair: -(1.0 if pair[0].confidence is None else pair[0].confidence))
    texts = [(text, box) for text in context.ocr if (box := inside(text.box, size)) is not None]
    taken = {box for *_, box in shown}
    drawn = [_drawn(box, words_of(tag), "tag", words_of(tag)) for tag, box in tags[:most] if box not in taken]
    drawn += [_drawn(box, text.text, "ocr") for text, box in texts if box not in taken]
    written = " ".join(text.text for text in context.ocr)
    for number, entity, region, box in shown:
        label = f"{entity.text}: {region.text}, {region.match}"
        name = "" if region.text in written else entity.text  # the picture itself says what is written in it
        drawn.append(_drawn(box, label, "region", name, colour(entity.label), number))
    return drawn, max(0, len(tags) - most)


def _drawn(box: Box, label: str, kind: str, name: str = "", of: int | None = None, row: int | None = None) -> Drawn:
    left, top, right, bottom = (round(side, 1) for side in box)
    return Drawn(left, top, round(right - left, 1), round(bottom - top, 1), label, kind, name, of, row)
