"""Encoded posts -> rows that hold several windows back to back: training without padding.

Each window attends to itself alone and counts its positions from 0, so a packed pass gives what a padded one
gives. Both views of all posts of a step share one token matrix and pass through the encoder together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mner.types import ViewName
from mner.views.batch import Batch, Encoded, declared, places
from mner.views.inputs import Array

ATTENTION = 600
"""Tokens of a row at which attention costs as much as everything else of a layer does (MiniLM on CPU, with dropout)."""


def pack(
    views: Mapping[ViewName, Sequence[Encoded]], *, pad_id: int, arrays: Sequence[Array] = ()
) -> dict[ViewName, Batch]:
    """The arrays of some posts in all their views, windows packed into rows; all views share their token arrays.

    ``segments`` numbers the windows of a row from 1 (0: padding), ``positions`` the tokens of each window from 0.

    >>> post = Encoded(1, (np.array([2, 7, 3]),), (np.array([0, 1, 0]),), np.array([[0, 1]]))
    >>> packed = pack({"T": [post, post], "I+T": [post, post]}, pad_id=0)
    >>> packed["T"].input_ids is packed["I+T"].input_ids, packed["I+T"].word_index.tolist()
    (True, [[7], [10]])
    """
    every = [post for encoded in views.values() for post in encoded]
    windows = [window for post in every for window in post.windows]
    sizes = np.array([len(window) for window in windows], np.int64)
    row, begin, number, width = _rows(sizes)
    shape = (int(row.max()) + 1, width)
    starts = row * width + begin
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    flat = np.repeat(starts, sizes) + within
    input_ids = np.full(shape, pad_id, np.int64)
    shapes, segments, positions = (np.zeros(shape, np.int64) for _ in range(3))
    input_ids.flat[flat] = np.concatenate(windows)
    shapes.flat[flat] = np.concatenate([written for post in every for written in post.shapes])
    segments.flat[flat] = np.repeat(number, sizes)
    positions.flat[flat] = within
    batches: dict[ViewName, Batch] = {}
    first = 0
    for view, encoded in views.items():
        lengths, word_index, window_post = places(encoded, starts[first:])
        first += len(window_post)
        batches[view] = Batch(
            input_ids=input_ids,
            attention_mask=(segments > 0).astype(np.int64),
            shapes=shapes,
            word_index=word_index,
            lengths=lengths,
            window_post=window_post,
            segments=segments,
            positions=positions,
            arrays=declared(encoded, arrays),
        )
    return batches


def _rows(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Row, first column and number in its row (from 1) of each window, and the rows' width.

    First-fit decreasing, tried at the widths that fill 1, 2, ... rows; the cheapest is kept. A wide row wastes
    less and attends more.
    """
    order = np.argsort(-sizes, kind="stable").tolist()
    total, longest = int(sizes.sum()), int(sizes.max())
    best: tuple[float, list[list[int]]] | None = None
    for count in range(1, len(sizes) + 1):
        even = max(longest, -(-total // count))
        for width in (even, int(even * 1.04) + 1, int(even * 1.1) + 1):
            rows = _first_fit(sizes, order, width)
            filled = max(sum(int(sizes[window]) for window in row) for row in rows)
            cost = len(rows) * filled * (1 + filled / ATTENTION)
            if best is None or cost < best[0]:
                best = (cost, rows)
        if even == longest:
            break
    rows = best[1] if best is not None else []
    row, begin, number = (np.zeros(len(sizes), np.int64) for _ in range(3))
    width = 0
    for index, members in enumerate(rows):
        at = 0
        for place, window in enumerate(members, 1):
            row[window], begin[window], number[window] = index, at, place
            at += int(sizes[window])
        width = max(width, at)
    return row, begin, number, width


def _first_fit(sizes: np.ndarray, order: Sequence[int], width: int) -> list[list[int]]:
    rows: list[list[int]] = []
    room: list[int] = []
    for window in order:
        size = int(sizes[window])
        for index, left in enumerate(room):
            if size <= left:
                rows[index].append(window)
                room[index] -= size
                break
        else:
            rows.append([window])
            room.append(width - size)
    return rows
