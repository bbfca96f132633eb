"""Two sets of runs -> how sure their difference is: Student's t-test over seeds, paired bootstrap over posts."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

CHUNK = 500
"""Resamples drawn at once, at most; bounds memory, no effect on the result."""

DRAWN = 2_000_000
"""Posts drawn at once, those of all resamples together, unless one resample has more; likewise."""

_REMEMBERED = 8_000_000
"""Resamples times posts whose draws are remembered for the next comparison: 32 MB."""

_EXACT = 2**24
"""Whole numbers below it are exact in float32."""


@dataclass(frozen=True, slots=True)
class TTest:
    """Student's t-test: the statistic, its degrees of freedom, the two-sided p."""

    t: float
    df: int
    p: float


@dataclass(frozen=True, slots=True)
class Interval:
    """The bootstrap's 95 % percentile interval of a difference in F1 points, and the two-sided p."""

    low: float
    high: float
    p: float


def t_test(a: Sequence[float], b: Sequence[float]) -> TTest | None:
    """Student's two-sample t-test of equal means, two-sided, unpaired, equal variances assumed.

    None where it says nothing: a side has fewer than two runs, or no run differs from the others of its side.

    >>> round(t_test([1.0, 2.0, 3.0], [2.0, 4.0, 6.0]).t, 4)
    -1.5492
    """
    if min(len(a), len(b)) < 2:
        return None
    summary = [value for side in (a, b) for value in (statistics.fmean(side), statistics.stdev(side), len(side))]
    if summary[1] == summary[4] == 0:
        return None
    from scipy.stats import ttest_ind_from_stats

    test = ttest_ind_from_stats(*summary, equal_var=True)  # ttest_ind warns where a side has no spread
    return TTest(float(test.statistic), len(a) + len(b) - 2, float(test.pvalue))


def bootstrap(a: np.ndarray, b: np.ndarray, *, resamples: int, seed: int) -> list[Interval]:
    """The interval of mean F1 of ``a`` minus mean F1 of ``b`` for each column, posts drawn with replacement.

    Every resample takes the same posts for all runs of both sides; the runs themselves are not resampled. The p is
    twice the smaller share of resamples on one side of 0, those at 0 counted on both, one added to each count.

    Args:
        a: (post, run, column, 3) entities correct, predicted and gold of each post; a column is a label, or all.
        b: The same of the other side, posts in the same order; its number of runs may differ.
        resamples: Number of resamples.
        seed: Of the generator.

    >>> one = np.array([[[[1, 1, 1]]], [[[0, 0, 1]]]])
    >>> bootstrap(one, one, resamples=100, seed=1)
    [Interval(low=0.0, high=0.0, p=1.0)]
    """
    few = resamples * len(a) <= _REMEMBERED
    drawn = [differences(a, b, weights) for weights in (_remembered if few else _weights)(len(a), resamples, seed)]
    return [interval(column) for column in np.concatenate(drawn).T]


def _weights(posts: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each post is drawn, (resample, post), at most ``CHUNK`` resamples at a time."""
    generator = np.random.default_rng(seed)
    at_once = max(1, min(CHUNK, DRAWN // posts))
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        chosen = generator.integers(0, posts, (size, posts)) + posts * np.arange(size)[:, None]
        weights = np.bincount(chosen.ravel(), minlength=size * posts).reshape(size, posts)
        yield weights.astype(np.float32)


@lru_cache(maxsize=2)  # of a dev and a test split, which a report compares by turns
def _remembered(posts: int, resamples: int, seed: int) -> tuple[np.ndarray, ...]:
    return tuple(_weights(posts, resamples, seed))


def differences(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean F1 of ``a`` minus that of ``b`` in points, (resample, column), under ``weights`` (resample, post).

    A weight says how often a post was drawn. Counts are whole numbers, so their sums are exact on every machine.
    """
    gained: np.ndarray = _mean_f1(a, weights) - _mean_f1(b, weights)
    return gained


def interval(drawn: np.ndarray) -> Interval:
    """The percentile interval and p of resampled differences (resample,)."""
    low, high = np.quantile(drawn, [0.025, 0.975])
    tail = min((drawn <= 0).sum(), (drawn >= 0).sum())
    return Interval(float(low), float(high), min(1.0, float(2 * (tail + 1) / (len(drawn) + 1))))


def _mean_f1(side: np.ndarray, weights: np.ndarray) -> np.ndarray:
    flat = side.reshape(len(side), -1)
    most = flat.sum(axis=0).max(initial=0) * weights.max(initial=0)
    number = np.float32 if most < _EXACT else np.float64
    sums = (weights.astype(number, copy=False) @ flat.astype(number)).astype(np.float64)
    sums = sums.reshape(len(weights), *side.shape[1:])  # (resample, run, column, 3)
    correct, around = sums[..., 0], sums[..., 1] + sums[..., 2]
    f1 = 200 * correct / np.where(around > 0, around, 1)
    return np.asarray(f1.mean(axis=1))
