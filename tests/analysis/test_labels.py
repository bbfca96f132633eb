"""Gains by label, and the claim about them, from records made by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from mner.analysis.labels import LabelGain, Labels, Triple, labels
from mner.errors import DataError

Make = Callable[..., dict[str, Any]]


def gain(found: Labels, label: str, view: str) -> LabelGain:
    (one,) = [one for one in found.gains if one.label == label and one.view == view]
    return one


def test_gains_are_relative_to_the_baselines_words(make_record: Make) -> None:
    found = labels([make_record()], [make_record("ita")])
    one = gain(found, "LOC", "I+T")
    assert one.baseline == Triple(50, 40, 44)
    assert one.points == Triple(10, 4, 6)
    assert one.relative.precision == pytest.approx(20.0)
    assert one.relative.recall == pytest.approx(10.0)
    assert one.relative.f1 == pytest.approx(100 * 6 / 44)
    assert one.holds is True
    assert gain(found, "PER", "I+T").holds is None  # it gained nothing
    assert gain(found, "micro", "I+T").holds is None
    assert [(claim.view, claim.labels, claim.held, claim.p) for claim in found.claims] == [
        ("T", 0, 0, None),
        ("I+T", 1, 1, 0.5),
    ]


def test_claim_fails_where_recall_gained_more(make_record: Make) -> None:
    row = make_record("ita")
    row["dev"]["I+T"]["labels"]["LOC"] = {"precision": 51.0, "recall": 60.0, "f1": 55.0}
    found = labels([make_record()], [row])
    assert gain(found, "LOC", "I+T").holds is False
    assert (found.claims[1].held, found.claims[1].p) == (0, 1.0)


def test_gain_below_the_threshold_is_not_spoken_of(make_record: Make) -> None:
    assert labels([make_record()], [make_record("ita")], threshold=14.0).claims[1].labels == 0


def test_runs_are_averaged_and_counted_in_the_signature(make_record: Make) -> None:
    other = copy.deepcopy(make_record("ita", seed=2))
    other["dev"]["I+T"]["labels"]["LOC"]["f1"] = 60.0
    found = labels([make_record()], [make_record("ita"), other])
    assert gain(found, "LOC", "I+T").row.f1 == pytest.approx(55.0)
    assert " seeds=2 " in found.signatures[2]
    assert found.signatures[0].startswith("f1=44.00 view=T ")


def test_label_that_the_baseline_never_found_has_no_relative_gain(make_record: Make) -> None:
    base = copy.deepcopy(make_record())
    del base["dev"]["T"]["labels"]["PER"]
    one = gain(labels([base], [make_record("ita")]), "PER", "T")
    assert one.relative == Triple(None, None, None)
    assert one.points.f1 == 80.0


def test_other_data_is_refused_and_both_are_named(make_record: Make) -> None:
    other = copy.deepcopy(make_record("ita"))
    other["dev"]["T"]["signature"] = other["dev"]["T"]["signature"].replace("d/dev@1", "d/dev@2")
    with pytest.raises(DataError, match=r"d/text/1: data=d/dev@1 .*; d/ita/1: data=d/dev@2"):
        labels([make_record()], [other])


def test_record_without_test_scores_says_what_to_do(make_record: Make) -> None:
    with pytest.raises(DataError, match=r"d/text: its record holds no test scores.*--final"):
        labels([make_record()], [make_record("ita")], split="test")
