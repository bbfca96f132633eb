"""Where a long input is cut into windows, and from which window each word takes its vector."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

_FAR = np.iinfo(np.int64).max


def cut(length: int, room: int, overlap: int, *, starts: Sequence[int] | None = None) -> list[tuple[int, int]]:
    """Start and end of each window over ``length`` sub-tokens.

    Args:
        length: Sub-tokens in all.
        room: Most sub-tokens of a window.
        overlap: Sub-tokens that neighbours share, at most half of ``room``; a little more where a window is moved
            back to begin with a word.
        starts: Ascending positions where words begin; None cuts without regard to words.

    >>> cut(10, 6, 2)
    [(0, 6), (4, 10)]
    >>> cut(10, 6, 2, starts=[0, 3, 5, 9])
    [(0, 6), (3, 9), (5, 10)]
    """
    shared = min(overlap, room // 2)
    windows: list[tuple[int, int]] = []
    start = 0
    while True:
        end = min(start + room, length)
        windows.append((start, end))
        if end == length:
            return windows
        following = end - shared
        if starts is not None:
            before = bisect_right(starts, following) - 1
            if before >= 0 and starts[before] > start:  # else one word fills the window and is cut within
                following = starts[before]
        start = following


def choose(first: np.ndarray, windows: Sequence[tuple[int, int]]) -> np.ndarray:
    """The window (word,) in which each word's first sub-token stands farthest from a cut; -1 for a word without.

    The beginning and the end of the whole input are no cuts. Of two equals the earlier window is taken.

    Args:
        first: Position of each word's first sub-token in the whole input (word,), -1 for none.
        windows: Start and end of each window, in order.
    """
    length = windows[-1][1]
    best = np.full(first.shape, -1, np.int64)
    chosen = np.full(first.shape, -1, np.int64)
    for number, (start, end) in enumerate(windows):
        left = first - start if start else np.full(first.shape, _FAR)
        right = end - 1 - first if end < length else np.full(first.shape, _FAR)
        distance = np.where((first >= start) & (first < end), np.minimum(left, right), -1)
        better = distance > best
        chosen[better] = number
        best = np.maximum(best, distance)
    chosen[first < 0] = -1
    return chosen
