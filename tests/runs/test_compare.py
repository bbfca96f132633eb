"""Rows of records compared: what is computed, on which seeds and views, and what is refused."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

from mner.errors import DataError
from mner.runs import read_experiment
from mner.runs.compare import compare
from tests.records import GOLD, LESS, WORSE, Commit, Make


@pytest.fixture
def rows(make_record: Make, commit: Commit) -> tuple[Path, Path]:
    """Three seeds of ita-ga-cva and of text."""
    for seed, (best, text) in enumerate(((GOLD, LESS), (GOLD, WORSE), (LESS, LESS)), start=1):
        ita = commit(make_record("ita-ga-cva", seed, {"T": LESS, "I+T": best}))
        baseline = commit(make_record("text", seed, {"T": text, "I+T": WORSE}))
    return ita, baseline


def test_means_deviations_and_tests_are_of_the_recorded_scores(rows: tuple[Path, Path]) -> None:
    ita, text = (read_experiment(path) for path in rows)
    comparison = compare(ita, text)[1]
    assert (comparison.split, comparison.view_a, comparison.view_b, comparison.seeds_a) == (
        "test",
        "I+T",
        "T",
        (1, 2, 3),
    )
    micro = comparison.lines[0]
    assert [line.label for line in comparison.lines] == ["micro", "LOC", "PER"]
    assert micro.a == tuple(record.test["I+T"].micro.f1 for record in ita.records)
    assert micro.b == tuple(record.test["T"].micro.f1 for record in text.records)
    assert micro.difference == pytest.approx(statistics.fmean(micro.a) - statistics.fmean(micro.b))
    assert micro.t_test is not None and micro.t_test.df == 4
    assert micro.interval is not None and micro.interval.low <= micro.difference <= micro.interval.high
    assert comparison.lines[2].a == tuple(record.test["I+T"].labels["PER"].f1 for record in ita.records)
    assert comparison.notes == ()


def test_untrained_view_is_no_measure(rows: tuple[Path, Path]) -> None:
    ita, text = (read_experiment(path) for path in rows)
    assert [(each.view_a, each.view_b) for each in compare(ita, text)] == [("T", "T"), ("I+T", "T")]
    assert [(each.view_a, each.view_b) for each in compare(text, ita)] == [("T", "T")]
    comparisons = compare(ita, text, view="I+T", against="I+T")
    assert [(each.view_a, each.view_b) for each in comparisons] == [("I+T", "I+T")]
    assert comparisons[0].notes == ("view I+T of text was not trained",)


def test_signatures_stand_beside_every_number(rows: tuple[Path, Path]) -> None:
    ita, text = (read_experiment(path) for path in rows)
    a, b, difference = compare(ita, text, resamples=1000, seed=5)[1].signatures
    assert "view=I+T" in a and "sd=" in a and "seeds=3" in a
    assert "view=T" in b and "data=tiny/test@" in b
    parts = dict(part.split("=", 1) for part in difference.split())
    assert parts["delta"].startswith("+") and parts["ci95"].startswith("[")
    assert (parts["a"], parts["b"], parts["seeds"]) == ("ita-ga-cva/I+T", "text/T", "1,2,3")
    assert (parts["resamples"], parts["generator"], parts["decode"]) == ("1000", "5", "unconstrained")


def test_seeds_are_paired_by_number(rows: tuple[Path, Path], make_record: Make, commit: Commit) -> None:
    commit(make_record("text", 7, {"T": WORSE, "I+T": WORSE}))
    ita, text = (read_experiment(path) for path in rows)
    comparison = compare(ita, text)[0]
    assert comparison.seeds_a == comparison.seeds_b == (1, 2, 3)
    assert comparison.notes == ("seed 7 of text left out: ita-ga-cva lacks it",)
    alone = compare(read_experiment(rows[0] / "1.json"), read_experiment(rows[1] / "7.json"))[0]
    assert (alone.seeds_a, alone.seeds_b) == ((1,), (7,))
    assert "share no seed" in alone.notes[0]
    assert alone.lines[0].t_test is None and alone.lines[0].interval is not None


def test_records_without_outcomes_are_still_compared(rows: tuple[Path, Path]) -> None:
    path = rows[1] / "2.json"
    record = json.loads(path.read_text())
    for scores in record["test"].values():
        scores["fingerprint"] = record["outcomes"]["test"]["fingerprint"]
    del record["outcomes"]["test"]
    path.write_text(json.dumps(record))
    comparison = compare(*(read_experiment(row) for row in rows))[0]
    assert comparison.lines[0].interval is None and comparison.lines[0].t_test is not None
    assert comparison.notes == ("no bootstrap: records without outcomes of test posts: text/2",)
    assert "ci95" not in comparison.signatures[2]


def test_split_is_test_only_where_all_have_it(rows: tuple[Path, Path], make_record: Make, commit: Commit) -> None:
    other = commit(make_record("ita-ga", 1, {"T": LESS, "I+T": GOLD}, scored=("dev",)))
    assert compare(read_experiment(other), read_experiment(rows[1]))[0].split == "dev"
    with pytest.raises(DataError, match=r"ita-ga/1\.json: no test scores"):
        compare(read_experiment(other), read_experiment(rows[1]), split="test")


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"splits": {"train": {"fingerprint": "c" * 12}, "dev": {"fingerprint": "d" * 12}}}, "train@aaaaaaaaaaaa"),
        ({"decode": "constrained"}, "decode constrained and unconstrained"),
    ],
)
def test_runs_that_differ_in_data_or_decoding_are_refused(
    rows: tuple[Path, Path], make_record: Make, commit: Commit, change: dict[str, Any], difference: str
) -> None:
    other = commit(make_record("ita-ga", 1, {"T": LESS, "I+T": GOLD}, **change))
    with pytest.raises(DataError, match="not comparable") as refused:
        compare(read_experiment(other), read_experiment(rows[1]))
    message = str(refused.value)
    assert difference in message
    assert str(other / "1.json") in message and str(rows[1] / "1.json") in message


def test_posts_of_further_tasks_may_differ(rows: tuple[Path, Path], make_record: Make, commit: Commit) -> None:
    record = make_record("rpbert", 1, {"T": LESS, "I+T": GOLD})
    record["splits"]["relation"] = {"fingerprint": "e" * 12}
    rpbert, text = read_experiment(commit(record)), read_experiment(rows[1])
    assert [each.seeds_a for each in compare(rpbert, text)] == [(1,), (1,)]
    assert [each.seeds_b for each in compare(text, rpbert)] == [(1,)]


@pytest.mark.parametrize("key", ["data", "scheme"])
def test_scores_of_other_posts_or_readings_are_refused(rows: tuple[Path, Path], key: str) -> None:
    path = rows[0] / "1.json"
    record = json.loads(path.read_text())
    if key == "scheme":
        record["config"]["data"] = {"labels": "strict"}
    for view in record["test"].values():
        view["fingerprint"] = "0" * 12 if key == "data" else record["outcomes"]["test"]["fingerprint"]
    path.write_text(json.dumps(record))
    with pytest.raises(DataError, match=f"not comparable: {key} "):
        compare(read_experiment(path), read_experiment(rows[1]))


def test_damaged_outcomes_are_noticed(rows: tuple[Path, Path]) -> None:
    path = rows[0] / "1.json"
    record = json.loads(path.read_text())
    record["outcomes"]["test"]["T"] = record["outcomes"]["test"]["T"].replace("-1", "1")
    path.write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"1\.json: outcomes of test posts and scores disagree"):
        compare(*(read_experiment(row) for row in rows))


def test_comparison_becomes_json(rows: tuple[Path, Path]) -> None:
    comparison = json.loads(json.dumps(compare(*(read_experiment(row) for row in rows))[1].to_dict()))
    line = comparison["lines"][0]
    assert line["mean"]["a"] - line["mean"]["b"] == pytest.approx(line["difference"])
    assert line["sd"]["a"] == pytest.approx(statistics.stdev(line["a"]))
    assert set(line["interval"]) == {"low", "high", "p"} and set(line["t_test"]) == {"t", "df", "p"}
