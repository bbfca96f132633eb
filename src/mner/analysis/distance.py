"""How far the two views' vectors of a word lie apart (Figure 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mner.analysis.measured import unscored
from mner.analysis.opened import Opened, Runs
from mner.errors import DataError, ModelError
from mner.views import Encoded, batches_by_tokens, collate

BINS = 24
TOKENS_PER_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Distances:
    """L2 distances between a word's vectors in the views T and I+T, dropout off.

    Attributes:
        row: Data set and row.
        cva: The row's cross-view alignment: none, posterior or sequence.
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


def distance(runs: Runs, *, bins: int = BINS) -> Distances:
    """The distances of one row, the words of all its runs taken together. The models must run in torch.

    Args:
        runs: Runs of one row.
        bins: Bins of the histogram, which goes from 0 to the greatest distance.

    Raises:
        DataError: No post has a context.
        ModelError: A model runs in another runtime, or has no word vectors.
    """
    found: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    one: Opened | None = None
    for one in runs:
        pieces = one.pieces()
        chosen = [number for number, some in enumerate(pieces) if some and one.posts[number].words]
        if not chosen:
            raise DataError(f"{one.row}: no post of {one.data} has a context, so its views are one{one.substitute}")
        words = [one.posts[number].words for number in chosen]
        alone = one.views.encode_many(words)
        both = one.views.encode_many(words, [pieces[number] for number in chosen])
        with_, without = vectors(one, both), vectors(one, alone)
        real = np.concatenate([encoded.first[:, 0] >= 0 for encoded in alone])
        found.append(np.linalg.norm(with_ - without, axis=1)[real])
        lengths.append(np.linalg.norm(without, axis=1)[real])
    if one is None:
        raise ValueError("distance: no run")
    all_ = np.concatenate(found)
    counts, edges = np.histogram(all_, bins=bins, range=(0.0, float(all_.max()) or 1.0))
    return Distances(
        row=one.row,
        cva=one.config.loss.cva,
        posts=len(chosen),
        words=len(all_),
        mean=float(all_.mean()),
        sd=float(all_.std()),
        norm=float(np.concatenate(lengths).mean()),
        edges=tuple(edges.tolist()),
        shares=tuple((counts / len(all_)).tolist()),
        signature=unscored(data=one.data, seeds=len(found), view="T~I+T", measure="l2"),
    )


def vectors(one: Opened, encoded: Sequence[Encoded]) -> np.ndarray:
    """The vectors (word, hidden) of all words, post after post.

    Raises:
        ModelError: The model does not run in torch.
    """
    read = getattr(one.runtime, "word_vectors", None)
    if read is None:
        raise ModelError(f"{one.row}: word vectors need the torch model (encoder/), which this directory lacks")
    rows: dict[int, np.ndarray] = {}
    for members in batches_by_tokens(encoded, TOKENS_PER_BATCH):
        batch = collate([encoded[post] for post in members], pad_id=one.runtime.pad_id, arrays=one.runtime.arrays)
        scores = read(batch, encoded[members[0]].view)
        rows.update((post, scores[row, : encoded[post].words]) for row, post in enumerate(members))
    return np.concatenate([rows[post] for post in range(len(encoded))])
