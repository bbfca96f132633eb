"""Thresholds: exact small cases, and the promise kept on simulated posts."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from mner.errors import DataError
from mner.evaluation.calibration import Graded
from mner.evaluation.guarantee import (
    GRID,
    START,
    STARTS,
    Target,
    at_most,
    check_promise,
    least_posts,
    p_value,
    reachable,
    threshold_for,
)

DELTA = 0.1
DRAWS = 200


def posts_of(generator: np.random.Generator, posts: int) -> Graded:
    """Posts of one to many entities whose fates hang together, by a model that is too sure of itself."""
    counts = 1 + generator.poisson(0.8, posts)
    post = np.repeat(np.arange(posts), counts)
    odds = generator.normal(2.0, 1.5, len(post))
    hard = generator.normal(0.0, 1.0, posts)[post]  # what the entities of a post share
    correct = generator.random(len(post)) < 1 / (1 + np.exp(-(odds - 0.3 + hard)))
    return Graded(post, np.array(["PER"] * len(post)), 1 / (1 + np.exp(-odds)), correct, posts)


def gold_of(generator: np.random.Generator, posts: int) -> Graded:
    """Gold entities of posts: the probability of each that can be returned, -1 of one in twenty."""
    predicted = posts_of(generator, posts)
    return predicted.scored(np.where(generator.random(len(predicted)) < 0.05, -1.0, predicted.score))


def mean_at(graded: Graded, target: Target, threshold: float) -> float:
    """Precision or recall of the posts, averaged by hand."""
    returned = graded.score >= threshold
    wanted = returned if target == "precision" else np.ones_like(returned)
    good = graded.correct if target == "precision" else returned
    counts = np.bincount(graded.post[wanted], minlength=graded.posts)
    right = np.bincount(graded.post[wanted & good], minlength=graded.posts)
    return float((right[counts > 0] / counts[counts > 0]).mean()) if counts.any() else 0.0


def naive(graded: Graded, target: Target, least: float) -> float:
    """The threshold that a user would take without a test: the best one whose observed mean suffices."""
    enough = [threshold for threshold in GRID if mean_at(graded, target, threshold) >= least]
    return min(enough) if target == "precision" else max(enough)


@pytest.mark.parametrize(("target", "least"), [("precision", 0.88), ("recall", 0.85)])
def test_promise_is_kept_in_all_but_delta_of_the_draws(target: Target, least: float) -> None:
    make = posts_of if target == "precision" else gold_of
    population = make(np.random.default_rng(0), 100_000)
    true = {threshold: mean_at(population, target, threshold) for threshold in GRID}
    broken = unguarded = promised = 0
    for seed in range(1, DRAWS + 1):
        drawn = make(np.random.default_rng(seed), 800)
        unguarded += true[naive(drawn, target, least)] < least
        threshold = threshold_for(drawn, target, least=least, delta=DELTA)
        if threshold is not None:
            promised += 1
            broken += true[threshold.threshold] < least
    allowed = DRAWS * DELTA + 3 * (DRAWS * DELTA * (1 - DELTA)) ** 0.5
    assert promised > DRAWS * 0.9  # a promise that is never made is easily kept
    assert broken <= allowed
    assert unguarded > allowed  # so that the posts can break it


def test_dependence_within_posts_is_counted() -> None:
    """Sixty posts that list the same right entity ten times show no more than sixty posts with one."""
    few = Graded(np.arange(60), np.array(["PER"] * 60), np.ones(60), np.ones(60, bool), 60)
    many = Graded(np.repeat(np.arange(60), 10), np.array(["PER"] * 600), np.ones(600), np.ones(600, bool), 60)
    assert threshold_for(few, "precision", least=0.97, delta=0.05) is None
    assert threshold_for(many, "precision", least=0.97, delta=0.05) is None


def test_precision_threshold_by_hand() -> None:
    """220 posts: the 110 that score 0.99 are right, the 110 that score 0.3 are wrong."""
    score = np.array([0.99] * 110 + [0.3] * 110)
    graded = Graded(np.arange(220), np.array(["PER"] * 220), score, score > 0.5, 220)
    threshold = threshold_for(graded, "precision", least=0.95, delta=0.05)
    assert threshold is not None
    assert 0.3 < threshold.threshold <= 0.99
    assert (threshold.mean, threshold.pooled, threshold.posts, threshold.entities) == (1.0, 1.0, 110, 110)
    # 0.95 ** 110 is 0.0035, below the first level of 0.05 / STARTS; 0.96 ** 110 is 0.011
    assert threshold_for(graded, "precision", least=0.96, delta=0.05) is None


def test_recall_threshold_by_hand() -> None:
    """100 posts with one gold entity each, of which two can never be returned."""
    score = np.array([-1.0] * 2 + [0.2] * 10 + [0.9] * 88)
    graded = Graded(np.arange(100), np.array(["PER"] * 100), score, score > 0, 100)
    loose, strict = (threshold_for(graded, "recall", least=least, delta=0.05) for least in (0.9, 0.78))
    assert loose is not None
    assert strict is not None
    assert loose.threshold == max(threshold for threshold in GRID if threshold <= 0.2)
    assert loose.mean == pytest.approx(0.98)
    assert strict.threshold == max(threshold for threshold in GRID if threshold <= 0.9)
    assert strict.mean == pytest.approx(0.88)
    assert threshold_for(graded, "recall", least=0.99, delta=0.05) is None
    assert 0.9 <= reachable(graded, "recall", delta=0.05) < 0.98


def test_a_post_without_gold_entities_does_not_count_for_recall() -> None:
    graded = Graded(np.zeros(1, np.int64), np.array(["PER"]), np.ones(1), np.ones(1, bool), 1000)
    assert threshold_for(graded, "recall", least=0.5, delta=0.05) is None


@pytest.mark.parametrize(("losses", "allowed"), [(0, 0.1), (3, 0.1), (9, 0.2)])
def test_p_value_is_never_below_the_exact_one_nor_far_above(losses: int, allowed: float) -> None:
    count = 100
    chances = (comb(count, hits) * allowed**hits * (1 - allowed) ** (count - hits) for hits in range(losses + 1))
    exact = sum(chances)
    assert at_most(losses, count, allowed) == pytest.approx(exact)
    value = p_value(np.array([1.0] * losses + [0.0] * (count - losses)), allowed)
    assert exact - 1e-12 <= value <= np.e * exact + 1e-12


def test_p_value_of_a_mean_above_what_is_allowed_is_one() -> None:
    assert p_value(np.full(50, 0.3), 0.2) == 1.0


def test_least_posts_is_the_smallest_number_that_suffices() -> None:
    for target in ("precision", "recall"):
        fewest = least_posts(target, 0.9, 0.1)
        for count, suffices in ((fewest, True), (fewest - 1, False)):
            graded = Graded(np.arange(count), np.array(["PER"] * count), np.ones(count), np.ones(count, bool), count)
            assert (threshold_for(graded, target, least=0.9, delta=0.1) is not None) is suffices


def test_no_posts_have_no_threshold() -> None:
    empty = Graded(np.zeros(0, np.int64), np.array([], dtype=str), np.zeros(0), np.zeros(0, bool), 0)
    for target in ("precision", "recall"):
        assert threshold_for(empty, target, least=0.5, delta=0.1) is None
        assert reachable(empty, target, delta=0.1) == 0.0


@pytest.mark.parametrize(("least", "delta"), [(0.0, 0.1), (1.0, 0.1), (float("nan"), 0.1), (0.9, 0.0), (0.9, 1.0)])
def test_check_promise_refuses_what_cannot_be_promised(least: float, delta: float) -> None:
    with pytest.raises(DataError, match="between 0 and 1"):
        check_promise(least, delta)


@pytest.mark.parametrize("score", [0.9999, 0.95, 0.6, 0.2])
def test_right_entities_have_a_threshold_whatever_their_score(score: float) -> None:
    graded = Graded(np.arange(200), np.array(["PER"] * 200), np.full(200, score), np.ones(200, bool), 200)
    threshold = threshold_for(graded, "precision", least=0.9, delta=0.1)
    assert threshold is not None
    assert threshold.threshold <= score


def test_grid_is_sorted_and_holds_every_start() -> None:
    assert list(GRID) == sorted(GRID, reverse=True)
    assert GRID[-1] == 0.0
    assert len(GRID) > START * (STARTS - 1)
