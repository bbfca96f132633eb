"""Pieces of context -> sub-tokens within the budgets; what is over is cut and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import inf

from mner.config import Source
from mner.types import LINKS
from mner.views.compose import Piece
from mner.views.tokenize import Coded

WORD_ROOM = 128
"""Sub-tokens of a window that the context leaves to the words; half the window where it is shorter than twice that."""


@dataclass(slots=True)
class Context:
    """The sub-tokens after the words: for each piece a separator and its text.

    Attributes:
        ids: Sub-token ids, separators included.
        shapes: Their shapes.
        parts: Kind, start and end in ``ids`` of each piece, its separator included.
        cut: Sub-tokens left out, by kind; those that stood for links under "links".
    """

    ids: list[int] = field(default_factory=list)
    shapes: list[int] = field(default_factory=list)
    parts: list[tuple[Source, int, int]] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)


EMPTY = Context()
"""No context at all; shared, never written to."""


def fit(
    pieces: Sequence[Piece],
    known: Mapping[str, Coded],
    *,
    sep_id: int,
    budget: Mapping[Source, int],
    room: int | None,
) -> Context:
    """The context of one post, each kind within its budget and all of it within ``room``.

    Several pictures share what a kind may take equally; what a picture does not need of its share goes to the others.

    Text is cut between words; only a first word that alone exceeds what is left (Chinese, for one, writes without
    blanks) is cut within. Pieces come in the order of their kinds, so a lack of room meets the last kinds first.

    ``known`` holds the sub-tokens of every word. ``budget`` is the most sub-tokens of each kind without separators, and
    a kind without budget is not cut; ``room`` is the most of the whole context with separators, None for no limit.
    """
    context = Context()
    for kind, group in groupby(pieces, key=lambda piece: piece.kind):
        space = inf if room is None else room - len(context.ids)
        coded = [(piece.picture, [known[word] for word in piece.text.split()]) for piece in group]
        shares = _Shares(coded, budget.get(kind, inf), space)
        for picture, words in coded:
            start = len(context.ids)
            ids, shapes, lost = _cut(words, shares.left(picture))
            if ids:
                context.ids.append(sep_id)
                context.shapes.append(0)
                context.ids += ids
                context.shapes += shapes
                context.parts.append((kind, start, len(context.ids)))
            if lost:
                context.cut[kind] = context.cut.get(kind, 0) + lost
            if folded := sum(word.folded for word in words):
                context.cut[LINKS] = context.cut.get(LINKS, 0) + folded
            shares.take(picture, len(ids), lost)
    return context


class _Shares:
    """What each picture may still take of one kind: of its budget, and of the room, separators included."""

    def __init__(self, coded: Sequence[tuple[int, Sequence[Coded]]], budget: float, room: float) -> None:
        sizes: dict[int, int] = {}
        with_separators: dict[int, int] = {}
        for picture, words in coded:
            length = sum(len(word.ids) for word in words)
            sizes[picture] = sizes.get(picture, 0) + length
            with_separators[picture] = with_separators.get(picture, 0) + length + 1
        self._budget = shared(sizes, budget)
        self._room = shared(with_separators, room)

    def left(self, picture: int) -> float:
        """The most sub-tokens that the picture's next piece may have."""
        return min(self._budget[picture], self._room[picture] - 1)

    def take(self, picture: int, length: int, lost: int) -> None:
        """Note what a piece took. Once something is cut the rest goes too: no caption stands in for an earlier one."""
        self._budget[picture] = 0 if lost else self._budget[picture] - length
        self._room[picture] -= length + 1 if length else 0


def shared(sizes: Mapping[int, int], limit: float) -> dict[int, float]:
    """How much of ``limit`` each picture gets: equal shares, and what one does not need goes to the others.

    >>> shared({0: 90, 1: 10, 2: 50}, 100)
    {0: 45, 1: 10, 2: 45}
    """
    shares: dict[int, float] = {}
    left = limit
    for number, picture in enumerate(sorted(sizes, key=lambda picture: (sizes[picture], picture))):
        even = left if left == inf else max(0, left // (len(sizes) - number))
        shares[picture] = min(sizes[picture], even)
        left -= shares[picture]
    return {picture: shares[picture] for picture in sizes}


def _cut(words: Sequence[Coded], limit: float) -> tuple[list[int], list[int], int]:
    """The ids and shapes of the words that fit, and the number of sub-tokens that do not."""
    ids: list[int] = []
    shapes: list[int] = []
    for number, word in enumerate(words):
        if len(ids) + len(word.ids) > limit:
            lost = sum(len(rest.ids) for rest in words[number:])
            if not ids and limit > 0:
                keep = int(limit)
                return list(word.ids[:keep]), list(word.shapes[:keep]), lost - keep
            return ids, shapes, lost
        ids += word.ids
        shapes += word.shapes
    return ids, shapes, 0
