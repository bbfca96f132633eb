"""The text of one line of a picture: its pixels cut out, read, and turned where it stands on its head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mner.vision.ocr._text_map import Pixels

Network = NDArray[Any]
"""(1, 3, height, width) of float32: what a network is given."""

HEIGHT = 48
"""Pixels of a line's height, for reading and for its direction."""

STEP = 32
"""Widths of lines are multiples of it, so that few shapes occur and memory is used again."""

LONG, BEGINNING = 320, 160
"""Widths from which a line is long, and of the beginning that is tried first."""

HOPELESS = 0.7
"""Confidence of a beginning below which the rest of a line is not read. Of 359 legible lines, drawn and real, 5 begin
below it; of 155 that are no text or of another script, 121."""

SURE = 0.95
"""Confidence from which a line is upright without a look at its direction."""

DIRECTION = 192
"""Width of a line for its direction."""


def cut_out(pixels: Pixels, box: NDArray[Any]) -> Pixels:
    """The line inside of a box, straightened; one that runs downwards is laid on its side."""
    import cv2

    width = int(max(np.linalg.norm(box[0] - box[1]), np.linalg.norm(box[2] - box[3])))
    height = int(max(np.linalg.norm(box[0] - box[3]), np.linalg.norm(box[1] - box[2])))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    line: Pixels = cv2.warpPerspective(
        pixels,
        cv2.getPerspectiveTransform(box, corners),
        (width, height),
        borderMode=cv2.BORDER_REPLICATE,
        flags=cv2.INTER_CUBIC,
    )
    return np.rot90(line) if height >= 1.5 * width else line


def prepared(line: Pixels, width: int = 0) -> Network:
    """The network's input (1, 3, height, width): from -1 to 1, with 0 at the right up to a whole ``STEP``.

    A given width is kept: a longer line is squeezed into it.
    """
    import cv2

    natural = max(1, math.ceil(HEIGHT * line.shape[1] / line.shape[0]))
    filled = min(natural, width) if width else natural
    network: Network = np.zeros((1, 3, HEIGHT, width or -(-natural // STEP) * STEP), np.float32)
    network[0, :, :, :filled] = cv2.resize(line, (filled, HEIGHT)).transpose(2, 0, 1) / np.float32(127.5) - 1
    return network


def decoded(scores: NDArray[Any], characters: Sequence[str]) -> tuple[str, float]:
    """The text and mean probability of the likeliest character of each time step.

    Equal neighbours are one character, and the first of ``characters`` is none (CTC, Graves et al. 2006).

    Args:
        scores: Probabilities (step, character).
        characters: By their index.
    """
    best = scores.argmax(axis=1)
    new = best != 0
    new[1:] &= best[1:] != best[:-1]
    if not new.any():
        return "", 0.0
    return "".join(characters[index] for index in best[new]), float(scores.max(axis=1)[new].mean())


def on_its_head(scores: NDArray[Any]) -> bool:
    """Whether the direction (upright, on its head) of a line is surely the second."""
    return float(scores[1]) > 0.9
