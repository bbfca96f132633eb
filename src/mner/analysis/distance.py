"""How far the two views' vectors of a word lie apart (Figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mner.analysis import About
from mner.analysis.parts.f1_summary import unscored
from mner.analysis.parts.inputs import Inputs, RunSplit
from mner.analysis.parts.loaded_run import LoadedRun, Runs
from mner.analysis.parts.report import Lines, Point, Report, Table, columns
from mner.config import Section
from mner.errors import DataError, ModelError
from mner.views import Encoded, batches_by_tokens, collate

BINS = 24  # of the histogram, which goes from 0 to the greatest distance


@dataclass(frozen=True, slots=True)
class Distances:
    """L2 distances between a word's vectors in the views T and I+T, dropout off.

    Attributes:
        row: Data set and experiment.
        cva: Its cross-view alignment: none, posterior or sequence.
        posts: Posts with a context; in the others both views are one.
        words: Words measured: those of these posts that have a sub-token, over all runs.
        mean: Mean distance.
        sd: Standard deviation over words.
        norm: Mean length of the T view's vectors, the scale of the distances.
        edges: Ends of the histogram's bins, one more than there are bins.
        shares: Share of the words in each bin, 0 to 1.
        signature: What exactly was measured.
    """

    row: str
    cva: str
    posts: int
    words: int
    mean: float
    sd: float
    norm: float
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    signature: str

    def __post_init__(self) -> None:
        if len(self.edges) != len(self.shares) + 1:
            raise ValueError(f"{len(self.edges)} edges for {len(self.shares)} shares, expected one more")


ABOUT = About("L2 distance between the two views' word vectors (Figure 3)", reads="runs", result=Distances)


class Options(Section):
    """Where the vectors are read."""

    split: RunSplit = "dev"


def analyze(inputs: Inputs, options: Options) -> Report:
    """The distances of all experiments named, which must run in torch."""
    return report([distance(inputs.runs(row, options.split, backend="torch")) for row in inputs.rows])


def distance(runs: Runs) -> Distances:
    """The distances of one experiment, the words of all its runs taken together. The models must run in torch.

    Raises:
        DataError: No post has a context.
        ModelError: A model runs in another runtime, or has no word vectors.
    """
    distances: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    for run in runs:
        pieces = run.pieces()
        chosen = [number for number, has in enumerate(run.pictured(pieces)) if has and run.posts[number].words]
        if not chosen:
            raise DataError(f"{run.row}: no post of {run.data} has a context, so its views are one{run.substitute}")
        words = [run.posts[number].words for number in chosen]
        alone = run.views.encode_many(words)
        arrays = None if run.arrays is None else [run.arrays[number] for number in chosen]
        both = run.views.encode_many(words, [pieces[number] for number in chosen], arrays)
        with_, without = vectors(run, both), vectors(run, alone)
        real = np.concatenate([encoded.first[:, 0] >= 0 for encoded in alone])
        distances.append(np.linalg.norm(with_ - without, axis=1)[real])
        lengths.append(np.linalg.norm(without, axis=1)[real])
    all_ = np.concatenate(distances)
    counts, edges = np.histogram(all_, bins=BINS, range=(0.0, float(all_.max()) or 1.0))
    return Distances(
        row=run.row,
        cva=run.config.loss.cva,
        posts=len(chosen),
        words=len(all_),
        mean=float(all_.mean()),
        sd=float(all_.std()),
        norm=float(np.concatenate(lengths).mean()),
        edges=tuple(edges.tolist()),
        shares=tuple((counts / len(all_)).tolist()),
        signature=unscored(data=run.data, seeds=len(distances), view="T~I+T", measure="l2"),
    )


def vectors(run: LoadedRun, encoded: Sequence[Encoded]) -> np.ndarray:
    """The vectors (word, hidden) of all words, post after post.

    Raises:
        ModelError: The model does not run in torch.
    """
    read = getattr(run.runtime, "word_vectors", None)
    if read is None:
        raise ModelError(f"{run.row}: word vectors need the torch model (encoder/), which this directory lacks")
    by_post: dict[int, np.ndarray] = {}
    for members in batches_by_tokens(encoded, run.runtime.tokens_per_batch):
        batch = collate([encoded[post] for post in members], pad_id=run.runtime.pad_id, arrays=run.runtime.arrays)
        scores = read(batch, encoded[members[0]].view)
        by_post.update((post, scores[row, : encoded[post].words]) for row, post in enumerate(members))
    return np.concatenate([by_post[post] for post in range(len(encoded))])


def report(results: Sequence[Distances]) -> Report:
    """A histogram for each experiment, drawn as a line through the middles of its bins."""
    headings = columns(
        "experiment",
        "CVA",
        ("posts", "d"),
        ("words", ",d"),
        ("mean", ".3f"),
        ("sd", ".3f"),
        ("vector length", ".3f"),
        ("mean / length", ".3f"),
    )
    rows = tuple(
        (
            row.row,
            row.cva,
            row.posts,
            row.words,
            row.mean,
            row.sd,
            row.norm,
            row.mean / row.norm if row.norm else None,
        )
        for row in results
    )
    return Report(
        name="distance",
        title=ABOUT.title,
        about="The vectors that the emission layer reads, of the same word in the views T and I+T of one model, "
        "dropout off. Only posts with a context count: in the others both views are one. The length of the "
        "T view's vectors is the scale.",
        results=tuple(results),
        tables=(Table("L2 distance", headings, rows),),
        charts=(
            Lines(
                "Words by distance",
                "L2 distance",
                "% of words per unit of distance",
                tuple((row.row, _line(row)) for row in results),
                dots=False,
                zero=True,
            ),
        ),
        signatures=tuple((row.row, row.signature) for row in results),
    )


def _line(row: Distances) -> tuple[Point, ...]:
    """A density: bins have different widths in different experiments."""
    return tuple(
        Point((low + high) / 2, 100 * share / (high - low), f"{row.row}, {low:.2f} to {high:.2f}: {100 * share:.1f} %")
        for (low, high), share in zip(pairwise(row.edges), row.shares, strict=True)
    )
