"""How like a misread name is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.grounding.misread import LONG, SHORT, likenesses


def likeness(name: str, other: str, least: float = 0.85) -> float:
    return dict(likenesses(name, other, least)).get(len(other), 0.0)


def distance(name: str, other: str) -> int:
    """Letters to insert, delete or replace, by the full matrix."""
    row = list(range(len(other) + 1))
    for place, char in enumerate(name, 1):
        above, row[0] = row[0], place
        for at, letter in enumerate(other, 1):
            above, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, above + (char != letter))
    return row[-1]


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
    assert likeness(name, other) == pytest.approx(alike)


@pytest.mark.parametrize(
    ("name", "other"),
    [("superbowl50", "superbowl51"), ("ps5console", "ps4console"), ("bowl50", "bowl5"), ("bowlgame", "bowlgame5")],
)
def test_other_digits_are_another_name(name: str, other: str) -> None:
    assert likeness(name, other, 0.5) == 0.0


def test_short_names_are_never_misread() -> None:
    assert likeness("love", "love", 0.5) == 0.0
    assert likeness("loved", "love", 0.5) == 0.0
    assert likeness("loved", "loves", 0.5) == pytest.approx(0.8)


def test_long_names_are_never_misread() -> None:
    assert likeness("a" * LONG, "a" * (LONG - 1) + "b") > 0.99
    assert likeness("a" * (LONG + 1), "a" * LONG + "b") == 0.0


@given(st.text("abc", min_size=5, max_size=9), st.text("abc", min_size=5, max_size=9))
def test_likeness_is_symmetric_and_over_the_least_or_none(name: str, other: str) -> None:
    alike = likeness(name, other, 0.6)
    assert alike == likeness(other, name, 0.6)
    assert alike == 0.0 or 0.6 <= alike <= 1.0
    assert (alike == 1.0) == (name == other)


@given(
    st.text("abcé", min_size=5, max_size=80), st.text("abcé", max_size=90), st.sampled_from([0.1, 0.3, 0.6, 0.85, 1])
)
def test_all_beginnings_are_compared_as_by_the_full_matrix(name: str, text: str, least: float) -> None:
    expected = {}
    for length in range(SHORT, len(text) + 1):
        longest = max(len(name), length)
        edits = distance(name, text[:length])
        if edits <= int((1 - least) * longest + 1e-9) and length * least <= len(name):
            expected[length] = 1 - edits / longest
    assert dict(likenesses(name, text, least)) == expected
