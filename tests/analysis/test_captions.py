"""F1 against captions: exact numbers of six posts read by rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mner.analysis.captions import captions
from mner.analysis.parts.loaded_run import LoadedRun
from mner.errors import DataError
from mner.types import Caption, VisualContext


def test_curve_reads_the_first_k_captions(opened: Callable[..., LoadedRun]) -> None:
    result = captions([opened()])
    assert result.order == ("a", "b")
    assert [point.captions for point in result.points] == [0, 1, 2]
    # 6 gold and 5 found in each; right: 3 by the words, with caption a madrid goes and cleveland comes, b brings paris
    assert [point.f1.mean for point in result.points] == pytest.approx([600 / 11, 600 / 11, 800 / 11])
    assert [point.full for point in result.points] == [6, 5, 2]
    assert (result.trained, result.posts) == (2, 6)
    assert result.points[1].f1.sd is None


def test_captions_over_the_budget_are_counted(opened: Callable[..., LoadedRun]) -> None:
    context = {"order": ["captions"], "captions": ["a", "b"], "budget": {"captions": 1}}
    result = captions([opened(context=context)])
    assert [point.cut for point in result.points] == [0, 1, 2]  # "photo team"; then "map" and "stadium" besides
    assert {point.cut for point in captions([opened()]).points} == {0}


def test_order_decides_what_comes_first(opened: Callable[..., LoadedRun]) -> None:
    result = captions([opened()], order=["b", "a"])
    assert result.order == ("b", "a")
    assert [point.f1.mean for point in result.points] == pytest.approx([600 / 11, 800 / 11, 800 / 11])


def test_order_by_default_is_that_of_the_contexts(opened: Callable[..., LoadedRun]) -> None:
    result = captions([opened(context={"order": ["captions"]})])
    assert result.order == ("a", "b")
    assert result.trained == 2


def test_captions_of_one_source_are_counted_each(opened: Callable[..., LoadedRun]) -> None:
    run = opened(context={"order": ["captions"], "captions": ["a"]})
    several = tuple(Caption(f"caption {number}", source="a") for number in range(5))
    run = replace(run, contexts=[None, *(VisualContext("1.jpg", captions=several) for _ in run.contexts[1:])])
    result = captions([run])
    assert result.trained == 5 and [point.captions for point in result.points] == [0, 1, 2, 3, 4, 5]
    tags = opened(context={"order": ["tags"], "captions": ["a"]})
    assert captions([tags]).trained == 0


def test_runs_make_a_mean_with_a_signature(opened: Callable[..., LoadedRun]) -> None:
    blind = opened(rules={"kevin": lambda context: "O"})
    result = captions(iter([opened(), blind]))
    assert result.points[0].f1.f1 == pytest.approx((600 / 11, 400 / 10))
    assert result.points[0].f1.mean == pytest.approx((600 / 11 + 40) / 2)
    signature = result.points[2].f1.signature
    assert " view=I+T:captions=2 " in signature and " seeds=2 " in signature and " data=made/dev@" in signature


def test_text_row_was_trained_without_captions(opened: Callable[..., LoadedRun]) -> None:
    assert captions([opened(model={"name": "text"}, loss={"views": ["T"]})]).trained == 0


def test_no_caption_of_a_source_is_an_error(opened: Callable[..., LoadedRun]) -> None:
    with pytest.raises(DataError, match=r"no post of made/dev@.* has a caption of the sources z"):
        captions([opened()], order=["z"])
