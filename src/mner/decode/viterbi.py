"""The best label sequence of each post."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike

from mner.decode.chain import Chain, Floats, Ints, masked


def viterbi(emissions: ArrayLike, lengths: ArrayLike, *, crf: Chain) -> tuple[Ints, Floats]:
    """Best paths (batch, word), 0 past each length, and their scores (batch,), unnormalised.

    Between equal scores the label with the lower index wins. A post without words has an empty path of score 0.

    Args:
        emissions: Label scores (batch, word, label); what stands past a length is ignored.
        lengths: Words of each post (batch,).
        crf: Transition, start and end scores.

    Raises:
        ModelError: Shapes that do not fit, or scores that are not finite.

    >>> chain = Chain(np.array([[0.0, -9.0], [0.0, 0.0]]), np.zeros(2), np.zeros(2))
    >>> paths, scores = viterbi([[[2.0, 0.0], [0.0, 1.0]]], [2], crf=chain)
    >>> paths.tolist(), scores.tolist()
    ([[0, 0]], [2.0])
    """
    scores, counts, mask = masked(emissions, lengths, crf)
    batch, words, _ = scores.shape
    paths = np.zeros((batch, words), dtype=np.int64)
    if not paths.size:
        return paths, np.zeros(batch)
    posts = np.arange(batch)
    departures = crf.transitions[:, None, :]  # (from, 1, to)
    arrivals = np.ascontiguousarray(crf.transitions.T)  # (to, from)
    best = np.ascontiguousarray(scores.swapaxes(0, 1))  # (word, batch, label), emissions that become best sums
    best[0] += crf.start
    routes = np.empty((scores.shape[2], batch, scores.shape[2]))
    for before, now in itertools.pairwise(best):
        # From in front: the maximum runs over whole planes, not inside rows.
        np.add(before.T[:, :, None], departures, out=routes)  # (from, batch, to)
        now += np.maximum.reduce(routes, axis=0)
    last = np.maximum(counts - 1, 0)
    final = best[last, posts] + crf.end
    label = final.argmax(-1)
    totals = np.where(counts > 0, final[posts, label], 0.0)
    paths[:, -1] = label
    for word in range(words - 1, 0, -1):
        # The same sums as above, for the one label that was reached; past a post's end the label waits.
        origin = (best[word - 1] + arrivals[label]).argmax(-1)
        label = np.where(word <= last, origin, label)
        paths[:, word - 1] = label
    return np.where(mask, paths, 0), totals
