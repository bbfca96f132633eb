"""Encoded posts -> the padded arrays of one forward pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mner.types import ViewName
from mner.views.inputs import PACKED, TOKENS, Array, word_array


@dataclass(frozen=True, slots=True)
class Encoded:
    """One post in one view.

    Attributes:
        words: Places that get a label: the post's words, or with ``heads`` all sub-tokens of its words.
        windows: Sub-token ids (token,) of each window, special ones included; int32. Never empty.
        shapes: Ids in ``SHAPES`` (token,) of each window; int8.
        first: Window and position in it of each word's first sub-token (word, 2), -1 for a word without; int32.
            With ``heads`` of each place (place, 2).
        cut: Sub-tokens that no window holds: by kind of context, of overlong words under "words", of
            links under "links".
        heads: Where sub-tokens carry labels too, the place of each word's first one (word,); int32. A word without
            sub-token has one place. None where each word is one place.
        view: "I+T" where anything of a picture goes beside the words, else "T".
        arrays: Of the post's picture, by the names that the model declares; none in the T view.
        written: The words themselves.
        pieces: Sub-tokens of each word in its window (word,).
    """

    words: int
    windows: tuple[np.ndarray, ...]
    shapes: tuple[np.ndarray, ...]
    first: np.ndarray
    cut: Mapping[str, int] = field(default_factory=dict)
    heads: np.ndarray | None = None
    view: ViewName = "T"
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    written: Sequence[str] = ()
    pieces: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))

    def array(self, declared: Array) -> np.ndarray | None:
        """What a model declares, of this post; None where it has no such picture."""
        if declared.of == "words":
            return word_array(declared.name, self.written, self.pieces)
        return self.arrays.get(declared.name)

    @property
    def tokens(self) -> int:
        """Sub-tokens of all windows."""
        return sum(len(window) for window in self.windows)


@dataclass(frozen=True, slots=True)
class Batch:
    """The arrays of some posts in one view; int64, but for those that the model declares.

    Attributes:
        input_ids: Sub-token ids (window, token), padded.
        attention_mask: 1 for sub-tokens, 0 for padding (window, token).
        shapes: Ids in ``SHAPES`` (window, token), 0 for padding.
        word_index: Flat index ``window * tokens + token`` of each word's first sub-token (post, word); -1 for a
            word without sub-token and past a post's length.
        lengths: Words of each post (post,), or places where sub-tokens carry labels too.
        window_post: The post that each window belongs to (window,).
        segments: In a packed batch the number of each sub-token's window in its row, from 1, 0 for padding
            (row, token); windows are rows' parts then. None where each row is one window.
        positions: In a packed batch each sub-token's position in its window (row, token).
        arrays: What the model declares, padded, with its masks.
    """

    input_ids: np.ndarray
    attention_mask: np.ndarray
    shapes: np.ndarray
    word_index: np.ndarray
    lengths: np.ndarray
    window_post: np.ndarray
    segments: np.ndarray | None = None
    positions: np.ndarray | None = None
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)

    def named(self) -> dict[str, np.ndarray]:
        """All arrays that there are, by name."""
        names = TOKENS if self.segments is None else (*TOKENS, *PACKED)
        return {**{name: getattr(self, name) for name in names}, **self.arrays}


def collate(encoded: Sequence[Encoded], *, pad_id: int, arrays: Sequence[Array] = ()) -> Batch:
    """The padded arrays of one or more posts; ``arrays`` are what the model declares.

    >>> a = Encoded(1, (np.array([2, 7, 3]),), (np.array([0, 1, 0]),), np.array([[0, 1]]))
    >>> b = Encoded(2, (np.array([2, 8, 9, 3]),), (np.array([0, 3, 1, 0]),), np.array([[0, 1], [-1, -1]]))
    >>> collate([a, b], pad_id=0).word_index.tolist()
    [[1, -1], [5, -1]]
    """
    windows = [window for post in encoded for window in post.windows]
    sizes = np.array([len(window) for window in windows])
    width = int(sizes.max())
    real = np.arange(width) < sizes[:, None]  # (window, token)
    input_ids = np.full(real.shape, pad_id, np.int64)
    input_ids[real] = np.concatenate(windows)
    shapes = np.zeros(real.shape, np.int64)
    shapes[real] = np.concatenate([window for post in encoded for window in post.shapes])
    starts = np.arange(len(windows)) * width
    lengths, word_index, window_post = places(encoded, starts)
    return Batch(
        input_ids=input_ids,
        attention_mask=real.astype(np.int64),
        shapes=shapes,
        word_index=word_index,
        lengths=lengths,
        window_post=window_post,
        arrays=declared(encoded, arrays),
    )


def places(encoded: Sequence[Encoded], starts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``lengths``, ``word_index``, ``window_post`` of a batch; ``starts`` (window,) is where each window begins."""
    lengths = np.array([post.words for post in encoded], np.int64)
    word_index = np.full((len(encoded), int(lengths.max())), -1, np.int64)
    counts = [len(post.windows) for post in encoded]
    for row, (post, before) in enumerate(zip(encoded, np.cumsum([0, *counts[:-1]]), strict=True)):
        window, position = post.first.T.astype(np.int64)
        word_index[row, : post.words] = np.where(window < 0, -1, starts[before + window] + position)
    return lengths, word_index, np.repeat(np.arange(len(encoded)), counts).astype(np.int64)


def declared(encoded: Sequence[Encoded], arrays: Sequence[Array]) -> dict[str, np.ndarray]:
    """The declared arrays of some posts, padded, and their masks, by name."""
    return {
        name: values
        for array in arrays
        for name, values in array.padded([post.array(array) for post in encoded]).items()
    }


def batches_by_tokens(encoded: Sequence[Encoded], tokens: int) -> Iterator[list[int]]:
    """Indices of posts of like length whose padded sub-tokens fit ``tokens``; each post once, the longest first.

    A post that exceeds ``tokens`` by itself makes a batch of its own; see ``portions``. The longest come first
    so that a lack of memory shows at once.
    """
    widths = [max(map(len, post.windows)) for post in encoded]
    order = sorted(range(len(encoded)), key=lambda post: (-widths[post], post))
    group: list[int] = []
    width = windows = 0
    for post in order:
        if group and width * (windows + len(encoded[post].windows)) > tokens:
            yield group
            group, windows = [], 0
        if not group:
            width = widths[post]
        group.append(post)
        windows += len(encoded[post].windows)
    if group:
        yield group


def portions(encoded: Encoded, tokens: int) -> Iterator[tuple[np.ndarray, Encoded]]:
    """The windows of one post in portions whose padded sub-tokens fit ``tokens``, or of one window each.

    With each come its places among the post's words (word,), ascending: the words that take their vector from one of
    its windows. A word without sub-token goes with the first portion.

    >>> two = (np.array([2, 7, 3]), np.array([2, 8, 3]))
    >>> post = Encoded(3, two, (np.zeros(3), np.zeros(3)), np.array([[0, 1], [-1, -1], [1, 1]]))
    >>> [(places.tolist(), part.first.tolist()) for places, part in portions(post, 3)]
    [([0, 1], [[0, 1], [-1, -1]]), ([2], [[0, 1]])]
    """
    each = max(1, tokens // max(len(window) for window in encoded.windows))
    owner = np.maximum(encoded.first[:, 0], 0) // each
    order = np.argsort(owner, kind="stable")
    count = -(-len(encoded.windows) // each)
    for number, places in enumerate(np.split(order, np.searchsorted(owner[order], np.arange(1, count)))):
        begin, end = number * each, (number + 1) * each
        first = encoded.first[places] - [begin, 0]
        first[encoded.first[places, 0] < 0] = -1
        windows, shapes = encoded.windows[begin:end], encoded.shapes[begin:end]
        yield (
            places,
            replace(
                encoded,
                words=len(places),
                windows=windows,
                shapes=shapes,
                first=first,
                heads=None,
                written=[encoded.written[place] for place in places] if encoded.written else (),
                pieces=encoded.pieces[places] if len(encoded.pieces) else encoded.pieces,
            ),
        )
