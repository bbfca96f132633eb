"""Rows become points of a curve where nothing but the number of training posts differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mner.analysis.learning import learning
from mner.errors import DataError
from mner.runs import Experiment, read_experiment
from mner.runs.record import ScoredSplit
from tests.records import GOLD, LESS, Commit, Make


@pytest.fixture
def trained(make_record: Make, commit: Commit) -> Callable[..., Experiment]:
    """A function that commits a run on some training posts and reads its row; keywords are settings of training."""

    def make(
        name: str, posts: int, *, scored: tuple[str, ...] = ("dev", "test"), train_posts: int = 0, **training: Any
    ) -> Experiment:
        record = make_record(name, 1, {"T": LESS, "I+T": GOLD if posts > 1000 else LESS}, scored=scored)
        record["splits"]["train"]["posts"] = posts
        record["config"]["data"] = {"train_posts": train_posts}
        record["config"]["training"] |= training
        return read_experiment(commit(record))

    return make


def test_rows_that_differ_in_posts_alone_make_a_curve(trained: Callable[..., Experiment]) -> None:
    rows = [trained("ita", 4000), trained("text", 4000), trained("ita-1000", 1000, train_posts=1000)]
    result = learning(rows, split="test")
    assert [(each.row, each.view, len(each.points)) for each in result.curves] == [
        ("tiny/ita", "T", 2),
        ("tiny/ita", "I+T", 2),
        ("tiny/text", "T", 1),
    ]
    small, whole = result.curves[1].points
    assert (small.posts, small.row, whole.posts) == (1000, "tiny/ita-1000", 4000)
    assert (small.f1.mean, whole.f1.mean) == (pytest.approx(400 / 7), 100.0)
    assert "view=I+T" in whole.f1.signature


def test_other_settings_are_another_curve(trained: Callable[..., Experiment]) -> None:
    result = learning(
        [trained("text", 4000), trained("text-500", 500, epochs=9), trained("text-warm", 4000, warmup=0.1)]
    )
    assert [len(each.points) for each in result.curves] == [1, 1, 1]


def test_two_rows_on_as_many_posts_are_no_curve(trained: Callable[..., Experiment]) -> None:
    with pytest.raises(DataError, match="tiny/text-again: another experiment of the same settings has 4000 posts, too"):
        learning([trained("text", 4000), trained("text-again", 4000)])


@pytest.mark.parametrize("split", ["dev", "test"])
def test_experiments_on_other_posts_are_no_curve(
    trained: Callable[..., Experiment], make_record: Make, commit: Commit, split: ScoredSplit
) -> None:
    record = make_record("text-500", 1, {"T": LESS, "I+T": LESS})
    record["splits"]["train"]["posts"] = 500
    record["splits"]["dev"]["fingerprint"] = record["outcomes"]["test"]["fingerprint"] = "0" * 12
    other = read_experiment(commit(record))
    with pytest.raises(DataError, match=rf"tiny/text and tiny/text-500: scored on different posts, {split}@\w+ and "):
        learning([trained("text", 4000), other], split=split)


def test_runs_without_scores_of_the_split_are_left_out(trained: Callable[..., Experiment]) -> None:
    rows = [trained("text", 4000), trained("text-500", 500, scored=("dev",))]
    assert [len(each.points) for each in learning(rows, split="test").curves] == [1]
    with pytest.raises(DataError, match="no run has scores of test"):
        learning(rows[1:], split="test")
