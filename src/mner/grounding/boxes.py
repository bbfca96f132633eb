"""Boxes: joined, compared, and cut to the picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from mner.regions import Box

LEAST = 1.0
"""Pixels of a side of a box; what is thinner shows nothing."""

Size = tuple[int, int]
"""Width and height of an upright picture."""


def sound(box: Sequence[float] | None) -> Box | None:
    """A box of four numbers with its sides in order; None for anything else. Contexts may be edited by hand.

    >>> sound((1, 2, 3, 4)), sound((3, 2, 1, 4)), sound((1, 2, 3)), sound((0, 0, float("inf"), 1))
    ((1, 2, 3, 4), None, None, None)
    """
    if box is None or len(box) != 4 or not all(math.isfinite(side) for side in box):
        return None
    left, top, right, bottom = box
    return (left, top, right, bottom) if right > left and bottom > top else None


def union(boxes: Iterable[Box]) -> Box:
    """The smallest box around all of them.

    >>> union([(0, 0, 4, 2), (1, 3, 9, 5)])
    (0, 0, 9, 5)
    """
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return (min(lefts), min(tops), max(rights), max(bottoms))


def overlap(box: Box, other: Box) -> float:
    """Intersection over union.

    >>> overlap((0, 0, 2, 2), (1, 0, 3, 2))
    0.3333333333333333
    """
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((right - left) * (bottom - top) for left, top, right, bottom in (box, other))
    return width * height / (areas - width * height)


def inside(box: Sequence[float] | None, size: Size | None) -> Box | None:
    """The part of a box that lies in the picture; None where less than a pixel of it does.

    Args:
        box: The box.
        size: Of the picture; None if it is not known, as where a context stands for a picture.

    >>> inside((-5, 2, 30, 9), (20, 10)), inside((25, 0, 30, 5), (20, 10)), inside((-5, 2, 30, 9), None)
    ((0, 2, 20, 9), None, (0, 2, 30, 9))
    """
    if (whole := sound(box)) is None:
        return None
    left, top, right, bottom = (max(side, 0) for side in whole)
    if size is not None:
        left, right, top, bottom = min(left, size[0]), min(right, size[0]), min(top, size[1]), min(bottom, size[1])
    return (left, top, right, bottom) if right - left >= LEAST and bottom - top >= LEAST else None


def size_of(source: Any) -> Size | None:
    """Width and height of a picture, upright, from its header; None where it cannot be read."""
    if source is None:
        return None
    from mner.vision.headers import header_size
    from mner.vision.images import fetch

    try:
        return header_size(fetch(source).content)
    except Exception:  # a damaged file makes a decoder raise anything
        return None
