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
    starts, ends = np.array(windows, np.int64).T
    earliest = np.searchsorted(ends, first, side="right")  # of the windows that hold a word: they stand in a row
    holding = np.searchsorted(starts, first, side="right") - earliest
    best = np.full(first.shape, -1, np.int64)
    chosen = np.full(first.shape, -1, np.int64)
    for step in range(int(holding.max(initial=0))):  # as many as overlap in one place, however long the input
        number = np.minimum(earliest + step, len(windows) - 1)
        left = np.where(starts[number] > 0, first - starts[number], _FAR)
        right = np.where(ends[number] < ends[-1], ends[number] - 1 - first, _FAR)
        distance = np.where((step < holding) & (first >= 0), np.minimum(left, right), -1)
        better = distance > best
        chosen[better] = number[better]
        best = np.maximum(best, distance)
    return chosen
