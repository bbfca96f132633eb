"""F1 against the number of captions (Figure 2): the same model, reading the first k captions of each post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from mner.analysis import About
from mner.analysis.parts.f1_summary import F1Summary, f1_summary
from mner.analysis.parts.inputs import Inputs, RunSplit
from mner.analysis.parts.loaded_run import LoadedRun, Runs
from mner.analysis.parts.report import Lines, Point, Report, Table, columns
from mner.config import ContextConfig, Section
from mner.errors import DataError
from mner.evaluation import score
from mner.types import VisualContext
from mner.views import Piece


@dataclass(frozen=True, slots=True)
class CaptionPoint:
    """The I+T view with at most ``captions`` captions a post; ``full`` posts have as many or more.

    ``cut`` posts have captions that exceed the budget of sub-tokens, so that their end is not read.
    """

    captions: int
    f1: F1Summary
    full: int
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Captions:
    """The curve of one experiment.

    Attributes:
        row: Data set and experiment.
        order: Sources of the captions, in the order they are taken.
        trained: Captions beside a post at most, as [context] takes them; 0 where training read none.
        posts: Posts of the split.
        points: k = 0, 1, ..., n. At k = 0 other kinds of context, if the model reads any, are still there.
    """

    row: str
    order: tuple[str, ...]
    trained: int | None  # None: all, in records of earlier versions
    posts: int
    points: tuple[CaptionPoint, ...]


ABOUT = About("F1 against the number of captions (Figure 2)", reads="runs", result=Captions)


class Options(Section):
    """What the captions are and where they are read."""

    split: RunSplit = "dev"
    order: Annotated[
        tuple[str, ...] | None,
        Field(description="Sources of captions in the order to take them, separated by commas."),
    ] = None


def analyze(inputs: Inputs, options: Options) -> Report:
    """The curves of all experiments named."""
    return report([captions(inputs.runs(row, options.split), order=options.order) for row in inputs.rows])


def captions(runs: Runs, *, order: Sequence[str] | None = None) -> Captions:
    """F1 of the I+T view with k = 0 to n captions beside each post; a post that has fewer shows those it has.

    Nothing is trained again: this is what a trained model makes of more or fewer captions. Experiments that were
    trained with other numbers of captions have curves of their own.

    Args:
        runs: Runs of one experiment.
        order: Sources of captions, in order; None takes those of [context], or the order of the contexts.

    Raises:
        DataError: No post has a caption of these sources.
    """
    f1: list[list[float]] = []
    trained = 0
    for run in runs:
        if "I+T" in run.trained:
            trained = max(map(_captions, run.pieces()), default=0)
        chosen = tuple(order or run.config.context.captions or sources(run.contexts))
        pieces = run.pieces(_with_captions(run.config.context, chosen))
        counts = [_captions(post) for post in pieces]
        if not max(counts, default=0):
            listed = ", ".join(chosen) or "-"
            raise DataError(f"{run.row}: no post of {run.data} has a caption of the sources {listed}{run.substitute}")
        gold = [post.spans or () for post in run.posts]
        taken = [[first(post, k) for post in pieces] for k in range(max(counts) + 1)]
        f1.append([score(gold, run.read(beside)).micro.f1 for beside in taken])
        cut = [_cut(run, beside) for beside in taken]
    points = tuple(
        CaptionPoint(
            k,
            f1_summary(of_runs, config=run.config, data=run.data, view=f"I+T:captions={k}"),
            sum(count >= k for count in counts),
            cut[k],
        )
        for k, of_runs in enumerate(zip(*f1, strict=True))
    )
    return Captions(run.row, chosen, trained, len(run.posts), points)


def sources(contexts: Sequence[VisualContext | None]) -> list[str]:
    """Sources of captions in the order they first appear.

    >>> from mner.types import Caption
    >>> sources([VisualContext("1", captions=(Caption("a", source="b"), Caption("c", source="a"))), None])
    ['b', 'a']
    """
    captions_of = (context.captions for context in contexts if context is not None)
    return list(dict.fromkeys(caption.source for captions in captions_of for caption in captions))


def first(pieces: Sequence[Piece], k: int) -> tuple[Piece, ...]:
    """The pieces with only the first ``k`` captions among them."""
    chosen = [number for number, piece in enumerate(pieces) if piece.kind == "captions"][:k]
    return tuple(piece for number, piece in enumerate(pieces) if piece.kind != "captions" or number in chosen)


def _captions(pieces: Sequence[Piece]) -> int:
    return sum(piece.kind == "captions" for piece in pieces)


def _cut(run: LoadedRun, pieces: Sequence[tuple[Piece, ...]]) -> int:
    """Posts whose captions are cut to the budget, or to what an input holds."""
    encoded = run.views.encode_many([post.words for post in run.posts], pieces)
    return sum(bool(post.cut.get("captions")) for post in encoded)


def _with_captions(context: ContextConfig, order: tuple[str, ...]) -> ContextConfig:
    """[context] with captions of these sources; at the front where it has none."""
    kinds = context.order if "captions" in context.order else ("captions", *context.order)
    return context.model_copy(update={"captions": order, "order": kinds})


def report(results: Sequence[Captions]) -> Report:
    """A line for each experiment; the number of captions that it was trained with stands out."""
    most = max(len(curve.points) for curve in results)
    rows = tuple(
        (
            curve.row,
            "all" if curve.trained is None else curve.trained,
            *(point.f1 for point in curve.points),
            *(None,) * (most - len(curve.points)),
        )
        for curve in results
    )
    headings = columns("experiment", ("trained with", "d"), *(f"k={k}" for k in range(most)))
    lines = tuple((curve.row, _line(curve)) for curve in results)
    return Report(
        name="captions",
        title=ABOUT.title,
        about="The I+T view of trained models, reading the first k captions of each post; a post that has fewer shows "
        "those it has. Nothing is trained again for a k: experiments trained with another number of captions are lines "
        "of their own, and the number an experiment was trained with stands out.",
        results=tuple(results),
        tables=(Table("F1 by captions", headings, rows, _note(results)),),
        charts=(Lines("F1 against the number of captions", "captions", "F1", lines),),
        signatures=tuple(
            (f"{curve.row} k={point.captions}", point.f1.signature) for curve in results for point in curve.points
        ),
    )


def _note(results: Sequence[Captions]) -> str:
    orders: dict[tuple[str, ...], list[str]] = {}
    for curve in results:
        orders.setdefault(curve.order, []).append(curve.row)
    longest = max(results, key=lambda curve: len(curve.points))
    note = "Order of captions: " + "; ".join(
        ", ".join(order) + (f" ({', '.join(of)})" if len(orders) > 1 else "") for order, of in orders.items()
    )
    note += ". Posts with k captions or more: " + ", ".join(
        f"{point.full} (k={point.captions})" for point in longest.points
    )
    for curve in results:
        if any(point.cut for point in curve.points):
            cut = ", ".join(f"{point.cut} (k={point.captions})" for point in curve.points if point.captions)
            note += f". Posts of which {curve.row} does not read all captions, for its budget of sub-tokens: {cut}"
    return note + "."


def _line(curve: Captions) -> tuple[Point, ...]:
    return tuple(
        Point(
            point.captions,
            point.f1.mean,
            f"{curve.row}, {point.captions} captions: {point.f1}",
            point.f1.sd,
            marked=point.captions == curve.trained,
        )
        for point in curve.points
    )
