"""Whether a model uses its context: F1 with the true one, another post's, and none."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from mner.analysis.measured import Measured, measured
from mner.analysis.opened import Opened, Runs
from mner.errors import DataError
from mner.evaluation import score
from mner.types import Post
from mner.views import Piece


@dataclass(frozen=True, slots=True)
class ContextRead:
    """One kind of context.

    Attributes:
        context: true, shuffled or blank.
        f1: F1 of the I+T view. A blank I+T view is the T view.
        loss: F1 with the true context minus this; None for the true one.
        changed: Percent of posts whose entities are others than with the true context.
    """

    context: str
    f1: Measured
    loss: float | None
    changed: float


@dataclass(frozen=True, slots=True)
class Robustness:
    """One row; ``used`` of its ``posts`` have a context, ``shuffles`` draws stand behind the shuffled one."""

    row: str
    posts: int
    used: int
    shuffles: int
    readings: tuple[ContextRead, ...]


def robustness(runs: Runs, *, seed: int = 1, shuffles: int = 1) -> Robustness:
    """F1 of the I+T view with the true, a shuffled and a blank context.

    Shuffled gives each post that has a context that of another picture of the split; of several draws the mean
    counts. The draws depend on ``seed`` alone, so that all runs and rows read the same ones.

    Raises:
        DataError: Fewer than two pictures have a context, or the row was trained with others' (``substitute``).
    """
    kinds = ("true", "shuffled", "blank")
    f1: dict[str, list[float]] = {kind: [] for kind in kinds}
    changed: dict[str, list[float]] = {kind: [] for kind in kinds}
    one: Opened | None = None
    for one in runs:
        one.must_be_own("robustness")
        pieces = one.pieces()
        gold = [post.spans or () for post in one.posts]
        draws = [shuffled(one.posts, pieces, seed=seed + draw) for draw in range(shuffles)]
        true = one.read(pieces)
        readings = {"true": [true], "shuffled": [one.read(draw) for draw in draws], "blank": [one.read()]}
        for kind, read in readings.items():
            f1[kind].append(statistics.fmean(score(gold, each).micro.f1 for each in read))
            others = [sum(a != b for a, b in zip(true, each, strict=True)) for each in read]
            changed[kind].append(100 * statistics.fmean(others) / len(gold))
    if one is None:
        raise ValueError("robustness: no run")
    numbers = {kind: measured(f1[kind], config=one.config, data=one.data, view=f"I+T:context={kind}") for kind in kinds}
    return Robustness(
        one.row,
        len(one.posts),
        sum(map(bool, pieces)),
        shuffles,
        tuple(
            ContextRead(
                kind,
                numbers[kind],
                None if kind == "true" else numbers["true"].mean - numbers[kind].mean,
                statistics.fmean(changed[kind]),
            )
            for kind in kinds
        ),
    )


def shuffled(posts: Sequence[Post], pieces: Sequence[tuple[Piece, ...]], *, seed: int) -> list[tuple[Piece, ...]]:
    """The pieces, each picture's given to the posts of another picture; posts without any stay without.

    Raises:
        DataError: Fewer than two pictures have a context.
    """
    owned = {post.image or post.id: some for post, some in zip(posts, pieces, strict=True) if some}
    names = sorted(owned)
    if len(names) < 2:
        raise DataError(f"{len(names)} of the pictures have a context; shuffling takes at least two")
    random.Random(seed).shuffle(names)  # noqa: S311 (a draw that can be repeated, no secret)
    following = dict(zip(names, [*names[1:], names[0]], strict=True))
    return [owned[following[post.image or post.id]] if some else () for post, some in zip(posts, pieces, strict=True)]
