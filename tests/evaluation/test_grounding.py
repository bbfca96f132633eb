"""Scores of grounded entities beside figures worked out by hand: each case shows its arithmetic."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from mner.errors import DataError
from mner.evaluation import PRF, score, score_grounded
from mner.evaluation.grounding import overlaps
from mner.types import Span

KEVIN, CITY = Span(0, 2, "PER"), Span(5, 6, "LOC")
BOX = (0, 0, 100, 100)


def _counts(prf):
    return prf.correct, prf.predicted, prf.gold


def _tasks(gold, predicted, **options):
    """(correct, predicted, gold) of GMNER, MNER and EEG of one post."""
    scores = score_grounded([gold], [predicted], **options)
    return [_counts(prf) for prf in (scores.gmner, scores.mner, scores.eeg)]


def test_score_grounded_takes_the_same_box():
    # intersection 100 * 100, union the same: IoU = 1
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [BOX])]) == [(1, 1, 1), (1, 1, 1), (1, 1, 1)]


def test_score_grounded_takes_an_overlap_of_exactly_half():
    # intersection 50 * 100 = 5000; union 10000 + 5000 - 5000 = 10000; IoU = 0.5
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [(0, 0, 50, 100)])])[0] == (1, 1, 1)


def test_score_grounded_refuses_an_overlap_just_under_half():
    # intersection 49 * 100 = 4900; union 10000; IoU = 0.49
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [(0, 0, 49, 100)])]) == [(0, 1, 1), (1, 1, 1), (0, 1, 1)]


def test_score_grounded_divides_by_the_union():
    # The prediction covers all of the gold box: intersection 10000; union 150 * 150 = 22500; IoU = 0.44
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [(0, 0, 150, 150)])])[0] == (0, 1, 1)
    # Both shifted by a third of the width: intersection 66 * 99 = 6534, union 2 * 9801 - 6534 = 13068; IoU = 0.5
    assert _tasks([(KEVIN, [(0, 0, 99, 99)])], [(KEVIN, [(33, 0, 132, 99)])])[0] == (1, 1, 1)


def test_score_grounded_takes_no_pixel_as_inclusive():
    # With inclusive pixels the sides would be one longer: 51 * 101 / (101 * 101) = 0.505. Without: 50 * 100 / 10100
    assert _tasks([(KEVIN, [(0, 0, 101, 100)])], [(KEVIN, [(0, 0, 50, 100)])])[0] == (0, 1, 1)


def test_score_grounded_takes_no_box_where_the_picture_shows_nothing():
    assert _tasks([(CITY, [])], [(CITY, [])]) == [(1, 1, 1), (1, 1, 1), (1, 1, 1)]


def test_score_grounded_refuses_a_box_where_the_picture_shows_nothing():
    assert _tasks([(CITY, [])], [(CITY, [BOX])]) == [(0, 1, 1), (1, 1, 1), (0, 1, 1)]


def test_score_grounded_refuses_no_box_where_the_picture_shows_it():
    assert _tasks([(CITY, [BOX])], [(CITY, [])]) == [(0, 1, 1), (1, 1, 1), (0, 1, 1)]


def test_score_grounded_takes_any_of_several_gold_boxes_once():
    # The second gold box is matched with IoU 1; the other two are not missed: the entity is one of one
    gold = [(KEVIN, [(0, 0, 10, 10), BOX, (200, 0, 300, 100)])]
    assert _tasks(gold, [(KEVIN, [BOX])]) == [(1, 1, 1), (1, 1, 1), (1, 1, 1)]


def test_score_grounded_takes_the_boxes_of_a_gold_entity_that_is_there_twice():
    # the second box is the predicted one: IoU = 1
    gold = [(KEVIN, [(500, 500, 600, 600)]), (KEVIN, [BOX])]
    assert _tasks(gold, [(KEVIN, [BOX])]) == [(1, 1, 1), (1, 1, 1), (1, 1, 1)]


def test_score_grounded_joins_no_gold_boxes():
    # Two halves side by side: IoU with each is 0.4; with both together it would be 0.8
    halves = [(0, 0, 40, 100), (40, 0, 80, 100)]
    assert _tasks([(KEVIN, halves)], [(KEVIN, [BOX])])[0] == (0, 1, 1)


def test_score_grounded_scores_the_first_of_several_predicted_boxes():
    other = (200, 200, 300, 300)
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [BOX, other])])[0] == (1, 1, 1)
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [other, BOX])])[0] == (0, 1, 1)


def test_score_grounded_counts_a_wrong_type_in_eeg_alone():
    wrong = Span(0, 2, "ORG")
    assert _tasks([(KEVIN, [BOX])], [(wrong, [BOX])]) == [(0, 1, 1), (0, 1, 1), (1, 1, 1)]


def test_score_grounded_counts_a_wrong_region_in_mner_alone():
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [(500, 0, 600, 100)])]) == [(0, 1, 1), (1, 1, 1), (0, 1, 1)]


def test_score_grounded_counts_other_words_in_nothing():
    # The right box and type do not help an entity with one word too many
    assert _tasks([(KEVIN, [BOX])], [(Span(0, 3, "PER"), [BOX])]) == [(0, 1, 1)] * 3


def test_score_grounded_counts_missed_and_made_up_entities():
    # One of two gold entities found, one of two predictions made up: P = R = F1 = 50
    gold, predicted = [(KEVIN, [BOX]), (CITY, [])], [(KEVIN, [BOX]), (Span(8, 9, "ORG"), [])]
    assert _tasks(gold, predicted) == [(1, 2, 2)] * 3
    assert score_grounded([gold], [predicted]).gmner == PRF(50.0, 50.0, 50.0, 1, 2, 2)


def test_score_grounded_of_nothing_is_zero():
    scores = score_grounded([[], []], [[], []])
    assert scores.gmner == scores.mner == scores.eeg == scores.boxed == scores.unboxed == PRF(0.0, 0.0, 0.0, 0, 0, 0)
    assert _tasks([], [(KEVIN, [BOX])]) == [(0, 1, 0)] * 3
    assert _tasks([(KEVIN, [BOX])], []) == [(0, 0, 1)] * 3


def test_score_grounded_counts_a_repeated_entity_once():
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [BOX]), (KEVIN, [BOX])]) == [(1, 1, 1)] * 3


def test_score_grounded_finds_a_gold_entity_once():
    # The same words and type with two boxes that both overlap enough: two predictions in GMNER and EEG, one is right
    twice = [(KEVIN, [BOX]), (KEVIN, [(0, 0, 90, 100)])]
    assert _tasks([(KEVIN, [BOX])], twice) == [(1, 2, 1), (1, 1, 1), (1, 2, 1)]
    # Two types for the same words and box: one region in EEG
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [BOX]), (Span(0, 2, "ORG"), [BOX])]) == [(1, 2, 1), (1, 2, 1), (1, 1, 1)]


def test_score_grounded_keeps_mentions_of_the_same_name_apart():
    # A name that occurs twice is two entities, each with the boxes of the name; one mention was found
    again = Span(7, 9, "PER")
    assert _tasks([(KEVIN, [BOX]), (again, [BOX])], [(again, [BOX])]) == [(1, 1, 2)] * 3


def test_score_grounded_matches_nothing_with_a_box_without_area():
    assert _tasks([(KEVIN, [(0, 0, 0, 0)])], [(KEVIN, [(0, 0, 0, 0)])])[0] == (0, 1, 1)
    assert _tasks([(KEVIN, [(0, 0, 0, 0)])], [(KEVIN, [])])[0] == (0, 1, 1)
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [(100, 100, 0, 0)])])[0] == (0, 1, 1)


def test_score_grounded_keeps_posts_apart():
    # The entity and box of the second post are predicted for the first
    assert _counts(score_grounded([[], [(KEVIN, [BOX])]], [[(KEVIN, [BOX])], []]).gmner) == (0, 1, 1)


def test_score_grounded_takes_another_threshold():
    # IoU = 0.6
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [(0, 0, 60, 100)])], iou=0.6)[0] == (1, 1, 1)
    assert _tasks([(KEVIN, [BOX])], [(KEVIN, [(0, 0, 60, 100)])], iou=0.7)[0] == (0, 1, 1)
    with pytest.raises(ValueError, match="above 0 and at most 1, found 0"):
        score_grounded([], [], iou=0)


def test_score_grounded_adds_up_a_whole_set():
    gold = [
        [(KEVIN, [BOX]), (CITY, [])],  # both right
        [(Span(0, 1, "ORG"), [BOX]), (Span(3, 4, "LOC"), [])],  # no box for the first; a box for the second
        [(Span(2, 3, "PER"), [BOX])],  # as LOC, with its box
        [(Span(1, 2, "MISC"), [])],  # missed
    ]
    predicted = [
        [(KEVIN, [(0, 0, 100, 80)]), (CITY, [])],
        [(Span(0, 1, "ORG"), []), (Span(3, 4, "LOC"), [BOX])],
        [(Span(2, 3, "LOC"), [BOX])],
        [],
    ]
    scores = score_grounded(gold, predicted)
    # GMNER: 2 right of 5 predicted and 6 gold: P = 2/5, R = 2/6, F1 = 2 * 2 / (5 + 6)
    assert scores.gmner == PRF(40.0, pytest.approx(100 / 3), pytest.approx(400 / 11), 2, 5, 6)
    # MNER: the four of the first two posts are right: F1 = 8 / 11
    assert _counts(scores.mner) == (4, 5, 6)
    # EEG: both of the first post and the one of the third: F1 = 6 / 11
    assert scores.eeg == PRF(60.0, 50.0, pytest.approx(600 / 11), 3, 5, 6)
    # With a box: gold KEVIN, ORG, PER, predicted KEVIN, LOC, LOC, right 1. Without: gold 3, predicted 2, right 1
    assert (_counts(scores.boxed), _counts(scores.unboxed)) == ((1, 3, 3), (1, 2, 3))
    # By label: LOC is CITY (right), the one with a false box, and the third post's PER
    assert {label: _counts(prf) for label, prf in scores.labels.items()} == {
        "LOC": (1, 3, 2),
        "MISC": (0, 0, 1),
        "ORG": (0, 1, 1),
        "PER": (1, 1, 2),
    }
    assert json.loads(json.dumps(scores.to_dict()))["eeg"]["correct"] == 3
    assert scores.matches()["gmner"] == "exact+iou0.5"


def test_score_grounded_refuses_what_it_cannot_count():
    with pytest.raises(DataError, match="2 posts were predicted and 1 have gold"):
        score_grounded([[]], [[], []])
    with pytest.raises(DataError, match="post 0: two gold entities over words 0 to 2"):
        score_grounded([[(KEVIN, []), (Span(0, 2, "ORG"), [])]], [[]])


def test_score_grounded_agrees_with_a_plain_count_on_random_posts():
    dice = random.Random(7)

    def box():
        left, top = dice.randrange(4), dice.randrange(4)
        return (left, top, left + dice.randrange(1, 4), top + dice.randrange(1, 4))

    def entities():
        return [
            (Span(at, at + 1, dice.choice("AB")), [box() for _ in range(dice.choice((0, 1, 1, 3)))])
            for at in range(6)
            if dice.random() < 0.7
        ]

    def cells(sides):
        return {(x, y) for x in range(sides[0], sides[2]) for y in range(sides[1], sides[3])}

    def located(guess, gold):
        if not guess or not gold:
            return not guess and not gold
        return any(2 * len(cells(guess[0]) & cells(each)) >= len(cells(guess[0]) | cells(each)) for each in gold)

    gold, predicted = [entities() for _ in range(200)], [entities() for _ in range(200)]
    pairs = [
        (span == other, located(boxes, others))
        for truth, guesses in zip(gold, predicted, strict=True)
        for span, boxes in guesses
        for other, others in truth
        if span.start == other.start
    ]
    scores = score_grounded(gold, predicted)
    assert scores.gmner.correct == sum(same and right for same, right in pairs) > 20
    assert scores.eeg.correct == sum(right for _, right in pairs)
    assert (
        scores.mner
        == score([[s for s, _ in post] for post in gold], [[s for s, _ in post] for post in predicted]).micro
    )
    assert scores.boxed.correct + scores.unboxed.correct == scores.gmner.correct
    assert sum(prf.correct for prf in scores.labels.values()) == scores.gmner.correct


def test_overlaps_are_areas():
    shared, united = overlaps(np.array([[0, 0, 4, 4], [0, 0, 1, 1]]), np.array([[2, 2, 6, 6], [5, 5, 6, 6]]))
    assert (shared.tolist(), united.tolist()) == ([4, 0], [28, 2])
