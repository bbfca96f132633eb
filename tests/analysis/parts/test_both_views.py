"""Both readings of the same posts: on the seeds that both experiments have, and of the same posts alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mner.analysis.parts.both_views import BothViews, Slice, Slices, by_entities, by_posts, gains_table, read_both
from mner.analysis.parts.loaded_run import LoadedRun
from mner.errors import DataError


def entities(read: BothViews) -> list[Slice]:
    return by_entities(read, lambda post, span: "any", by="entity")


def test_row_and_baseline_are_read_on_the_seeds_that_both_have(opened: Callable[..., LoadedRun]) -> None:
    def run(each: LoadedRun, seed: int) -> LoadedRun:
        return replace(each, config=each.config.model_copy(update={"seed": seed}))

    row = [run(opened(), seed) for seed in (1, 2)]
    blind = opened("text", rules={"kevin": lambda context: "O"})
    text = [run(opened("text"), 2), run(blind, 3)]
    result = entities(read_both(row, baseline=text))
    assert [(len(each.without.f1), len(each.with_.f1)) for each in result] == [(1, 1)] * len(result)
    assert result[0].without.mean == pytest.approx(600 / 11), "seed 2, which knows kevin"
    apart = entities(read_both(row, baseline=text[1:]))
    assert {(len(each.without.f1), len(each.with_.f1)) for each in apart} == {(1, 2)}, "no seed is shared"


def test_baseline_on_other_posts_is_refused(opened: Callable[..., LoadedRun]) -> None:
    other = replace(opened("text"), data="made/dev@other")
    with pytest.raises(DataError, match=r"made/ita and made/text read different posts"):
        read_both([opened()], baseline=[other])


def test_posts_of_no_group_are_left_out_and_numbers_are_in_order(opened: Callable[..., LoadedRun]) -> None:
    parts = by_posts(read_both([opened()]), ["10", "9", None, "10", "few", "9"], by="count")
    assert [(part.name, part.posts) for part in parts] == [("few", 1), ("9", 2), ("10", 2)]


def test_table_says_what_could_not_divide(opened: Callable[..., LoadedRun]) -> None:
    table = gains_table(Slices("d/ita", "d/text", (), {"relation": "no scores"}))
    assert (table.title, table.note) == ("d/ita I+T against d/text T", "Not divided by relation: no scores.")
