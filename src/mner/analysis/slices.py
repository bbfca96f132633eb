"""Where the picture helps: T against I+T by seen and unseen entities, text-image relation, number of captions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mner.analysis.measured import Measured, measured
from mner.analysis.opened import Opened, Runs, Spans
from mner.config import Config
from mner.errors import DataError
from mner.evaluation import score
from mner.evaluation.significance import Interval, bootstrap
from mner.runs.compare import GENERATOR_SEED, RESAMPLES
from mner.types import Post, Span, VisualContext
from mner.views import Piece, Subwords

RELATION = "relation"
"""Key of an artefact's row that holds how well text and picture belong together: a number, or several by scorer."""
PARTS = 3
FEWEST = 10
"""Posts with an entity that a slice's interval takes at least."""


@dataclass(frozen=True, slots=True)
class Slice:
    """F1 of both views on some posts or some entities.

    Attributes:
        by: What divides the posts or entities.
        name: This part's name.
        posts: Posts in it; all posts where entities are divided.
        entities: Gold entities in it.
        without: F1 of the words alone.
        with_: F1 of the I+T view.
        gain: Mean of ``with_`` minus mean of ``without``.
        interval: The gain's, by paired bootstrap over the posts, the runs as they are; None where fewer than
            ``FEWEST`` posts hold an entity, of which an interval would look narrower than it is.
    """

    by: str
    name: str
    posts: int
    entities: int
    without: Measured
    with_: Measured
    gain: float
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Slices:
    """One row.

    Attributes:
        row: Data set and row.
        baseline: The row whose T view ``without`` is.
        slices: All parts, by what divides.
        absent: What could not divide, with the reason.
    """

    row: str
    baseline: str
    slices: tuple[Slice, ...]
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Read:
    """Both readings of the same posts by each run, and what they were read with.

    ``without`` and ``with_`` hold one reading a run, by ``configs``; they need not be of the same row. ``root`` is the
    folder of the data, ``subwords`` the row's tokenizer.
    """

    row: str
    baseline: str
    configs: tuple[Config, Config]
    data: str
    posts: Sequence[Post]
    contexts: Sequence[VisualContext | None]
    pieces: Sequence[Sequence[Piece]]
    without: Sequence[Spans]
    with_: Sequence[Spans]
    root: Path = Path()
    subwords: Subwords | None = None


def read_both(runs: Runs, *, baseline: Runs | None = None, asks: str = "") -> Read:
    """The T and I+T readings of a row's runs; with ``baseline`` its T readings instead of the row's own.

    Of a row and a baseline the seeds that both have are read; of rows that share none, all.

    Args:
        runs: Runs of the row.
        baseline: Runs of the row whose T view is read.
        asks: Name of an analysis that only makes sense with the posts' own pictures; "" takes any contexts.

    Raises:
        DataError: Baseline and row have different posts, or the contexts are not the posts' own where they must be.
    """
    with_: dict[int, Spans] = {}
    without: dict[int, Spans] = {}
    one: Opened | None = None
    for one in runs:
        if asks:
            one.must_be_own(asks)
        pieces = one.pieces()
        with_[one.config.seed] = one.read(pieces)
        if baseline is None:
            without[one.config.seed] = one.read()
    if one is None:
        raise ValueError("no run")
    name, config = one.row, one.config
    for other in baseline or ():
        if other.data != one.data:
            raise DataError(f"{one.row} and {other.row}: different posts, {one.data} and {other.data}")
        without[other.config.seed] = other.read()
        name, config = other.row, other.config
    seeds = sorted(with_.keys() & without.keys())
    return Read(
        row=one.row,
        baseline=name,
        configs=(config, one.config),
        data=one.data,
        posts=one.posts,
        contexts=one.contexts,
        pieces=pieces,
        without=[without[seed] for seed in seeds or without],
        with_=[with_[seed] for seed in seeds or with_],
        root=one.root,
        subwords=one.views.subwords,
    )


def slices(read: Read, train: Iterable[Post]) -> Slices:
    """T against I+T by all that divides these posts.

    Args:
        read: Both readings.
        train: The training posts, whose gold entities are the seen ones.
    """
    known = {surface(post, span) for post in train for span in post.spans or ()}
    found = [*by_entities(read, lambda post, span: "seen" if surface(post, span) in known else "unseen", by="entity")]
    if (kind := read.configs[1].context.substitute) != "none":
        why = f'context.substitute = "{kind}": the contexts are not those of the posts\' own pictures'
        return Slices(read.row, read.baseline, tuple(found), {RELATION: why, "captions": why})
    absent: dict[str, str] = {}
    scores = relations(read.contexts)
    if not scores:
        absent[RELATION] = f'no context has the key "{RELATION}"'
    for scorer, values in scores.items():
        groups = thirds(values)
        if groups is None:
            absent[scorer] = f"fewer than {PARTS} different scores"
        else:
            found += by_posts(read, groups, by=scorer)
    counts = [sum(piece.kind == "captions" for piece in some) for some in read.pieces]
    found += by_posts(read, [str(count) for count in counts], by="captions")
    return Slices(read.row, read.baseline, tuple(found), absent)


def by_posts(read: Read, groups: Sequence[str | None], *, by: str) -> list[Slice]:
    """A slice for each group of posts, by its name; posts of the group None are left out."""
    names = {group for group in groups if group is not None}
    return [
        _slice(read, by, name, [number for number, group in enumerate(groups) if group == name])
        for name in sorted(names, key=lambda name: (int(name) if name.isdecimal() else 0, name))
    ]


def by_entities(read: Read, group: Callable[[Post, Span], str], *, by: str) -> list[Slice]:
    """A slice for each group of entities, gold and predicted ones alike told apart by their own words."""
    names = sorted({group(post, span) for post in read.posts for span in post.spans or ()})
    return [_slice(read, by, name, range(len(read.posts)), group) for name in names]


def surface(post: Post, span: Span) -> str:
    """An entity's words as they are compared with those of training: in small letters, one blank between.

    >>> surface(Post("1", "Real Madrid", ("Real", "Madrid"), ((0, 4), (5, 11))), Span(0, 2, "ORG"))
    'real madrid'
    """
    return " ".join(post.words[span.start : span.end]).casefold()


def relations(contexts: Sequence[VisualContext | None]) -> dict[str, list[float | None]]:
    """The text-image relation of each post by scorer; None where a post has none. Empty where no context has any."""
    rows = [{} if one is None else _relation(one) for one in contexts]
    names = sorted({name for row in rows for name in row})
    return {name: [row.get(name) for row in rows] for name in names}


def thirds(values: Sequence[float | None], parts: int = PARTS) -> list[str | None] | None:
    """The part of each value by rank: "1 of 3: 0.1 to 0.4" and so on; equal values share one. None for too few.

    >>> thirds([0.9, None, 0.1, 0.5])
    ['3 of 3: 0.9 to 0.9', None, '1 of 3: 0.1 to 0.1', '2 of 3: 0.5 to 0.5']
    """
    told = sorted(value for value in values if value is not None)
    if len(set(told)) < parts:
        return None
    bounds = [told[len(told) * part // parts] for part in range(1, parts)]
    numbers = [None if value is None else sum(value >= bound for bound in bounds) for value in values]
    names: dict[int, str] = {}
    for part in {number for number in numbers if number is not None}:
        inside = [value for value, number in zip(values, numbers, strict=True) if number == part and value is not None]
        names[part] = f"{part + 1} of {parts}: {min(inside):.3g} to {max(inside):.3g}"
    return [None if number is None else names[number] for number in numbers]


def _slice(
    read: Read,
    by: str,
    name: str,
    chosen: Sequence[int],
    group: Callable[[Post, Span], str] | None = None,
) -> Slice:
    """F1 on the chosen posts; with ``group`` only on their entities of the group ``name``."""

    def kept(run: Spans) -> list[list[Span]]:
        return [
            [span for span in run[number] if group is None or group(read.posts[number], span) == name]
            for number in chosen
        ]

    gold = kept([post.spans or () for post in read.posts])
    without, with_ = (
        measured(
            [score(gold, kept(run)).micro.f1 for run in runs],
            config=config,
            data=read.data,
            view=f"{view}:{by}={name}",
        )
        for view, runs, config in zip(("T", "I+T"), (read.without, read.with_), read.configs, strict=True)
    )
    counted = [_counts(gold, [kept(run) for run in runs]) for runs in (read.with_, read.without)]
    return Slice(
        by,
        name,
        len(chosen),
        sum(map(len, gold)),
        without,
        with_,
        with_.mean - without.mean,
        _interval(*counted),
    )


def _counts(gold: Spans, runs: Sequence[Spans]) -> np.ndarray:
    """Entities correct, predicted and gold, (post, run, 1, 3)."""
    rows = [
        [[len({*truth} & {*run[number]}), len({*run[number]}), len({*truth})] for run in runs]
        for number, truth in enumerate(gold)
    ]
    return np.array(rows, dtype=np.int64).reshape(len(gold), len(runs), 1, 3)


def _interval(a: np.ndarray, b: np.ndarray) -> Interval | None:
    holding = (a.sum(axis=(1, 2, 3)) + b.sum(axis=(1, 2, 3)) > 0).sum()
    return bootstrap(a, b, resamples=RESAMPLES, seed=GENERATOR_SEED)[0] if holding >= FEWEST else None


def _relation(context: VisualContext) -> dict[str, float]:
    told = context.extra.get(RELATION)
    named = told if isinstance(told, Mapping) else {RELATION: told}
    return {
        str(name): float(value)
        for name, value in named.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
