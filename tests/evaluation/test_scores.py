from __future__ import annotations

import json

import pytest

from mner.errors import DataError
from mner.evaluation import PRF, evaluate_views, score
from mner.types import Post, Span

GOLD = [[Span(0, 2, "PER"), Span(4, 5, "LOC")], [], [Span(1, 2, "PER")]]
PREDICTED = [[Span(0, 2, "PER"), Span(4, 5, "ORG")], [Span(0, 1, "PER")], [Span(1, 3, "PER")]]


def test_score_counts_only_exact_matches():
    scores = score(GOLD, PREDICTED)
    assert scores.posts == 3
    assert scores.micro == PRF(25.0, pytest.approx(100 / 3), pytest.approx(200 / 7), 1, 4, 3)
    assert scores.labels["PER"] == PRF(pytest.approx(100 / 3), 50.0, 40.0, 1, 3, 2)


def test_score_counts_labels_of_only_one_side():
    scores = score(GOLD, PREDICTED)
    assert list(scores.labels) == ["LOC", "ORG", "PER"]
    assert scores.labels["LOC"] == PRF(0.0, 0.0, 0.0, 0, 0, 1)
    assert scores.labels["ORG"] == PRF(0.0, 0.0, 0.0, 0, 1, 0)
    assert scores.macro.f1 == pytest.approx(40 / 3)
    assert (scores.macro.correct, scores.macro.predicted, scores.macro.gold) == (1, 4, 3)


def test_score_of_nothing_is_zero():
    scores = score([[], []], [[], []])
    assert scores.micro == scores.macro == PRF(0.0, 0.0, 0.0, 0, 0, 0)
    assert scores.labels == {}


def test_score_counts_a_repeated_entity_once():
    assert score([[Span(0, 1, "PER")]], [[Span(0, 1, "PER")] * 2]).micro.f1 == 100.0


def test_score_refuses_another_number_of_posts():
    with pytest.raises(DataError, match="2 posts were predicted and 1 have gold"):
        score([[]], [[], []])


def test_scores_become_json_and_table_rows():
    scores = score(GOLD, PREDICTED)
    row = json.loads(json.dumps(scores.to_dict("f1=28.57 view=T")))
    assert row["signature"] == "f1=28.57 view=T"
    assert row["micro"]["correct"] == 1
    assert row["labels"]["PER"]["f1"] == 40.0
    assert "signature" not in scores.to_dict()
    assert [name for name, _ in scores.rows()] == ["LOC", "ORG", "PER", "micro", "macro"]


def _post(spans):
    return Post("7", "a b c d e", tuple("abcde"), tuple((2 * at, 2 * at + 1) for at in range(5)), spans, where="dev:9")


def test_evaluate_views_scores_each_view_on_the_same_gold():
    scores = evaluate_views([_post(tuple(GOLD[0]))], {"T": [PREDICTED[0]], "I+T": [GOLD[0]]})
    assert {view: of_view.micro.f1 for view, of_view in scores.items()} == {"T": 50.0, "I+T": 100.0}


def test_evaluate_views_refuses_posts_without_gold():
    with pytest.raises(DataError, match='dev:9: post "7" has no gold labels'):
        evaluate_views([_post(None)], {"T": [[]]})
