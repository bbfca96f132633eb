"""Whether a model uses its context: F1 with the true one, another post's, and none."""

from __future__ import annotations

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from mner.analysis import About
from mner.analysis.parts.f1_summary import F1Summary, f1_summary
from mner.analysis.parts.inputs import Inputs, RunSplit
from mner.analysis.parts.loaded_run import LoadedRun, Runs
from mner.analysis.parts.report import Bars, Report, Table, columns
from mner.config import Section
from mner.errors import DataError
from mner.evaluation import score
from mner.types import Post, Span
from mner.views import Piece


@dataclass(frozen=True, slots=True)
class ContextRead:
    """One kind of context.

    Attributes:
        context: true, shuffled or blank.
        f1: F1 of the I+T view. A blank I+T view is the T view.
        loss: F1 with the true context minus this; None for the true one.
        changed: Percent of posts whose entities differ from those with the true context.
    """

    context: str
    f1: F1Summary
    loss: float | None
    changed: float


@dataclass(frozen=True, slots=True)
class Robustness:
    """One experiment; ``used`` of its ``posts`` have a context, ``shuffles`` is the number of shuffled draws."""

    row: str
    posts: int
    used: int
    shuffles: int
    readings: tuple[ContextRead, ...]


ABOUT = About("F1 with the true, a shuffled and a blank context", reads="runs", result=Robustness)


class Options(Section):
    """How contexts are shuffled, and where they are read."""

    split: RunSplit = "dev"
    shuffles: Annotated[int, Field(ge=1, le=1000, description="Draws of shuffled contexts.")] = 1


def analyze(inputs: Inputs, options: Options) -> Report:
    """All experiments named."""
    return report([robustness(inputs.runs(row, options.split), shuffles=options.shuffles) for row in inputs.rows])


def robustness(runs: Runs, *, seed: int = 1, shuffles: int = 1) -> Robustness:
    """F1 of the I+T view with the true, a shuffled and a blank context.

    A context is what the model reads of the picture: text beside the words, arrays of features, or both. Shuffled gives
    each post that has a context that of another picture of the split; of several draws the mean counts. The draws
    depend on ``seed`` alone, so that all runs and experiments read the same ones.

    Raises:
        DataError: Fewer than two pictures have a context, or the experiment was trained with others' (``substitute``).
    """
    kinds = ("true", "shuffled", "blank")
    f1: dict[str, list[float]] = {kind: [] for kind in kinds}
    changed: dict[str, list[float]] = {kind: [] for kind in kinds}
    for run in runs:
        run.must_be_own("robustness")
        pieces = run.pieces()
        pictured = run.pictured(pieces)
        gold = [post.spans or () for post in run.posts]
        draws = [shuffled(run.posts, pictured, seed=seed + draw) for draw in range(shuffles)]
        true = run.read(pieces)
        readings = {"true": [true], "shuffled": [_read(run, pieces, draw) for draw in draws], "blank": [run.read()]}
        for kind, read in readings.items():
            f1[kind].append(statistics.fmean(score(gold, each).micro.f1 for each in read))
            others = [sum(a != b for a, b in zip(true, each, strict=True)) for each in read]
            changed[kind].append(100 * statistics.fmean(others) / len(gold))
    numbers = {
        kind: f1_summary(of_runs, config=run.config, data=run.data, view=f"I+T:context={kind}")
        for kind, of_runs in f1.items()
    }
    return Robustness(
        run.row,
        len(run.posts),
        sum(pictured),
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


def shuffled(posts: Sequence[Post], pictured: Sequence[bool], *, seed: int) -> list[int]:
    """For each post the number of one whose context it gets: of another picture, or its own if it has no context.

    Raises:
        DataError: Fewer than two pictures have a context.
    """
    owners = {_owner(post): number for number, (post, has) in enumerate(zip(posts, pictured, strict=True)) if has}
    names = sorted(owners)
    if len(names) < 2:
        raise DataError(f"{len(names)} of the pictures have a context; shuffling takes at least two")
    random.Random(seed).shuffle(names)  # noqa: S311 (a draw that can be repeated, no secret)
    following = dict(zip(names, [*names[1:], names[0]], strict=True))
    return [
        owners[following[_owner(post)]] if has else number
        for number, (post, has) in enumerate(zip(posts, pictured, strict=True))
    ]


def _read(run: LoadedRun, pieces: Sequence[tuple[Piece, ...]], draw: Sequence[int]) -> list[tuple[Span, ...]]:
    """The entities of each post with all that is read of another post's picture: its pieces and its arrays."""
    arrays = None if run.arrays is None else [run.arrays[number] for number in draw]
    return run.read([pieces[number] for number in draw], arrays)


def _owner(post: Post) -> str:
    """What stands for a post's pictures, the same for posts that share all of them."""
    return "\n".join(post.images) or post.id


COLUMNS = columns(
    "experiment",
    "posts with context",
    "context",
    "F1",
    ("against true", "+.2f"),
    ("% of posts changed", ".1f"),
)


def report(results: Sequence[Robustness]) -> Report:
    """One table of all experiments, and a chart of what each loses."""
    rows = tuple(
        (
            result.row,
            f"{result.used} of {result.posts}",
            reading.context,
            reading.f1,
            *(None if reading.loss is None else -reading.loss, reading.changed),
        )
        for result in results
        for reading in result.readings
    )
    draws = max(result.shuffles for result in results)
    kinds = tuple(reading.context for reading in results[0].readings if reading.loss is not None)
    losses = tuple(
        (result.row, tuple(-reading.loss for reading in result.readings if reading.loss is not None))
        for result in results
    )
    return Report(
        name="robustness",
        title=ABOUT.title,
        about="The I+T view of the same model. Shuffled: each post with a context has that of another picture. Blank: "
        "none, which is the T view. A model that uses its context loses F1 by both.",
        results=tuple(results),
        tables=(Table("F1 by context", COLUMNS, rows, f"Shuffled: mean of {draws} draws." if draws > 1 else ""),),
        charts=(Bars("F1 against the true context", "F1 minus F1 with the true context", kinds, losses),),
        signatures=tuple(
            (f"{result.row} {reading.context}", reading.f1.signature)
            for result in results
            for reading in result.readings
        ),
    )
