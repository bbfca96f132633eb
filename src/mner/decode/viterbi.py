"""The best label sequence of each post."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from mner.decode.chain import Chain, Floats, Ints, masked
from mner.decode.compiled import compiled, with_numba


def viterbi(emissions: ArrayLike, lengths: ArrayLike, *, crf: Chain) -> tuple[Ints, Floats]:
    """Best paths (batch, word), 0 past each length, and their scores (batch,), unnormalised.

    Between equal scores the label with the lower index wins. A post without words has an empty path of score 0.
    Where the process has imported numba, as training does, a compiled loop gives the same to the last bit; a prediction
    does not import it, which would take longer than it saves in the first 10,000 posts.

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
    loop = _loop()
    if loop is not None:
        totals = np.zeros(batch)
        loop(scores, counts, crf.transitions, crf.start, crf.end, paths, totals)
        return paths, totals
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


def _loop() -> Callable[..., None] | None:
    return compiled(best_paths) if "numba" in sys.modules and with_numba() else None


def best_paths(
    scores: Floats, counts: Ints, transitions: Floats, start: Floats, end: Floats, paths: Ints, totals: Floats
) -> None:
    """Fill ``paths`` and ``totals``, zeros before, by the sums and comparisons of ``viterbi``, post by post."""
    batch, words, labels = scores.shape
    best, peak = np.empty((words, labels)), np.empty(labels)
    for post in range(batch):
        last = counts[post] - 1
        if last < 0:
            continue
        for label in range(labels):
            best[0, label] = scores[post, 0, label] + start[label]
        for word in range(1, last + 1):
            peak[:] = -np.inf
            for origin in range(labels):
                for label in range(labels):
                    peak[label] = max(peak[label], best[word - 1, origin] + transitions[origin, label])
            for label in range(labels):
                best[word, label] = scores[post, word, label] + peak[label]
        reached = 0
        totals[post] = best[last, 0] + end[0]
        for label in range(1, labels):
            if best[last, label] + end[label] > totals[post]:
                reached, totals[post] = label, best[last, label] + end[label]
        paths[post, last] = reached
        for word in range(last - 1, -1, -1):
            origin = 0
            for label in range(1, labels):
                if best[word, label] + transitions[label, reached] > best[word, origin] + transitions[origin, reached]:
                    origin = label
            reached = origin
            paths[post, word] = reached
