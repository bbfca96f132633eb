"""Both readings of the same posts, with and without the pictures, and their F1 on parts of the posts or entities."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mner.analysis.parts.f1_summary import F1Summary, f1_summary
from mner.analysis.parts.loaded_run import Runs, Spans
from mner.analysis.parts.report import Bars, Cell, Table, columns
from mner.config import Config
from mner.evaluation import score
from mner.evaluation.significance import Interval, bootstrap
from mner.runs.compare import GENERATOR_SEED, RESAMPLES
from mner.types import Post, Span, VisualContext
from mner.views import Piece, Subwords

FEWEST = 10
"""Posts with an entity that a slice's interval takes at least."""

INTERVALS = (
    f"Intervals and p: paired bootstrap of the gain over the part's posts, {RESAMPLES:,} resamples, generator "
    f"{GENERATOR_SEED}, the seeds as they are; none where fewer than {FEWEST} posts hold an entity. None is corrected "
    "for the number of parts. Of two experiments the seeds that both have are read."
)


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
            ``FEWEST`` posts hold an entity, because such an interval would look narrower than it is.
    """

    by: str
    name: str
    posts: int
    entities: int
    without: F1Summary
    with_: F1Summary
    gain: float
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Slices:
    """One experiment.

    Attributes:
        row: Data set and experiment.
        baseline: The experiment whose T view ``without`` is.
        slices: All parts, by what divides.
        absent: What could not divide, with the reason.
    """

    row: str
    baseline: str
    slices: tuple[Slice, ...]
    absent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BothViews:
    """Both readings of the same posts by each run, and what they were read with.

    ``without`` and ``with_`` hold one reading a run, by ``configs``; they need not be of the same experiment. ``root``
    is the folder of the data, ``subwords`` the experiment's tokenizer.
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


def read_both(runs: Runs, *, baseline: Runs | None = None, own_pictures: str = "") -> BothViews:
    """The T and I+T readings of an experiment's runs; with ``baseline`` its T readings instead of their own.

    Of an experiment and a baseline the seeds that both have are read; where they share none, all.

    Args:
        runs: Runs of the experiment.
        baseline: Runs of the experiment whose T view is read.
        own_pictures: Name of an analysis that only makes sense with the posts' own pictures; "" takes any contexts.

    Raises:
        DataError: Both have different posts, or the contexts are not the posts' own where they must be.
    """
    with_: dict[int, Spans] = {}
    without: dict[int, Spans] = {}
    for run in runs:
        if own_pictures:
            run.must_be_own(own_pictures)
        pieces = run.pieces()
        with_[run.config.seed] = run.read(pieces)
        if baseline is None:
            without[run.config.seed] = run.read()
    name, config = run.row, run.config
    for other in baseline or ():
        other.must_have_posts_of(run)
        without[other.config.seed] = other.read()
        name, config = other.row, other.config
    seeds = sorted(with_.keys() & without.keys())
    return BothViews(
        row=run.row,
        baseline=name,
        configs=(config, run.config),
        data=run.data,
        posts=run.posts,
        contexts=run.contexts,
        pieces=pieces,
        without=[without[seed] for seed in seeds or without],
        with_=[with_[seed] for seed in seeds or with_],
        root=run.root,
        subwords=run.views.subwords,
    )


def by_posts(read: BothViews, groups: Sequence[str | None], *, by: str) -> list[Slice]:
    """A slice for each group of posts, by its name; posts of the group None are left out."""
    names = {group for group in groups if group is not None}
    return [
        _slice(read, by, name, [number for number, group in enumerate(groups) if group == name])
        for name in sorted(names, key=lambda name: (int(name) if name.isdecimal() else 0, name))
    ]


def by_entities(read: BothViews, group: Callable[[Post, Span], str], *, by: str) -> list[Slice]:
    """A slice for each group of entities, gold and predicted ones alike, by their own words."""
    names = sorted({group(post, span) for post in read.posts for span in post.spans or ()})
    return [_slice(read, by, name, range(len(read.posts)), group) for name in names]


def _slice(
    read: BothViews, by: str, name: str, chosen: Sequence[int], group: Callable[[Post, Span], str] | None = None
) -> Slice:
    """F1 on the chosen posts; with ``group`` only on their entities of the group ``name``."""

    def of_slice(run: Spans) -> list[list[Span]]:
        return [
            [span for span in run[number] if group is None or group(read.posts[number], span) == name]
            for number in chosen
        ]

    gold = of_slice([post.spans or () for post in read.posts])
    without, with_ = (
        f1_summary(
            [score(gold, of_slice(run)).micro.f1 for run in runs],
            config=config,
            data=read.data,
            view=f"{view}:{by}={name}",
        )
        for view, runs, config in zip(("T", "I+T"), (read.without, read.with_), read.configs, strict=True)
    )
    interval = _interval(*(_counts(gold, [of_slice(run) for run in runs]) for runs in (read.with_, read.without)))
    gain = with_.mean - without.mean
    return Slice(by, name, len(chosen), sum(map(len, gold)), without, with_, gain, interval)


def _counts(gold: Spans, runs: Sequence[Spans]) -> np.ndarray:
    """Entities correct, predicted and gold, (post, run, 1, 3)."""
    counts = [
        [[len({*truth} & {*run[number]}), len({*run[number]}), len({*truth})] for run in runs]
        for number, truth in enumerate(gold)
    ]
    return np.array(counts, dtype=np.int64).reshape(len(gold), len(runs), 1, 3)


def _interval(a: np.ndarray, b: np.ndarray) -> Interval | None:
    holding = (a.sum(axis=(1, 2, 3)) + b.sum(axis=(1, 2, 3)) > 0).sum()
    return bootstrap(a, b, resamples=RESAMPLES, seed=GENERATOR_SEED)[0] if holding >= FEWEST else None


COLUMNS = columns(
    "by",
    "part",
    ("posts", "d"),
    ("entities", "d"),
    "T",
    "I+T",
    ("gain", "+.2f"),
    "95 % interval",
    ("p", "p"),
)


def gains_table(result: Slices) -> Table:
    """Both views on each slice, and the gain."""
    note = " ".join(f"Not divided by {name}: {reason}." for name, reason in result.absent.items())
    return Table(_title(result), COLUMNS, tuple(map(_cells, result.slices)), note)


def gains_chart(result: Slices) -> Bars:
    """The gain on each slice as a bar."""
    groups = tuple((f"{part.by}: {part.name}", (part.gain,)) for part in result.slices)
    return Bars(f"Gain: {_title(result)}", "F1 of I+T minus F1 of T", ("gain",), groups)


def gains_signatures(result: Slices) -> list[tuple[str, str]]:
    """Both numbers of each slice, with their signatures."""
    return [
        pair
        for part in result.slices
        for pair in (
            (f"{result.baseline} T, {part.by}: {part.name}", part.without.signature),
            (f"{result.row} I+T, {part.by}: {part.name}", part.with_.signature),
        )
    ]


def _title(result: Slices) -> str:
    return f"{result.row} I+T against " + ("T" if result.row == result.baseline else f"{result.baseline} T")


def _cells(part: Slice) -> tuple[Cell, ...]:
    p = None if part.interval is None else part.interval.p
    return (part.by, part.name, part.posts, part.entities, part.without, part.with_, part.gain, part.interval, p)
