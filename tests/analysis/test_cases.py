"""Which posts the picture helped, which it misled, which alignment rescued."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mner.analysis.cases import cases, turned
from mner.analysis.parts.loaded_run import LoadedRun
from mner.errors import DataError
from mner.runs import RunRecord
from mner.types import Span


def kinds(result: object) -> dict[str, list[str]]:
    shown: dict[str, list[str]] = {}
    for case in result.shown:  # type: ignore[attr-defined]
        shown.setdefault(case.kind, []).append(case.id)
    return shown


def test_row_alone_is_compared_with_its_own_words(opened: Callable[..., LoadedRun]) -> None:
    result = cases(opened())
    assert result.counts == {"helped": 2, "misled": 1}
    assert kinds(result) == {"helped": ["p2", "p6"], "misled": ["p5"]}
    assert (result.posts, result.used, result.seed) == (6, 5, 1)
    assert {name: round(f1.mean, 2) for name, f1 in result.readings.items()} == {
        "made/ita T": 54.55,
        "made/ita I+T": 72.73,
    }
    paris = result.shown[0]
    assert [(each.name, each.spans, each.right) for each in paris.readings] == [
        ("made/ita T", (Span(0, 1, "PER"),), False),
        ("made/ita I+T", (Span(0, 1, "LOC"),), True),
    ]
    assert [piece.text for piece in paris.pieces] == ["map", "stadium"]


def test_posts_whose_features_are_read_are_cases(opened_pictured: Callable[..., LoadedRun]) -> None:
    result = cases(opened_pictured())
    assert result.counts == {"helped": 2, "misled": 1}
    assert (kinds(result), result.used) == ({"helped": ["p2", "p6"], "misled": ["p5"]}, 5)
    assert result.shown[0].pieces == ()


def test_baseline_takes_the_place_of_the_words(opened: Callable[..., LoadedRun]) -> None:
    text = opened("text", rules={"paris": lambda context: "S-LOC"})
    result = cases(opened(), baseline=text)
    assert kinds(result) == {"helped": ["p6"], "misled": ["p5"]}
    assert [each.name for each in result.shown[0].readings] == ["made/text T", "made/ita T", "made/ita I+T"]


def test_alignment_rescues_what_the_picture_misled(opened: Callable[..., LoadedRun]) -> None:
    unaligned = opened("joint", rules={"kevin": lambda context: "O" if context else "S-PER"})
    result = cases(opened(), baseline=opened("text"), unaligned=unaligned)
    assert result.counts["rescued"] == 1
    (case,) = [case for case in result.shown if case.kind == "rescued"]
    assert case.id == "p1"
    assert [each.right for each in case.readings] == [True, True, False, True]
    ((span, match),) = case.matches
    assert (span, match.text, match.whole) == (Span(0, 1, "PER"), "KEVIN LOVE 12", True)


def test_alignment_rescues_nothing_that_the_words_alone_get_wrong(opened: Callable[..., LoadedRun]) -> None:
    unaligned = opened("joint", rules={"kevin": lambda context: "O"})
    text = opened("text", rules={"kevin": lambda context: "O"})
    assert cases(opened(), baseline=text, unaligned=unaligned).counts["rescued"] == 0


def test_rescue_names_its_readings(opened: Callable[..., LoadedRun]) -> None:
    result = cases(opened(), baseline=opened("text"), unaligned=opened("joint"))
    assert result.meaning("helped") == "made/text T wrong, made/ita I+T right"
    assert result.meaning("rescued") == "made/text T right, made/joint I+T wrong, both views of made/ita right"
    assert cases(opened()).meaning("misled") == "made/ita T right, made/ita I+T wrong"


def test_posts_turn_between_two_readings_on_record(make_record: Callable[..., dict[str, Any]]) -> None:
    by_post = {"fingerprint": "1", "labels": ["LOC", "PER"], "T": "0 0-1 . -1 .", "I+T": "0 01 +0 -1+0 ."}
    nothing = {"T": [[]] * 4, "I+T": [[]] * 4}
    run = RunRecord.model_validate(make_record("ita", 1, nothing, outcomes={"dev": by_post}))
    assert turned(run, "T", run, "I+T", split="dev") == (1, 1)  # the second post, the third
    assert turned(run, "T", run, "T", split="dev") == (0, 0)
    assert turned(run, "T", run, "I+T", split="test") is None


def test_most_cuts_what_is_shown_and_not_what_is_counted(opened: Callable[..., LoadedRun]) -> None:
    result = cases(opened(), most=1)
    assert result.counts["helped"] == 2
    assert kinds(result) == {"helped": ["p2"], "misled": ["p5"]}


def test_rows_on_other_posts_are_refused(opened: Callable[..., LoadedRun]) -> None:
    with pytest.raises(DataError, match="different posts"):
        cases(opened(), baseline=replace(opened("text"), data="made/dev@other"))


def test_row_is_not_compared_with_itself(opened: Callable[..., LoadedRun]) -> None:
    with pytest.raises(DataError, match="two of the experiments have the same name"):
        cases(opened(), baseline=opened())


def test_each_reading_is_signed_as_it_was_decoded(opened: Callable[..., LoadedRun]) -> None:
    result = cases(opened(), baseline=opened("text", decode={"constrained": False}))
    assert " decode=unconstrained " in result.readings["made/text T"].signature
    assert " decode=constrained " in result.readings["made/ita T"].signature
