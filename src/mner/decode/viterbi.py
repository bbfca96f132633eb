"""The best label sequence of each post."""

from __future__ import annotations

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
    arrivals = np.ascontiguousarray(crf.transitions.T)  # (to, from): the maximum runs over contiguous memory
    best = np.empty_like(scores)
    origin = np.zeros(scores.shape, dtype=np.int64)
    best[:, 0] = scores[:, 0] + crf.start
    for word in range(1, words):
        routes = best[:, word - 1, None, :] + arrivals  # (batch, to, from)
        origin[:, word] = routes.argmax(-1)
        best[:, word] = routes.max(-1) + scores[:, word]
    last = np.maximum(counts - 1, 0)
    final = best[posts, last] + crf.end
    label = final.argmax(-1)
    totals = np.where(counts > 0, final[posts, label], 0.0)
    for word in range(words - 1, -1, -1):
        paths[:, word] = label
        # Past a post's end the label waits: its last word's label is the one chosen above.
        label = np.where(word <= last, origin[posts, word, label], label)
    return np.where(mask, paths, 0), totals
