"""Calibration against hand-computed values."""

from __future__ import annotations

import numpy as np
import pytest

from mner.decode import ScoredSpan
from mner.errors import DataError
from mner.evaluation.calibration import BINS, Graded, by_label, calibration, grade, table
from mner.types import Span


def graded(scores: list[float], correct: list[bool]) -> Graded:
    places = np.arange(len(scores))
    return Graded(places, np.array(["PER"] * len(scores)), np.array(scores), np.array(correct), len(scores))


def test_grade_compares_words_and_label() -> None:
    gold = [[Span(0, 2, "PER")], [], [Span(1, 2, "LOC")]]
    predicted = [[ScoredSpan(0, 2, "PER", 0.9)], [ScoredSpan(0, 1, "ORG", 0.4)], [ScoredSpan(1, 2, "ORG", 0.6)]]
    entities = grade(gold, predicted)
    assert entities.correct.tolist() == [True, False, False]
    assert entities.post.tolist() == [0, 1, 2]
    assert entities.label.tolist() == ["PER", "ORG", "ORG"]
    assert entities.posts == 3


def test_grade_refuses_unequal_numbers_of_posts() -> None:
    with pytest.raises(DataError, match="1 posts were predicted and 2 have gold"):
        grade([[], []], [[]])


def test_within_numbers_the_chosen_posts_again() -> None:
    entities = graded([0.1, 0.2, 0.3], [True, False, True]).within(np.array([False, True, True]))
    assert (entities.post.tolist(), entities.score.tolist(), entities.posts) == ([0, 1], [0.2, 0.3], 2)


def test_calibration_of_two_bins_by_hand() -> None:
    low, high = [0.2] * 5 + [0.4] * 5, [0.7] * 5 + [0.9] * 5
    result = calibration(graded(high + low, [True] * 10 + [True] * 5 + [False] * 5))
    assert result is not None
    assert [(round(each.score, 6), each.correct, each.entities) for each in result.bins] == [
        (0.3, 0.5, 10),
        (0.8, 1.0, 10),
    ]
    assert result.ece == pytest.approx(20.0)  # both bins are off by 0.2
    assert result.brier == pytest.approx((5 * 0.8**2 + 5 * 0.4**2 + 5 * 0.3**2 + 5 * 0.1**2) / 20)
    assert (result.score, result.correct, result.entities) == (pytest.approx(0.55), 0.75, 20)


def test_calibration_of_true_probabilities_is_small_and_of_inflated_ones_is_not() -> None:
    generator = np.random.default_rng(1)
    chance = generator.uniform(0.3, 0.9, 20_000)
    correct = (generator.random(20_000) < chance).tolist()
    true, inflated = (
        calibration(graded(chance.tolist(), correct)),
        calibration(graded((chance + 0.1).tolist(), correct)),
    )
    assert true is not None
    assert inflated is not None
    assert len(true.bins) == BINS
    assert true.ece < 1.5
    assert inflated.ece == pytest.approx(10, abs=1.5)


def test_equal_scores_share_a_bin() -> None:
    result = calibration(graded([0.5] * 35 + [0.9] * 5, [True] * 40))
    assert result is not None
    assert [each.entities for each in result.bins] == [35, 5]


@pytest.mark.parametrize("count", [1, 9, 19])
def test_few_entities_make_one_bin(count: int) -> None:
    result = calibration(graded(np.linspace(0.1, 0.9, count).tolist(), [True] * count))
    assert result is not None
    assert [each.entities for each in result.bins] == [count]


def test_no_entities_have_no_calibration() -> None:
    assert calibration(graded([], [])) is None
    assert table(graded([], [])) == {}


def test_labels_are_calibrated_apart() -> None:
    entities = grade([[Span(0, 1, "PER")]], [[ScoredSpan(0, 1, "PER", 0.75), ScoredSpan(2, 3, "LOC", 0.25)]])
    assert {label: result.ece for label, result in by_label(entities).items()} == {"LOC": 25.0, "PER": 25.0}
    written = table(entities)
    assert written["micro"]["entities"] == 2
    assert written["labels"]["PER"]["bins"] == [{"score": 0.75, "correct": 1.0, "entities": 1}]
