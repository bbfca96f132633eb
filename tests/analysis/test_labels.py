"""Gains by label, and the claim about them, from records made by hand."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from mner.analysis.labels import LabelGain, Labels, Triple, labels
from mner.errors import DataError
from mner.runs import Experiment
from tests.records import Make

RowOf = Callable[..., Experiment]


def gain(result: Labels, label: str, view: str) -> LabelGain:
    (each,) = [each for each in result.gains if each.label == label and each.view == view]
    return each


def test_gains_are_relative_to_the_baselines_words(simple_record: Make, row_of: RowOf) -> None:
    result = labels(row_of(simple_record()), row_of(simple_record("ita")))
    each = gain(result, "LOC", "I+T")
    assert each.baseline == Triple(50, 40, 44)
    assert each.points == Triple(10, 4, 6)
    assert each.relative.precision == pytest.approx(20.0)
    assert each.relative.recall == pytest.approx(10.0)
    assert each.relative.f1 == pytest.approx(100 * 6 / 44)
    assert each.holds is True
    assert gain(result, "PER", "I+T").holds is None  # it gained nothing
    assert gain(result, "micro", "I+T").holds is None
    assert [(claim.view, claim.labels, claim.held, claim.p) for claim in result.claims] == [
        ("T", 0, 0, None),
        ("I+T", 1, 1, 0.5),
    ]


def test_claim_fails_where_recall_gained_more(simple_record: Make, row_of: RowOf) -> None:
    row = simple_record("ita")
    row["dev"]["I+T"]["labels"]["LOC"] |= {"precision": 51.0, "recall": 60.0, "f1": 55.0}
    result = labels(row_of(simple_record()), row_of(row))
    assert gain(result, "LOC", "I+T").holds is False
    assert (result.claims[1].held, result.claims[1].p) == (0, 1.0)


def test_gain_below_the_threshold_is_not_spoken_of(
    simple_record: Make, row_of: RowOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mner.analysis.labels.THRESHOLD", 14.0)
    assert labels(row_of(simple_record()), row_of(simple_record("ita"))).claims[1].labels == 0


def test_runs_are_averaged_and_counted_in_the_signature(simple_record: Make, row_of: RowOf) -> None:
    other = copy.deepcopy(simple_record("ita", seed=2))
    other["dev"]["I+T"]["labels"]["LOC"]["f1"] = 60.0
    result = labels(row_of(simple_record(), simple_record(seed=2)), row_of(simple_record("ita"), other))
    assert gain(result, "LOC", "I+T").row.f1 == pytest.approx(55.0)
    assert " seeds=2 " in result.signatures[2]
    assert result.signatures[0].startswith("f1=44.00 sd=0.00 view=T ")


def test_rows_are_read_on_the_seeds_that_both_have(simple_record: Make, row_of: RowOf) -> None:
    better = copy.deepcopy(simple_record(seed=2))
    better["dev"]["T"]["labels"]["LOC"]["f1"] = 60.0
    result = labels(row_of(simple_record(), better), row_of(simple_record("ita")))
    assert gain(result, "LOC", "I+T").baseline.f1 == 44, "seed 1 alone"
    assert " seeds=1 " in result.signatures[0]
    assert result.notes == ("seed 2 of text left out: ita lacks it",)


def test_label_that_the_baseline_never_found_has_no_relative_gain(simple_record: Make, row_of: RowOf) -> None:
    base = copy.deepcopy(simple_record())
    del base["dev"]["T"]["labels"]["PER"]
    each = gain(labels(row_of(base), row_of(simple_record("ita"))), "PER", "T")
    assert each.relative == Triple(None, None, None)
    assert each.points.f1 == 80.0


def test_other_data_is_refused_and_both_are_named(simple_record: Make, row_of: RowOf) -> None:
    other = copy.deepcopy(simple_record("ita"))
    other["dev"]["T"]["fingerprint"] = "2"
    with pytest.raises(DataError, match=r"text/1\.json and ita/1\.json: not comparable: data .*dev@1 and .*dev@2"):
        labels(row_of(simple_record()), row_of(other))


def test_record_without_test_scores_says_what_to_do(simple_record: Make, row_of: RowOf) -> None:
    with pytest.raises(DataError, match=r"text/1\.json: no test scores.*--final"):
        labels(row_of(simple_record()), row_of(simple_record("ita")), split="test")
