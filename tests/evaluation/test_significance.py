"""Both tests against other ways to the same numbers: scipy, a hand-computed case, every resample there is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from mner.evaluation import score
from mner.evaluation.significance import bootstrap, differences, interval, t_test
from mner.types import Span


def test_t_test_of_a_hand_computed_case():
    # Means 75 and 73; sums of squares 2 and 2; pooled variance 4 / 4 = 1; t = 2 / sqrt(1 * (1/3 + 1/3)).
    test = t_test([74.0, 75.0, 76.0], [72.0, 73.0, 74.0])
    assert test is not None
    assert test.t == pytest.approx(2 / np.sqrt(2 / 3)) == pytest.approx(2.449489743)
    assert test.df == 4
    assert test.p == pytest.approx(0.070484, abs=1e-6)  # of a table of t with four degrees of freedom


def test_t_test_equals_scipy_in_its_own_words():
    generator = np.random.default_rng(3)
    a, b = generator.normal(75, 0.5, 5).tolist(), generator.normal(74.5, 0.7, 3).tolist()
    test = t_test(a, b)
    expected = stats.ttest_ind(a, b)
    assert test is not None
    assert (test.t, test.p, test.df) == pytest.approx((expected.statistic, expected.pvalue, expected.df))
    t = expected.statistic
    assert test.p == pytest.approx(2 * stats.t.sf(abs(t), 6)), "two-sided"
    assert test.p != pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue), "not Welch's"


@pytest.mark.parametrize(("a", "b"), [([75.0], [74.0, 75.0]), ([75.0, 75.0], [74.0, 74.0])])
def test_t_test_says_nothing_without_spread(a, b):
    assert t_test(a, b) is None


A = [[(1, 1, 2)], [(0, 1, 0)], [(0, 2, 1)]]  # correct, predicted, gold of three posts, one run
B = [[(1, 2, 2), (0, 1, 2)], [(0, 0, 0), (0, 2, 0)], [(0, 0, 1), (1, 1, 1)]]  # two runs


def arrays():
    return np.array(A)[:, :, None, :], np.array(B)[:, :, None, :]


def f1(side, chosen):
    """Mean F1 over the runs of a side on the chosen posts, one after the other."""
    values = []
    for run in range(len(side[0])):
        correct, predicted, gold = (sum(side[post][run][part] for post in chosen) for part in range(3))
        values.append(200 * correct / (predicted + gold) if predicted + gold else 0.0)
    return sum(values) / len(values)


def test_differences_of_every_resample_equal_plain_sums():
    draws = list(itertools.product(range(3), repeat=3))
    weights = np.array([[draw.count(post) for post in range(3)] for draw in draws])
    resampled = differences(*arrays(), weights)[:, 0]
    assert resampled == pytest.approx([f1(A, draw) - f1(B, draw) for draw in draws])


def test_bootstrap_draws_as_every_resample_says():
    exact = np.array([f1(A, draw) - f1(B, draw) for draw in itertools.product(range(3), repeat=3)])
    drawn = bootstrap(*arrays(), resamples=20_000, seed=4)[0]
    assert (drawn.low, drawn.high) == pytest.approx(np.quantile(exact, [0.025, 0.975], method="inverted_cdf"))
    below, above = (exact <= 0).mean(), (exact >= 0).mean()
    assert drawn.p == pytest.approx(min(1, 2 * min(below, above)), abs=0.02)
    assert 0.1 < drawn.p < 0.9, "a case that could come out wrong"


def test_posts_are_drawn_together_for_all_runs():
    # The sides differ by the same on every post, so a resample that is not paired would spread.
    a = np.array([[[(1, 1, 1)]], [[(0, 0, 1)]], [[(1, 1, 1)]], [[(0, 1, 0)]]])
    drawn = bootstrap(a, a, resamples=1000, seed=1)[0]
    assert (drawn.low, drawn.high, drawn.p) == (0.0, 0.0, 1.0)


def test_bootstrap_is_repeatable_and_takes_all_its_resamples():
    a, b = arrays()
    assert bootstrap(a, b, resamples=1300, seed=7) == bootstrap(a, b, resamples=1300, seed=7)
    assert bootstrap(a, b, resamples=1300, seed=7) != bootstrap(a, b, resamples=1300, seed=8)


def test_memory_does_not_grow_with_the_product_of_posts_and_resamples(monkeypatch):
    generator = np.random.default_rng(5)
    a, b = generator.integers(0, 3, (2, 101, 2, 2, 3))
    expected = bootstrap(a, b, resamples=1_000, seed=4)
    drawn = []

    def counted(a, b, weights):
        drawn.append(weights.size)
        return differences(a, b, weights)

    monkeypatch.setattr("mner.evaluation.significance.differences", counted)
    monkeypatch.setattr("mner.evaluation.significance.DRAWN", 7 * 101)
    monkeypatch.setattr("mner.evaluation.significance._REMEMBERED", 0)
    assert bootstrap(a, b, resamples=1_000, seed=4) == expected
    assert max(drawn) == 7 * 101 and sum(drawn) == 1_000 * 101


def test_each_column_has_its_own_interval():
    a, b = arrays()
    both = bootstrap(np.concatenate([a, a], 2), np.concatenate([b, a[:, [0, 0]]], 2), resamples=1000, seed=1)
    assert both[0] == bootstrap(a, b, resamples=1000, seed=1)[0]
    assert (both[1].low, both[1].high) == (0.0, 0.0)


def test_interval_of_a_sure_difference_is_never_quite_sure():
    drawn = interval(np.full(999, 2.5))
    assert (drawn.low, drawn.high) == (2.5, 2.5)
    assert drawn.p == pytest.approx(2 / 1000)


def test_counts_on_all_posts_give_the_score():
    gold, predicted = [[Span(0, 1, "PER")], [Span(0, 1, "LOC")]], [[Span(0, 1, "PER"), Span(1, 2, "PER")], []]
    rows = [[[(len(set(g) & set(p)), len(p), len(g))]] for g, p in zip(gold, predicted, strict=True)]
    nothing = np.zeros_like(np.array(rows))
    difference = differences(np.array(rows), nothing, np.ones((1, 2), dtype=int))
    assert difference[0, 0] == pytest.approx(score(gold, predicted).micro.f1)
