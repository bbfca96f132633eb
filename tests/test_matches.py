"""Texts in a picture that share words with an entity: case, punctuation, neighbouring lines, several pictures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.matches import matches
from mner.types import OcrText


@pytest.mark.parametrize(
    ("entity", "text", "whole"),
    [
        ("Cleveland", "CLEVELAND!", True),
        ("New York", "I love new york 2016", True),
        ("New York", "NEWYORK", True),
        ("#newyork", "NEW YORK", True),
        ("Kevin Love", "LOVE", False),
        ("Real Madrid C.F.", "real madrid", False),
        ("São Paulo", "SÃO PAULO", True),
    ],
)
def test_match_ignores_case_and_punctuation(entity: str, text: str, whole: bool) -> None:
    (match,) = matches(entity.split(), [OcrText(text, box=(0, 0, 1, 1))])
    assert (match.text, match.whole, match.box) == (text, whole, (0, 0, 1, 1))


@pytest.mark.parametrize(
    ("entity", "text"),
    [("Cleveland", "CLEVER"), ("Love", "gloves"), ("I", "I"), ("!!", "!!"), ("New York", "Old York"), ("कि", "का की")],
)
def test_match_needs_whole_words(entity: str, text: str) -> None:
    assert matches(entity.split(), [OcrText(text)]) == ()


@given(st.lists(st.text(min_size=1, max_size=6), max_size=4), st.text(max_size=20))
def test_match_takes_any_text(entity: list[str], text: str) -> None:
    matched = matches(entity, [OcrText(text)])
    assert len(matched) <= 1


HEADLINE = "Federation Business Data Lake Solution".split()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["DATA", "FEDERATION BUSINESS DATA LAKE 1.0", "BUSINESS"], ["FEDERATION BUSINESS DATA LAKE 1.0"]),
        (["DATA", "by", "FEDERATION BUSINESS", "DATA LAKE 1.0"], ["FEDERATION BUSINESS", "DATA LAKE 1.0"]),
        (["FEDERATIONBUSINESS", "DATALAKE 1.0", "DATA"], ["FEDERATIONBUSINESS", "DATALAKE 1.0"]),
        (["the data lake of the firm", "LAKE"], ["LAKE"]),
    ],
)
def test_matches_are_those_that_share_most_over_neighbouring_lines(lines: list[str], expected: list[str]) -> None:
    matched = matches(HEADLINE, [OcrText(line) for line in lines])
    assert [match.text for match in matched] == expected
    assert not any(match.whole for match in matched)


def test_lines_far_apart_share_nothing_together() -> None:
    near = [OcrText("I LOVE NEW", box=(0, 0, 90, 10)), OcrText("YORK CITY", box=(0, 12, 90, 22))]
    far = [near[0], OcrText("YORK CITY", box=(0, 500, 90, 510))]
    assert [match.text for match in matches(["New", "York"], near)] == ["I LOVE NEW", "YORK CITY"]
    assert matches(["New", "York"], far) == ()


def test_lines_of_two_pictures_share_nothing_together() -> None:
    lines = [OcrText("I LOVE NEW"), OcrText("YORK CITY", picture=1)]
    assert matches(["New", "York"], lines) == ()
    (match,) = matches(["New", "York"], [OcrText("NEW"), OcrText("NEW YORK", picture=1)])[:1]
    assert (match.text, match.picture) == ("NEW YORK", 1)
