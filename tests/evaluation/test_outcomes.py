from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.data import stamp
from mner.errors import DataError
from mner.evaluation import score
from mner.evaluation.outcomes import counts, letter, outcomes
from mner.types import Post, Span

WORDS = ("a", "b", "c", "d")
SPANS = st.builds(
    lambda start, length, label: Span(start, min(start + length, 4), label),
    st.integers(0, 3),
    st.integers(1, 3),
    st.sampled_from(["LOC", "PER", "OTHER"]),
)


def post(spans: list[Span]) -> Post:
    return Post("1", "a b c d", WORDS, tuple((2 * at, 2 * at + 1) for at in range(4)), tuple(spans))


@given(st.lists(st.tuples(st.lists(SPANS, max_size=4), st.lists(SPANS, max_size=4)), max_size=6))
def test_counts_sum_to_the_scores(pairs):
    posts, predicted_spans = [post(gold) for gold, _ in pairs], [predicted for _, predicted in pairs]
    record = outcomes(posts, {"T": predicted_spans}, stamp(posts))
    read = counts(record, "T")
    scores = score([each.spans or () for each in posts], predicted_spans)
    for number, label in enumerate(read.labels):
        prf = scores.labels[label]
        counted = [table[:, number].sum() for table in (read.correct, read.predicted, read.gold)]
        assert counted == [prf.correct, prf.predicted, prf.gold]
    assert len(read.gold) == len(posts)


def test_counts_are_of_each_post():
    posts = [post([Span(0, 1, "LOC"), Span(2, 4, "PER")]), post([]), post([Span(1, 2, "PER")])]
    predicted_spans = [[Span(0, 1, "LOC"), Span(2, 3, "PER")], [Span(0, 1, "LOC"), Span(1, 2, "LOC")], []]
    record = outcomes(posts, {"T": predicted_spans}, stamp(posts))
    assert record["T"] == "0-1+1 +0+0 -1"
    read = counts(record, "T")
    assert read.correct.tolist() == [[1, 0], [0, 0], [0, 0]]
    assert read.predicted.tolist() == [[1, 1], [2, 0], [0, 0]]
    assert read.gold.tolist() == [[1, 1], [0, 0], [0, 1]]


def test_post_without_entities_keeps_its_place():
    record = outcomes([post([]), post([])], {"T": [[], []]}, stamp([]))
    assert record["T"] == ". ."
    assert counts({**record, "labels": ["PER"]}, "T").gold.tolist() == [[0], [0]]


def test_more_labels_than_letters_of_ascii():
    labels = [f"L{number:03d}" for number in range(100)]
    assert len({letter(number) for number in range(100)} - set(" -+.")) == 100
    spans = [Span(0, 1, label) for label in labels]
    posts = [Post("1", "a", ("a",), ((0, 1),), tuple(spans))]
    read = counts(outcomes(posts, {"T": [spans[50:]]}, stamp(posts)), "T")
    assert read.correct.tolist() == [[0] * 50 + [1] * 50]
    assert np.all(read.gold == 1)


def test_unknown_letter_is_refused():
    with pytest.raises(DataError, match='"7" stands for no label: there are 2'):
        counts({"labels": ["LOC", "PER"], "T": "0 7"}, "T")
