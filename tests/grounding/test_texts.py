"""Which lines of text in a picture hold an entity's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.grounding.texts import Match, Shared, likeness, matches, shared
from mner.types import OcrText


def places(entity: str, *lines: str, least: float = 0.85) -> list[tuple[tuple[str, ...], str]]:
    texts = [OcrText(line) for line in lines]
    return [(tuple(lines[at] for at in entry.lines), entry.match) for entry in shared(entity, texts, least=least)]


@pytest.mark.parametrize(
    ("entity", "line", "match"),
    [
        ("Cleveland", "I love Cleveland!", "exact"),
        ("Cleveland", "CLEVELAND", "case"),
        ("Cleveland", "CLEVELANO", "fuzzy 0.89"),
        ("Chicago", "CHlCAGO", "fuzzy 0.86"),
        ("#ChicagoCubs", "Chicago Cubs", "exact"),
        ("Chicago Cubs", "#chicagocubs", "case"),
        ("@kevin_love", "KEVIN LOVE 42", "case"),
        ("São Paulo", "SÃO PAULO", "case"),
        ("Kevin Love", "LOVE", "part"),
        ("Cleveland Cavaliers", "CLEVELAND", "part"),
        ("Real Madrid C.F.", "hala real madrid", "part"),
        ("Super Bowl 50", "SUPER BOWL 51", "part"),
    ],
)
def test_each_kind_of_match(entity: str, line: str, match: str) -> None:
    assert places(entity, "OTHER WORDS", line) == [((line,), match)]


@pytest.mark.parametrize(
    ("entity", "line"),
    [
        ("Cleveland", "CLEVER"),
        ("Love", "gloves"),
        ("Love", "LIVE"),
        ("I", "I"),
        ("!!", "!!"),
        ("New York", "Old York Road"),
        ("The Beatles", "THE"),
        ("Windows 10", "WINDOWS 11S"),
        ("कि", "का की"),
        ("Cleveland", ""),
    ],
)
def test_what_is_no_match(entity: str, line: str) -> None:
    assert places(entity, line) == []


def test_misread_names_are_left_out_where_all_letters_must_agree() -> None:
    assert places("Cleveland", "CLEVELANO", least=1.0) == []
    assert places("Cleveland", "CLEVELAND", least=1.0) == [(("CLEVELAND",), "case")]


def test_the_best_come_first_and_parts_only_where_none_is_whole() -> None:
    assert places("New York", "NEW", "NEW YORK", "New York") == [(("New York",), "exact"), (("NEW YORK",), "case")]
    assert places("Kevin Love", "LOVE", "KEVlN LOVE") == [(("KEVlN LOVE",), "fuzzy 0.89")]


def test_a_line_that_says_it_twice_counts_once() -> None:
    assert places("Chelsea", "CHELSEA CHELSEA") == [(("CHELSEA CHELSEA",), "case")]


def test_neighbouring_lines_hold_it_together() -> None:
    near = [OcrText("CHICAGO", box=(0, 0, 90, 10)), OcrText("CUBS", box=(0, 12, 90, 22))]
    assert shared("Chicago Cubs", near, least=0.85) == [Shared((0, 1), "case", 1.0)]
    far = [near[0], OcrText("CUBS", box=(0, 500, 90, 510))]
    assert [entry.match for entry in shared("Chicago Cubs", far, least=0.85)] == ["part"]


def test_lines_of_two_pictures_are_no_neighbours() -> None:
    lines = [OcrText("CHICAGO", box=(0, 0, 90, 10)), OcrText("CUBS", box=(0, 12, 90, 22), picture=1)]
    assert [(entry.lines, entry.match) for entry in shared("Chicago Cubs", lines, least=0.85)] == [((0,), "part")]


def test_three_lines_hold_a_misread_name() -> None:
    assert places("Bank of America", "BANK", "0F", "AMERICA") == [
        (("AMERICA",), "part")
    ]  # a digit is no misread letter
    assert places("Bank of America", "BANK", "OF", "AMERlCA") == [(("BANK", "OF", "AMERlCA"), "fuzzy 0.92")]


@given(st.text(max_size=30), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_may_be_compared(entity: str, lines: list[str]) -> None:
    for entry in shared(entity, [OcrText(line) for line in lines], least=0.85):
        assert 0 < entry.likeness <= 1
        assert set(entry.lines) <= set(range(len(lines)))


HEADLINE = "Federation Business Data Lake Solution"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["DATA", "FEDERATION BUSINESS DATA LAKE 1.0", "BUSINESS"], ["FEDERATION BUSINESS DATA LAKE 1.0"]),
        (["DATA", "by", "FEDERATION BUSINESS", "DATA LAKE 1.0"], ["FEDERATION BUSINESS", "DATA LAKE 1.0"]),
        (["FEDERATIONBUSINESS", "DATALAKE 1.0", "DATA"], ["FEDERATIONBUSINESS", "DATALAKE 1.0"]),
        (["the data lake of the firm", "LAKE"], []),
    ],
)
def test_matches_are_those_that_share_most_over_neighbouring_lines(lines: list[str], expected: list[str]) -> None:
    matched = matches(HEADLINE, [OcrText(line) for line in lines])
    assert [match.text for match in matched] == expected
    assert not any(match.whole for match in matched)


def test_lines_far_apart_share_nothing_together() -> None:
    near = [OcrText("I LOVE NEW", box=(0, 0, 90, 10)), OcrText("YORK CITY", box=(0, 12, 90, 22))]
    far = [near[0], OcrText("YORK CITY", box=(0, 500, 90, 510))]
    assert [match.text for match in matches("New York", near)] == ["I LOVE NEW", "YORK CITY"]
    assert matches("New York", far) == ()


def test_a_match_may_have_no_box_and_says_whether_it_is_whole() -> None:
    lines = [OcrText("NEWYORK", box=(0, 0, 1, 1)), OcrText("new york", picture=1)]
    assert matches("#NewYork", lines) == (
        Match("NEWYORK", (0, 0, 1, 1), True),
        Match("new york", None, True, 1),
    )
    assert matches("Kevin Love", [OcrText("LOVE")]) == (Match("LOVE", None, False),)


@pytest.mark.parametrize(
    ("name", "other", "alike"),
    [
        ("cleveland", "cleveland", 1.0),
        ("cleveland", "clevelano", 8 / 9),
        ("cleveland", "cleveand", 8 / 9),
        ("cleveland", "clevelands", 9 / 10),
        ("chicago", "chlcago", 6 / 7),
        ("chicago", "chlcaqo", 0.0),
        ("paris", "maris", 0.0),
        ("chicagocubs", "chicagoclub", 0.0),
    ],
)
def test_likeness_is_the_share_of_letters_that_stay(name: str, other: str, alike: float) -> None:
    assert likeness(name, other, 0.85) == pytest.approx(alike)


@pytest.mark.parametrize(("name", "other"), [("superbowl50", "superbowl51"), ("ps5console", "ps4console")])
def test_other_digits_are_another_name(name: str, other: str) -> None:
    assert likeness(name, other, 0.5) == 0.0


def test_short_names_are_never_misread() -> None:
    assert likeness("love", "love", 0.5) == 0.0
    assert likeness("loved", "loves", 0.5) == pytest.approx(0.8)


@given(st.text("abc", min_size=5, max_size=9), st.text("abc", min_size=5, max_size=9))
def test_likeness_is_symmetric_and_over_the_least_or_none(name: str, other: str) -> None:
    alike = likeness(name, other, 0.6)
    assert alike == likeness(other, name, 0.6)
    assert alike == 0.0 or 0.6 <= alike <= 1.0
    assert (alike == 1.0) == (name == other)
