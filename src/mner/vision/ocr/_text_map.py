"""Where text is in a picture: the detector's probability map, by a first look and by a closer one, and its boxes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[Any]
"""(height, width, 3) of bytes, blue first."""

Map = NDArray[Any]
"""(height, width) of float32: the probability of text at each pixel of what the detector saw."""

Cells = NDArray[np.bool_]
"""(down, across): squares of ``CELL`` pixels of the closer look."""

CELL = 32
"""Pixels: both sides of what the detector sees are multiples of it."""

SHORTEST, LONGEST = 736, 2000
"""Pixels to which the detector's authors enlarge the shortest side, and to which they reduce the longest."""

GLANCE = 320 / 736
"""The first look's sides, as a part of the closer look's: a fifth of its pixels."""

FAINT = 0.2
"""Least probability of text, at a pixel of the first look, for a closer one."""

SMALL, SMALL_LIKELY, LARGE_LIKELY = 24, 0.25, 0.55
"""Least mean probability in a box of the first look: whose shorter side has fewer than ``SMALL`` pixels, and any other.
Small letters are faint there; what is large and faint is a cloud, cloth or fur."""

MARGIN = 32
"""Pixels of the closer look around a box of the first one, which are added to the box's shorter side: a line may go on
where the first look saw none, and more lines may follow it."""

MOST = 0.5
"""Part of the picture from which on the closer look sees all of it: what is mostly text is likely to hold more."""

GIANT = 0.5
"""Shorter side of a box of the first look, in shortest sides of the picture, from which on it needs no closer look. Its
letters are large enough to be read; mostly it has none, and is a flat shape that fills the picture."""

PIECE = 640
"""Cells of the largest piece that is seen at once. Memory grows with it; where large runs are rare, to take it from the
system and give it back is a quarter of their time."""


def first_look(pixels: Pixels, see: Callable[[Pixels], Map]) -> NDArray[Any]:
    """The boxes (box, corner, 2) of what may be text, roughly, seen at a fifth of the closer look's pixels.

    Args:
        pixels: The picture.
        see: The detector, for pixels whose sides are multiples of ``CELL``.
    """
    import cv2

    width, height = closer_size(pixels.shape[1], pixels.shape[0])
    glance = cv2.resize(pixels, _cells(width * GLANCE, height * GLANCE), interpolation=cv2.INTER_AREA)
    return text_boxes(see(glance), (pixels.shape[1], pixels.shape[0]), faint=FAINT, likely=_likely_at_a_glance)


def all_giant(boxes: NDArray[Any], pixels: Pixels) -> bool:
    """Whether there are no boxes of the first look but giant ones, which are read as they are."""
    return all(_shorter_side(box) >= GIANT * min(pixels.shape[:2]) for box in boxes)


def closer_look(pixels: Pixels, see: Callable[[Pixels], Map], boxes: NDArray[Any] | None = None) -> Map:
    """The map of a picture at the size of the closer look, seen in pieces.

    Args:
        pixels: The picture.
        see: The detector, for pixels whose sides are multiples of ``CELL``.
        boxes: Those of the first look. Only around them is the picture seen, unless that is most of it; the rest of the
            map is 0. Without them all of it is seen.
    """
    import cv2

    size = closer_size(pixels.shape[1], pixels.shape[0])
    full = cv2.resize(pixels, size)
    whole: Map = np.zeros(size[::-1], np.float32)
    scale = np.array(size, np.float32) / np.array(pixels.shape[1::-1], np.float32)
    for left, top, right, bottom in _pieces(_seen(size, None if boxes is None else boxes * scale)):
        piece = whole[top:bottom, left:right]
        np.maximum(piece, see(full[top:bottom, left:right]), out=piece)
    return whole


def closer_size(width: int, height: int) -> tuple[int, int]:
    """Width and height at which the detector reads small text: the shortest side is at least ``SHORTEST``.

    >>> closer_size(600, 338), closer_size(1024, 800)
    ((1312, 736), (1024, 800))
    """
    scale = min(1.0, LONGEST / max(width, height))
    scale = max(scale, SHORTEST / min(width, height))
    return _cells(width * scale, height * scale)


def text_boxes(
    map_: Map, size: tuple[int, int], *, faint: float = 0.3, likely: Callable[[float], float] = lambda short: 0.5
) -> NDArray[Any]:
    """The boxes (box, corner, 2) of the lines of a map, clockwise from the upper left corner, for a picture of a size.

    The post-processing of Differentiable Binarization (Liao et al. 2020), as PaddleOCR sets it: the smallest rectangle
    around each shape over ``faint`` whose mean probability is at least ``likely`` of its shorter side. It is grown on
    each side by 1.6 times its area over its circumference, as the map is trained on shrunken shapes.
    """
    import cv2
    import pyclipper

    shapes = cv2.dilate((map_ > faint).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours = cv2.findContours(shapes, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[-2]
    scale = np.array(size, np.float32) / np.array(map_.shape[::-1], np.float32)
    boxes = []
    for contour in contours[:1000]:
        (_, (width, height), _) = tight = cv2.minAreaRect(contour)
        if min(width, height) < 3:
            continue
        corners = cv2.boxPoints(tight)
        if _mean(map_, corners) < likely(min(width, height)):
            continue
        offset = pyclipper.PyclipperOffset()
        offset.AddPath(corners, pyclipper.JT_ROUND, pyclipper.ET_CLOSEDPOLYGON)
        outlines = offset.Execute(0.8 * width * height / (width + height))
        if not outlines:
            continue
        box = np.round(cv2.boxPoints(cv2.minAreaRect(np.array(outlines[0]))) * scale)
        box = _clockwise(np.clip(box, 0, np.array(size, np.float32) - 1))
        if _shorter_side(box) >= 4:
            boxes.append(box)
    return np.array(boxes, np.float32).reshape(-1, 4, 2)


def _cells(width: float, height: float) -> tuple[int, int]:
    """The nearest multiples of ``CELL``."""
    return max(CELL, round(width / CELL) * CELL), max(CELL, round(height / CELL) * CELL)


def _seen(size: tuple[int, int], boxes: NDArray[Any] | None) -> Cells:
    """The cells of the closer look, of the given size, that are near one of the boxes; all of them without boxes."""
    cells = np.full((size[1] // CELL, size[0] // CELL), boxes is None)
    for box in () if boxes is None else boxes:
        margin = MARGIN + _shorter_side(box)
        left, top = (np.maximum(box.min(axis=0) - margin, 0) // CELL).astype(int)
        right, bottom = np.ceil((box.max(axis=0) + margin) / CELL).astype(int)
        cells[top:bottom, left:right] = True
    return cells if cells.mean() <= MOST else np.full_like(cells, True)


def _pieces(cells: Cells) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom, in pixels, of pieces that together hold all cells."""
    import cv2

    number, groups = cv2.connectedComponents(cells.astype(np.uint8))
    return [piece for group in range(1, number) for piece in _halved(groups == group)]  # 0 is the background


def _halved(cells: Cells) -> list[tuple[int, int, int, int]]:
    """The rectangle around cells, in pixels; where it is larger than ``PIECE``, those around its halves.

    Halves share two rows of cells, so that a line at the cut is whole in one of them. Lines are mostly wide, so only
    what is very wide is cut across.
    """
    rows, columns = np.flatnonzero(cells.any(axis=1)), np.flatnonzero(cells.any(axis=0))
    if not len(rows):
        return []
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    if (right - left) * (bottom - top) <= PIECE:
        return [(int(left) * CELL, int(top) * CELL, int(right) * CELL, int(bottom) * CELL)]
    first, second = cells.copy(), cells.copy()
    if right - left > 2 * (bottom - top):
        middle = (left + right) // 2
        first[:, middle + 1 :] = second[:, : middle - 1] = False
    else:
        middle = (top + bottom) // 2
        first[middle + 1 :] = second[: middle - 1] = False
    return _halved(first) + _halved(second)


def _likely_at_a_glance(short: float) -> float:
    return SMALL_LIKELY if short < SMALL else LARGE_LIKELY


def _shorter_side(box: NDArray[Any]) -> float:
    return float(min(np.linalg.norm(box[0] - box[1]), np.linalg.norm(box[0] - box[3])))


def _mean(map_: Map, corners: NDArray[Any]) -> float:
    """The mean probability inside of a rectangle."""
    import cv2

    most = np.array(map_.shape[::-1]) - 1
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, most).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, most).astype(int)
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(map_[top : bottom + 1, left : right + 1], inside)[0])


def _clockwise(corners: NDArray[Any]) -> NDArray[Any]:
    """The corners of a rectangle in the order upper left, upper right, lower right, lower left."""
    left, right = np.split(corners[np.argsort(corners[:, 0], kind="stable")], 2)
    top_left, bottom_left = left[np.argsort(left[:, 1], kind="stable")]
    top_right, bottom_right = right[np.argsort(right[:, 1], kind="stable")]
    return np.array([top_left, top_right, bottom_right, bottom_left], np.float32)
