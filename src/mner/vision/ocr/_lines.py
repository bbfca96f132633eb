"""What the OCR engines share: which lines are confident, their boxes and their order; and silence."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from mner.types import OcrText

LEGIBLE = 8
"""Pixels of the shortest side of a picture that can hold text."""


def in_reading_order(lines: Sequence[OcrText]) -> list[OcrText]:
    """Lines from top to bottom, those that share a row from left to right.

    A line is in the row of the line above it where its middle is above that row's lower edge.

    >>> a, b = OcrText("b", box=(50, 2, 90, 20)), OcrText("a", box=(0, 5, 40, 22))
    >>> [line.text for line in in_reading_order([a, b])]
    ['a', 'b']
    """
    rows: list[list[OcrText]] = []
    edge = float("-inf")  # the middle of the row's first line, lower edge included
    for line in sorted(lines, key=lambda line: _middle(line)):
        if _middle(line) > edge:
            rows.append([])
            _, top, _, bottom = line.box or (0, 0, 0, 0)
            edge = _middle(line) + (bottom - top) / 2
        rows[-1].append(line)
    return [line for row in rows for line in sorted(row, key=lambda line: (line.box or (0,))[0])]


def confident(
    readings: Iterable[tuple[str, float, Any]], size: tuple[int, int], *, least: float, characters: int, source: str
) -> list[OcrText]:
    """The lines that are confident and long enough, in reading order.

    Args:
        readings: Text, confidence and corners (corner, 2) of each line; its box is the upright one around them.
        size: Width and height of the picture, to which boxes are cut.
        least: Least confidence.
        characters: Least length.
        source: The name that each line gets.
    """
    lines = []
    for text, score, corners in readings:
        if score >= least and len(text.strip()) >= characters:
            inside = np.clip(np.reshape(corners, (-1, 2)), 0, size)
            left, top, right, bottom = (round(float(side), 1) for side in (*inside.min(axis=0), *inside.max(axis=0)))
            lines.append(OcrText(text.strip(), round(float(score), 4), (left, top, right, bottom), source))
    return in_reading_order(lines)


def silence(*names: str) -> None:
    """Take away what an engine's own loggers write to stderr; no other logger is touched."""
    for name in names:
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            logger.removeHandler(handler)
        logger.addHandler(logging.NullHandler())


def _middle(line: OcrText) -> float:
    _, top, _, bottom = line.box or (0, 0, 0, 0)
    return (top + bottom) / 2
