"""Forward-backward: the probability of every label at every word, and the log-partition (ITA, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mner.decode.chain import Chain, Floats, masked

TINY = -700.0
"""Logarithm that stands for all lower ones: beside a term of 1 it adds nothing in float64, and exp stays fast."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """What forward-backward computes, in float64; zeros past each length.

    Attributes:
        alpha: Log-sum of the scores of all beginnings that end in a label, its own emission included
            (batch, word, label).
        beta: Log-sum of the scores of all continuations, without the emission of the word (batch, word, label).
        log_partition: log Z (batch,); 0 for a post without words.
        marginals: Probability of each label at each word (batch, word, label).
    """

    alpha: Floats
    beta: Floats
    log_partition: Floats
    marginals: Floats


def posteriors(emissions: ArrayLike, lengths: ArrayLike, *, crf: Chain) -> Posterior:
    """Forward and backward sums, log-partition and marginals of a batch.

    The backward pass is the forward pass over reversed posts with transposed transitions, so both run in one
    loop over word positions. Sums are taken in log space and float64: label scores in the thousands stay exact.

    Args:
        emissions: Label scores (batch, word, label); what stands past a length is ignored.
        lengths: Words of each post (batch,).
        crf: Transition, start and end scores.

    Raises:
        ModelError: Shapes that do not fit, or scores that are not finite.

    >>> chain = Chain(np.zeros((2, 2)), np.zeros(2), np.zeros(2))
    >>> posteriors([[[np.log(3.0), 0.0]]], [1], crf=chain).marginals.round(6).tolist()
    [[[0.75, 0.25]]]
    """
    scores, counts, mask = masked(emissions, lengths, crf)
    batch, words, _ = scores.shape
    if not batch * words:
        return Posterior(scores, scores, np.zeros(batch), scores)
    posts = np.arange(batch)
    places = np.arange(words)
    mirror = np.where(mask, counts[:, None] - 1 - places, places)  # (batch, word): its own inverse
    both = np.stack([scores, scores[posts[:, None], mirror]])  # (direction, batch, word, label)
    transitions = np.stack([crf.transitions, crf.transitions.T])[:, None]  # (direction, 1, from, to)
    sums = np.empty_like(both)
    sums[:, :, 0] = both[:, :, 0] + np.stack([crf.start, crf.end])[:, None]
    for word in range(1, words):
        routes = sums[:, :, word - 1, :, None] + transitions  # (direction, batch, from, to)
        peak = routes.max(-2)
        routes -= peak[..., None, :]
        np.maximum(routes, TINY, out=routes)
        np.exp(routes, out=routes)
        sums[:, :, word] = both[:, :, word] + peak + np.log(routes.sum(-2))
    real = mask[..., None]
    alpha = np.where(real, sums[0], 0.0)
    beta = np.where(real, sums[1][posts[:, None], mirror] - scores, 0.0)
    final = alpha[posts, np.maximum(counts - 1, 0)] + crf.end
    peak = final.max(-1)
    log_partition = np.where(counts > 0, peak + np.log(np.exp(final - peak[:, None]).sum(-1)), 0.0)
    marginals = np.where(real, np.exp(alpha + beta - log_partition[:, None, None]), 0.0)
    return Posterior(alpha, beta, log_partition, marginals)
