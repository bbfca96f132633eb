"""F1 against the number of captions (Figure 2): the same model, reading the first k captions of each post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mner.analysis.measured import Measured, measured
from mner.analysis.opened import Opened, Runs
from mner.config import ContextConfig
from mner.errors import DataError
from mner.evaluation import score
from mner.types import VisualContext
from mner.views import Piece


@dataclass(frozen=True, slots=True)
class CaptionPoint:
    """The I+T view with at most ``captions`` captions a post; ``full`` posts have as many or more.

    Of ``cut`` posts the captions are longer than the row's budget of sub-tokens, so that their end is not read.
    """

    captions: int
    f1: Measured
    full: int
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Captions:
    """One row's curve.

    Attributes:
        row: Data set and row.
        order: Sources of the captions, in the order they are taken.
        trained: Captions beside a post in training at most: the sources its configuration names; None for all.
        posts: Posts of the split.
        points: k = 0, 1, ..., n. At k = 0 the other kinds of context, if the row has any, still stand there.
    """

    row: str
    order: tuple[str, ...]
    trained: int | None
    posts: int
    points: tuple[CaptionPoint, ...]


def captions(runs: Runs, *, order: Sequence[str] | None = None) -> Captions:
    """F1 of the I+T view with k = 0 to n captions beside each post; a post that has fewer shows those it has.

    No model is trained anew: this is what a trained one makes of more or fewer captions. Rows that were trained with
    other numbers of captions have curves of their own.

    Args:
        runs: Runs of one row.
        order: Sources of captions, in order; None takes those of [context], or the order of the contexts.

    Raises:
        DataError: No post has a caption of these sources.
    """
    f1: list[list[float]] = []
    one: Opened | None = None
    for one in runs:
        chosen = tuple(order or one.config.context.captions or sources(one.contexts))
        pieces = one.pieces(_reading(one, chosen))
        counts = [sum(piece.kind == "captions" for piece in post) for post in pieces]
        if not max(counts, default=0):
            told = ", ".join(chosen) or "-"
            raise DataError(f"{one.row}: no post of {one.data} has a caption of the sources {told}{one.substitute}")
        gold = [post.spans or () for post in one.posts]
        taken = [[first(post, k) for post in pieces] for k in range(max(counts) + 1)]
        f1.append([score(gold, one.read(some)).micro.f1 for some in taken])
        cut = [_cut(one, some) for some in taken]
    if one is None:
        raise ValueError("captions: no run")
    points = tuple(
        CaptionPoint(
            k,
            measured(each, config=one.config, data=one.data, view=f"I+T:captions={k}"),
            sum(count >= k for count in counts),
            cut[k],
        )
        for k, each in enumerate(zip(*f1, strict=True))
    )
    named = one.config.context.captions
    used = "I+T" in one.trained and "captions" in one.config.context.order
    trained = (None if named is None else len(named)) if used else 0
    return Captions(one.row, chosen, trained, len(one.posts), points)


def sources(contexts: Sequence[VisualContext | None]) -> list[str]:
    """Sources of captions in the order they first appear.

    >>> from mner.types import Caption
    >>> sources([VisualContext("1", captions=(Caption("a", source="b"), Caption("c", source="a"))), None])
    ['b', 'a']
    """
    return list(dict.fromkeys(each.source for one in contexts if one is not None for each in one.captions))


def first(pieces: Sequence[Piece], k: int) -> tuple[Piece, ...]:
    """The pieces with only the first ``k`` captions among them."""
    kept = [number for number, piece in enumerate(pieces) if piece.kind == "captions"][:k]
    return tuple(piece for number, piece in enumerate(pieces) if piece.kind != "captions" or number in kept)


def _cut(one: Opened, pieces: Sequence[tuple[Piece, ...]]) -> int:
    """Posts whose captions are cut to the budget, or to what an input holds."""
    encoded = one.views.encode_many([post.words for post in one.posts], pieces)
    return sum(bool(each.cut.get("captions")) for each in encoded)


def _reading(one: Opened, order: tuple[str, ...]) -> ContextConfig:
    """The model's [context], with captions of these sources; at the front where the row itself has none."""
    kinds = one.config.context.order
    kinds = kinds if "captions" in kinds else ("captions", *kinds)
    return one.config.context.model_copy(update={"captions": order, "order": kinds})
