"""The records say what limits a goal that was missed, and what was not looked at is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from lab.limits import ABSENT, limits
from mner.analysis.parts.analysis_record import read_analyses
from mner.runs import read_experiments
from mner.types import Span
from tests import records
from tests.records import GOLD, LESS, Commit, Make

REST = [[Span(1, 3, "PER")], [], [Span(0, 2, "PER")], []]


@pytest.fixture
def limits_of(make_record: Make, commit: Commit) -> Callable[..., dict[str, str]]:
    """A function that commits two seeds of each row, given what both views find, and tells the limits of the last."""

    def make(rows: Mapping[str, Any], *, changes: Mapping[str, Mapping[str, Any]] | None = None) -> dict[str, str]:
        for name, (t, both) in rows.items():
            for seed in (1, 2):
                record = make_record(name, seed, {"T": t, "I+T": both})
                for key, value in (changes or {}).get(name, {}).items():
                    record[key] = record[key] | value if isinstance(value, dict) else value
                results = commit(record).parents[1]
        result = read_experiments(results)
        row = result["tiny", name]
        return dict(limits(row, row.trained[0], "test", result, read_analyses(results), least=2))

    return make


def test_what_was_not_looked_at_is_named(limits_of: Callable[..., dict[str, str]]) -> None:
    result = limits_of({"text": (LESS, LESS)})
    assert "against the words alone" not in result, "it is the words alone"
    assert result["tried"] == "this row alone has 2 seeds of test on this encoder"
    assert {name for name, line in result.items() if line == ABSENT} == {"another encoder", "learning curve", "labels"}


def test_rows_tried_go_from_the_least_to_the_most(limits_of: Callable[..., dict[str, str]]) -> None:
    result = limits_of({"text": (LESS, LESS), "ita-ga-cva": (GOLD, LESS)})
    assert (
        result["tried"] == "2 rows with 2 seeds or more, in the T view on test from 57.14 (text) to 100.00 (ita-ga-cva)"
    )
    assert result["against the words alone"].startswith("test: T +42.86 (")
    assert result["against the words alone"].endswith("seeds deviate by 0.00 and 0.00")
    (interval, *_) = re.findall(r"\((\S+) to (\S+)\)", result["against the words alone"].replace("\u2212", "-"))
    low, high = map(float, interval)
    half = float(re.search(r"up to (\d+\.\d+) points", result["what the split can tell"])[1])
    assert half == pytest.approx((high - low) / 2, abs=0.01), "both views read alike, so their intervals are one"


def test_oracle_tells_what_choosing_could_bring(limits_of: Callable[..., dict[str, str]]) -> None:
    result = limits_of({"text": (LESS, LESS), "ita-ga-cva": (LESS, REST)})
    assert (
        "between the two views 85.71 (" in result["oracle"]
    )  # REST for the first and the third post, LESS for the last
    assert "between two seeds of its I+T view 66.67 (0.00)" in result["oracle"]


def test_oracle_without_a_score_of_the_words_alone(limits_of: Callable[..., dict[str, str]]) -> None:
    rows = {"text": (LESS, LESS), "ita-ga-cva": (LESS, REST)}
    result = limits_of(rows, changes={"text": {"test": None}})
    assert "between the two views 85.71 (" in result["oracle"]
    assert "the words alone" not in result["oracle"]


def test_row_on_another_encoder_stands_beside(limits_of: Callable[..., dict[str, str]]) -> None:
    mpnet = {"encoder": {"name": "embedded:mpnet"}, "parameters": 109_000_000}
    rows = {"ita-ga-cva-mpnet-tuned": (GOLD, GOLD), "ita-ga-cva-taught": (GOLD, GOLD), "ita-ga-cva-tuned": (LESS, LESS)}
    result = limits_of(rows, changes={"ita-ga-cva-mpnet-tuned": mpnet})
    assert result["another encoder"] == (
        "with 2 M parameters 57.14 ± 0.00; embedded:mpnet 100.00 ± 0.00 (ita-ga-cva-mpnet-tuned, 109 M)"
    )


def test_curve_tells_what_the_last_posts_brought(limits_of: Callable[..., dict[str, str]], make_record: Make) -> None:
    of_post = {"config": {"data": {"train_posts": 2}}, "splits": make_record("text", 1, {"T": LESS})["splits"]}
    of_post["splits"] = of_post["splits"] | {"train": {"fingerprint": "bbbbbbbbbbbb", "posts": 2}}
    result = limits_of({"text-2": (LESS, LESS), "text": (GOLD, GOLD)}, changes={"text-2": of_post})
    assert result["learning curve"] == (
        "dev: 57.14 with 2 posts, 100.00 with 4 posts; the last 2-fold of posts brought +42.86"
    )


def test_labels_come_from_the_record_of_the_row_itself(make_record: Make, commit: Commit) -> None:
    results = commit(make_record("text", 1, {"T": LESS, "I+T": LESS})).parents[1]
    measured = {"f1": [57.0] * 3, "mean": 57.0, "sd": 0.0, "signature": "f1=57.00 view=T seeds=3"}
    annotations = dict.fromkeys(
        ("posts", "entities", "surfaces", "ambiguous", "outside", "conflicts", "occurrences", "minority"), 0
    )
    result = {
        "row": "tiny/text", "baseline": "tiny/ita", "posts": 4, "entities": 4, "readings": 6, "counts": {"type": 1},
        "touched": 1, "f1": measured, "if_wrong": measured | {"mean": 75.0}, "annotations": annotations | {"shown": []},
        "shown": [],
    }  # fmt: skip
    records.write_analysis(results, "noise", result)
    rows = read_experiments(results)
    outcome = dict(limits(rows["tiny", "text"], "T", "test", rows, read_analyses(results), least=2))
    assert outcome["labels"] == (
        "dev, T view, 3 seeds: all 6 runs of it and of the words alone agree with one another and not with gold on 1 "
        "of 4 posts; if gold had what they agree on, F1 would be 75.00, not 57.00. That is the most that such labels "
        "cost: some of these are errors of all runs"
    )
    result["f1"] = measured | {"f1": [57.0]}
    records.write_analysis(results, "noise", result, "tiny/text/1@before")
    outcome = dict(limits(rows["tiny", "text"], "T", "test", rows, read_analyses(results), least=2))
    assert outcome["labels"].startswith("dev, T view, 1 seed: all 6 runs")
    assert outcome["labels"].endswith("errors of all runs; trained again since: tiny/text/1@before")
