"""What the OCR engines share: lines of text, their boxes and their order; and silence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from mner.types import OcrText


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


def line(text: str, score: float, corners: Any, source: str) -> OcrText:
    """A line whose box is the upright one around its corners (corner, 2)."""
    (left, top), (right, bottom) = np.min(corners, axis=0), np.max(corners, axis=0)
    box = (round(float(left), 1), round(float(top), 1), round(float(right), 1), round(float(bottom), 1))
    return OcrText(text.strip(), round(float(score), 4), box, source)


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
