"""Entities beside gold ones: each kind of error, and none counted twice."""

from __future__ import annotations

import pytest

from mner.evaluation.errors import judge
from mner.types import Entity

TEXT = "Kevin Love in New York City"


def entity(start: int, end: int, label: str) -> Entity:
    return Entity(start, end, TEXT[start:end], label, 0.5)


LOVE, CITY = entity(0, 10, "PER"), entity(14, 27, "LOC")


@pytest.mark.parametrize(
    ("predicted", "outcomes"),
    [
        ([LOVE, CITY], ["correct", "correct"]),
        ([entity(0, 10, "ORG"), CITY], ["wrong type", "correct"]),
        ([entity(0, 5, "PER"), entity(6, 10, "PER"), CITY], ["wrong span", "wrong span", "correct"]),
        ([LOVE, entity(11, 13, "LOC")], ["correct", "spurious", "missed"]),
        ([entity(0, 27, "PER")], ["wrong span"]),
        ([], ["missed", "missed"]),
    ],
)
def test_each_error_has_its_kind(predicted: list[Entity], outcomes: list[str]) -> None:
    judged = judge(predicted, [LOVE, CITY])
    assert [error.outcome for error in judged] == outcomes
    assert [error.entity for error in judged[: len(predicted)]] == predicted


def test_entity_is_compared_with_the_gold_one_it_shares_most_with() -> None:
    (judged, *_) = judge([entity(6, 27, "LOC")], [LOVE, CITY])
    assert judged.gold == CITY


def test_without_gold_everything_is_spurious() -> None:
    assert [(error.outcome, error.gold) for error in judge([LOVE], [])] == [("spurious", None)]
