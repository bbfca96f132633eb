"""Log-likelihood and posteriors of a linear chain in one pass over each post, with their gradients: loops for numba.

What they compute is said in ``parts.chain``. The recursion is that of ``parts.scan``: probabilities scaled by their
maximum at each word, float64, the same least probability. It differs in that a post's own words are all that is read,
and in that no more is stored than one post needs.

Label scores are (batch, word, label), gold labels (batch, word), lengths (batch,); of functions without ``lengths``,
(word, label) of one post. All arrays are contiguous: for any other layout a loop is compiled once more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mner.decode.compiled import compiled

Floats = NDArray[Any]
Ints = NDArray[np.int64]

FLOOR = float(np.finfo(np.float64).tiny ** 0.4)
SMALL = 1e-290
"""Products of two probabilities below this lose digits: their logarithms are added."""


@compiled
def weights_of(transitions: Floats) -> tuple[float, Floats, Floats]:
    """The highest transition score, the exponentials of all relative to it, and these as [to, from]."""
    peak = transitions.max()
    move = np.maximum(np.exp(transitions - peak), FLOOR)
    return peak, move, np.ascontiguousarray(move.T)


@compiled
def climb(scores: Floats, turned: bool, first: Floats, move: Floats, state: Floats, total: Floats) -> float:
    """Fill ``state`` and ``total`` (word, label) of one post; the log of what its last state was divided by.

    ``state`` is exp(alpha) divided by its maximum over the labels, ``total`` the state of the word before @ move.
    ``turned`` reads the words in reverse order.
    """
    words, labels = scores.shape
    height = 0.0
    for word in range(words):
        local = scores[words - 1 - word if turned else word]
        into, now = total[word], state[word]
        if word == 0:
            into[:] = 1.0
            for label in range(labels):
                now[label] = local[label] + first[label]
        else:
            into[:] = 0.0
            for origin in range(labels):
                for label in range(labels):
                    into[label] += state[word - 1, origin] * move[origin, label]
            for label in range(labels):
                now[label] = local[label]
        best = now[0]
        for label in range(1, labels):
            best = max(best, now[label])
        top = 0.0
        for label in range(labels):
            share = np.exp(now[label] - best)
            now[label] = into[label] * (FLOOR if share < FLOOR else share)  # written so that NaN stays NaN
            top = max(top, now[label])
        for label in range(labels):
            now[label] /= top
        height += best + np.log(top)
    return height


@compiled
def descend(flow: Floats, state: Floats, total: Floats, back: Floats, counts: Floats) -> None:
    """Carry the gradient ``flow`` of the states' logarithms from the last word to the first, in place.

    ``counts`` [from, to] gains the gradient of ``move``, whose transpose is ``back``.
    """
    words, labels = flow.shape
    ratio, arrived = np.empty(labels), np.empty(labels)
    for word in range(words - 1, 0, -1):
        before = state[word - 1]
        arrived[:] = 0.0
        for label in range(labels):
            ratio[label] = flow[word, label] / total[word, label]
            for origin in range(labels):
                arrived[origin] += ratio[label] * back[label, origin]
        for origin in range(labels):
            flow[word - 1, origin] += before[origin] * arrived[origin]
            for label in range(labels):
                counts[origin, label] += before[origin] * ratio[label]


@compiled
def likelihood(
    scores: Floats,
    gold: Ints,
    lengths: Ints,
    transitions: Floats,
    start: Floats,
    end: Floats,
    gradients: bool,
    losses: Floats,
    slopes: Floats,
    moves: Floats,
    edges: Floats,
) -> None:
    """Fill the loss of each post and, where ``gradients``, its own gradient of each part; ``edges`` is start, end."""
    batch, longest, labels = scores.shape
    peak, move, back = weights_of(transitions)
    state, total, flow = np.empty((longest, labels)), np.empty((longest, labels)), np.zeros((longest, labels))
    final = np.empty(labels)
    for post in range(batch):
        words = lengths[post]
        if words == 0:
            continue
        if not 0 < words <= longest:
            raise IndexError("a length is not a number of words")
        path = 0.0
        for word in range(words):
            label = gold[post, word]
            if not 0 <= label < labels:
                raise IndexError("a gold label is not the number of a label")
            path += float(scores[post, word, label])
            path += start[label] if word == 0 else transitions[gold[post, word - 1], label]
        last = gold[post, words - 1]
        path += end[last]
        height = climb(scores[post, :words], False, start, move, state[:words], total[:words]) + (words - 1) * peak
        best = -np.inf
        for label in range(labels):
            final[label] = np.log(state[words - 1, label]) + end[label]
            best = max(best, final[label])
        whole = 0.0
        for label in range(labels):
            final[label] = np.exp(final[label] - best)
            whole += final[label]
        losses[post] = height + best + np.log(whole) - path
        if not gradients:
            continue
        flow[: words - 1] = 0.0
        for label in range(labels):
            flow[words - 1, label] = final[label] / whole
            edges[1, post, label] = flow[words - 1, label]
        edges[1, post, last] -= 1.0
        descend(flow[:words], state[:words], total[:words], back, moves[post])
        for label in range(labels):
            edges[0, post, label] = flow[0, label]
            for origin in range(labels):
                moves[post, origin, label] *= move[origin, label]
        edges[0, post, gold[post, 0]] -= 1.0
        for word in range(words):
            for label in range(labels):
                slopes[post, word, label] = flow[word, label]
            slopes[post, word, gold[post, word]] -= 1.0
            if word:
                moves[post, gold[post, word - 1], gold[post, word]] -= 1.0


@compiled
def both_ways(
    scores: Floats,
    start: Floats,
    end: Floats,
    move: Floats,
    back: Floats,
    state: Floats,
    total: Floats,
    logs: Floats,
) -> None:
    """Climb one post from both ends: states and totals (way, word, label) and log-posteriors (word, label).

    The second way's words are in reverse order. A label's probability is that of its beginnings, its own emission
    among them, times that of its continuations, which is the total of the second way.
    """
    words, labels = scores.shape
    climb(scores, False, start, move, state[0, :words], total[0, :words])
    climb(scores, True, end, back, state[1, :words], total[1, :words])
    last = end.max()
    for label in range(labels):
        total[1, 0, label] = max(np.exp(end[label] - last), FLOOR)
    for word in range(words):
        whole = 0.0
        for label in range(labels):
            whole += state[0, word, label] * total[1, words - 1 - word, label]
        height = np.log(whole)
        for label in range(labels):
            before, after = state[0, word, label], total[1, words - 1 - word, label]
            chance = before * after
            logs[word, label] = (np.log(before) + np.log(after) if chance < SMALL else np.log(chance)) - height


@compiled
def log_posteriors(
    scores: Floats, lengths: Ints, transitions: Floats, start: Floats, end: Floats, logs: Floats
) -> None:
    """Fill the log-posteriors (batch, word, label)."""
    batch, longest, labels = scores.shape
    _, move, back = weights_of(transitions)
    state, total = np.empty((2, longest, labels)), np.empty((2, longest, labels))
    for post in range(batch):
        words = lengths[post]
        if not 0 <= words <= longest:
            raise IndexError("a length is not a number of words")
        if words:
            both_ways(scores[post, :words], start, end, move, back, state, total, logs[post, :words])


@compiled
def log_posteriors_back(
    scores: Floats,
    lengths: Ints,
    transitions: Floats,
    start: Floats,
    end: Floats,
    grads: Floats,
    slopes: Floats,
    moves: Floats,
    first: Floats,
    final: Floats,
) -> None:
    """Fill the gradients of emissions (batch, word, label), transitions, start and end from those of log-posteriors."""
    batch, longest, labels = scores.shape
    _, move, back = weights_of(transitions)
    state, total, flow = np.empty((2, longest, labels)), np.empty((2, longest, labels)), np.empty((2, longest, labels))
    logs = np.empty((longest, labels))
    forth, reverse = np.zeros((labels, labels)), np.zeros((labels, labels))
    for post in range(batch):
        words = lengths[post]
        if words == 0:
            continue
        both_ways(scores[post, :words], start, end, move, back, state, total, logs[:words])
        for word in range(words):
            whole = 0.0
            for label in range(labels):
                whole += float(grads[post, word, label])
            for label in range(labels):
                slope = grads[post, word, label] - np.exp(logs[word, label]) * whole
                flow[0, word, label] = slope
                flow[1, words - 1 - word, label] = slope
                logs[word, label] = slope
        descend(flow[0, :words], state[0, :words], total[0, :words], back, forth)
        descend(flow[1, :words], state[1, :words], total[1, :words], move, reverse)
        for label in range(labels):
            first[label] += flow[0, 0, label]
            final[label] += flow[1, 0, label]
        for word in range(words):
            for label in range(labels):
                # The second way's slope arrives at a total, which lacks the emission.
                slopes[post, word, label] = flow[0, word, label] + flow[1, words - 1 - word, label] - logs[word, label]
    for origin in range(labels):
        for label in range(labels):
            moves[origin, label] = move[origin, label] * (forth[origin, label] + reverse[label, origin])
