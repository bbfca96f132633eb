"""Pieces of context -> sub-tokens within the budgets; what is over is cut and counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mner.config import Source
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
        cut: Sub-tokens left out, by kind.
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

    Text is cut between words; only a first word that alone exceeds what is left (Chinese, for one, writes without
    blanks) is cut within. Pieces come in the order of their kinds, so a lack of room meets the last kinds first.

    ``known`` holds the sub-tokens of every word. ``budget`` is the most sub-tokens of each kind without separators, and
    a kind without budget is not cut; ``room`` is the most of the whole context with separators, None for no limit.
    """
    context = Context()
    left: dict[Source, float] = {**budget}
    for kind, _, text in pieces:
        start = len(context.ids)
        space = float("inf") if room is None else room - start - 1  # its separator
        limit = min(left.get(kind, float("inf")), space)
        ids, shapes, lost = _cut([known[word] for word in text.split()], limit)
        if ids:
            context.ids.append(sep_id)
            context.shapes.append(0)
            context.ids += ids
            context.shapes += shapes
            context.parts.append((kind, start, len(context.ids)))
        if lost:
            context.cut[kind] = context.cut.get(kind, 0) + lost
        # Once something is cut the rest of its kind goes too: a later caption must not stand in for an earlier.
        left[kind] = 0 if lost else left.get(kind, float("inf")) - len(ids)
    return context


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
