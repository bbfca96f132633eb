"""Graded entities -> the threshold on their probability that keeps a promise of precision or of recall.

Learn then Test (Angelopoulos, Bates, Candès, Jordan and Lei 2021, arXiv 2110.01052): each threshold of a grid that no
data chose is a hypothesis, "the loss here is above what is allowed". It is tested by a p-value that holds for any
number of posts; of the thresholds whose hypothesis is rejected, any may be taken.

The unit is the post, since posts are exchangeable and the entities of one post are not. A post's loss is the share of
its returned entities that is wrong (precision; over posts that return one) or the share of its gold entities that is
not returned (recall; over posts that hold one). So what is promised is a mean over posts. For the precision of all
entities pooled no finite sample can speak unless the size of posts is bounded: one post in a thousand might list
hundreds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mner.errors import DataError
from mner.evaluation.calibration import Graded

Target = Literal["precision", "recall"]

STEP = 0.1
STRICTEST, LOOSEST = 8.0, -7.0
"""Of the grid in log-odds: from 0.999665 to 0.0009."""

GRID: tuple[float, ...] = (
    *(round(1 / (1 + math.exp(-STEP * step)), 6) for step in range(round(STRICTEST / STEP), round(LOOSEST / STEP), -1)),
    0.0,
)
"""The thresholds that are tested, strictest first; 0 keeps everything."""

START = 10
"""Every so many thresholds the sequence of tests for precision may start again."""

STARTS = 11
"""How often: the strictest thresholds keep too few posts for any test, and which ones do is not known beforehand."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold and what it rests on.

    Attributes:
        threshold: Least probability of an entity that is returned.
        mean: Observed precision or recall, mean over posts, 0 to 1.
        pooled: The same over all entities pooled, for which nothing is promised.
        posts: The posts that the mean is over.
        entities: Returned entities (precision), or gold ones (recall).
    """

    threshold: float
    mean: float
    pooled: float
    posts: int
    entities: int


def least_posts(target: Target, least: float, delta: float) -> int:
    """The fewest posts with an entity that can show it, if none of them has a fault.

    >>> least_posts("recall", 0.95, 0.05), least_posts("precision", 0.95, 0.05)
    (59, 106)
    """
    return math.ceil(math.log(_level(target, delta)) / math.log(least))


def threshold_for(graded: Graded, target: Target, *, least: float, delta: float) -> Threshold | None:
    """The loosest threshold for a precision, or the strictest for a recall; None where no threshold can be shown to do.

    With probability 1 - ``delta`` over the draw of these posts, the mean over further posts of the same kind is at
    least ``least``.

    For precision the grid is tested from the strictest threshold to the loosest by the fallback procedure (Wiens 2003):
    ``delta`` is split among the ``STARTS``, and a threshold hands its level on to the next when its test succeeds. For
    recall it is tested from the loosest on, at the whole of ``delta``, to the first failure: every post counts at every
    threshold there, so that one start is enough.

    Args:
        graded: For precision the predicted entities. For recall the gold ones, with the probability of each that can be
            returned as score, and -1 of each that cannot.
        target: What is promised.
        least: The promised mean, between 0 and 1.
        delta: The probability that the promise fails.
    """
    losses = _wrong if target == "precision" else _missed
    if target == "precision":
        best = _fallback(lambda threshold: p_value(losses(graded, threshold), 1 - least), delta)
    else:
        best = None
        for threshold in reversed(GRID):
            if p_value(losses(graded, threshold), 1 - least) > delta:
                break
            best = threshold
    if best is None:
        return None
    returned = graded.score >= best
    entities = int(returned.sum()) if target == "precision" else len(graded)
    good = int((graded.correct & returned).sum()) if target == "precision" else int(returned.sum())
    loss = losses(graded, best)
    return Threshold(best, float(1 - loss.mean()), good / entities, len(loss), entities)


def reachable(graded: Graded, target: Target, *, delta: float) -> float:
    """The highest mean, in steps of 0.01, for which there is a threshold; 0 where there is none.

    >>> one_each = Graded(np.arange(100), np.array(["PER"] * 100), np.ones(100), np.ones(100, bool), 100)
    >>> reachable(one_each, "recall", delta=0.05)
    0.97
    """
    low, high = 0, 100  # a lower promise is never harder to keep
    while high - low > 1:
        percent = (low + high) // 2
        if threshold_for(graded, target, least=percent / 100, delta=delta) is None:
            high = percent
        else:
            low = percent
    return low / 100


def p_value(losses: NDArray[np.float64], allowed: float) -> float:
    """How probable losses as low as these are at most where their mean is above ``allowed``; 1 without losses.

    The better of the bounds of Hoeffding and Bentkus on the mean of independent values between 0 and 1 (Bates,
    Angelopoulos, Lei, Malik and Jordan 2021, arXiv 2101.02703).

    >>> round(p_value(np.zeros(59), 0.05), 4), p_value(np.zeros(0), 0.05)
    (0.0485, 1.0)
    """
    count = len(losses)
    if not count:
        return 1.0
    mean = float(losses.mean())
    if mean >= allowed:
        return 1.0
    hoeffding = math.exp(-count * _divergence(mean, allowed))
    # The sum of losses is rounded up, but not by what floating point adds to a whole number.
    bentkus = math.e * at_most(math.ceil(float(losses.sum()) - 1e-9), count, allowed)
    return min(1.0, hoeffding, bentkus)


def at_most(successes: int, trials: int, chance: float) -> float:
    """The probability of no more than so many successes: the lower tail of the binomial distribution.

    >>> round(at_most(1, 3, 0.5), 6)
    0.5
    """
    drawn = np.arange(1, successes + 1)
    ways = np.concatenate(([0.0], np.cumsum(np.log(trials - drawn + 1) - np.log(drawn))))
    counts = np.arange(successes + 1)
    terms = ways + counts * math.log(chance) + (trials - counts) * math.log1p(-chance)
    return min(1.0, float(np.exp(terms).sum()))


def check_promise(least: float, delta: float) -> None:
    """Nothing, if these can be promised.

    Raises:
        DataError: One does not lie between 0 and 1.
    """
    for name, value in (("target", least), ("delta", delta)):
        if not 0 < value < 1:
            raise DataError(f"{name}: expected a number between 0 and 1, both excluded, found {value!r}")


def _level(target: Target, delta: float) -> float:
    """The level of a sequence's first test."""
    return delta / STARTS if target == "precision" else delta


def _fallback(p: Callable[[float], float], delta: float) -> float | None:
    """The last threshold of the grid whose test succeeds under the fallback procedure; None where none does."""
    best, handed_on = None, 0.0
    for place, threshold in enumerate(GRID):
        starts = place % START == 0 and place // START < STARTS
        level = handed_on + (delta / STARTS if starts else 0.0)
        succeeds = level > 0 and p(threshold) <= level
        handed_on = level if succeeds else 0.0
        best = threshold if succeeds else best
    return best


def _wrong(graded: Graded, threshold: float) -> NDArray[np.float64]:
    """Of each post that returns an entity, the share of those that are wrong."""
    returned = graded.score >= threshold
    return _shares(graded.post[returned], ~graded.correct[returned], graded.posts)


def _missed(graded: Graded, threshold: float) -> NDArray[np.float64]:
    """Of each post that holds a gold entity, the share of those that are not returned."""
    return _shares(graded.post, graded.score < threshold, graded.posts)


def _shares(post: NDArray[np.int64], bad: NDArray[np.bool_], posts: int) -> NDArray[np.float64]:
    counts = np.bincount(post, minlength=posts)
    shares: NDArray[np.float64] = np.bincount(post[bad], minlength=posts)[counts > 0] / counts[counts > 0]
    return shares


def _divergence(mean: float, allowed: float) -> float:
    """Kullback-Leibler divergence of two coins."""
    rest = (1 - mean) * math.log((1 - mean) / (1 - allowed))
    return rest if mean <= 0 else rest + mean * math.log(mean / allowed)
