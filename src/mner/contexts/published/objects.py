"""Names, confidences and boxes that a detector published -> tags, by confidence, with their attributes in front."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mner.types import Box, Tag

ATTRIBUTES = 3
"""Most attributes of an object (ITA, section 3.1)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was published about one picture.

    Attributes:
        tags: By confidence, descending.
        size: Width and height in the pixels that the boxes count; None where it was not published.
    """

    tags: tuple[Tag, ...]
    size: tuple[float, float] | None = None


def by_confidence(tags: Iterable[Tag], *, least: float) -> tuple[Tag, ...]:
    """The tags that are confident enough, the surest first; one without a confidence counts as sure."""
    sure = [tag for tag in tags if tag.confidence is None or tag.confidence >= least]
    return tuple(sorted(sure, key=lambda tag: -1.0 if tag.confidence is None else -tag.confidence))


def attributes(named: Iterable[tuple[str, float]], *, least: float) -> tuple[str, ...]:
    """At most three attributes with a confidence over ``least``, the surest first; 0 does not look at the confidence.

    >>> attributes([("old", 0.1), ("red", 0.4), ("wet", 0.2)], least=0.1)
    ('red', 'wet')
    """
    sure = sorted(((name, score) for name, score in named if not least or score > least), key=lambda pair: -pair[1])
    return tuple(name for name, _ in sure[:ATTRIBUTES])


def box(sides: Sequence[float]) -> Box | None:
    """Four sides as a box; None for anything else."""
    if len(sides) != 4 or not all(math.isfinite(side) for side in sides):
        return None
    left, top, right, bottom = (round(float(side), 1) for side in sides)
    return (left, top, right, bottom)


def fitted(published: Found, size: tuple[int, int], *, whole: tuple[int, int] | None = None) -> list[Tag]:
    """The tags with their boxes in pixels of a picture of this size, and inside it.

    Where no size was published, boxes count pixels of the picture's file: ``whole``, or ``size`` where that is None.

    >>> published = Found((Tag("dog", box=(0.0, 0.0, 50.0, 60.0)),), (100, 50))
    >>> fitted(published, (200, 100))[0].box
    (0.0, 0.0, 100.0, 100.0)
    >>> fitted(Found(published.tags), (200, 100), whole=(400, 200))[0].box
    (0.0, 0.0, 25.0, 30.0)
    """
    width, height = published.size or whole or size
    across, down = size[0] / width, size[1] / height
    boxes = [tag.box and _inside(tag.box, across, down, size) for tag in published.tags]
    return [replace(tag, box=box) for tag, box in zip(published.tags, boxes, strict=True)]


def _inside(box: Box, across: float, down: float, size: tuple[int, int]) -> Box | None:
    """The scaled box cut at the picture's edges; None where nothing is left of it."""
    left, right = (round(min(max(side * across, 0.0), float(size[0])), 1) for side in (box[0], box[2]))
    top, bottom = (round(min(max(side * down, 0.0), float(size[1])), 1) for side in (box[1], box[3]))
    return (left, top, right, bottom) if right > left and bottom > top else None
