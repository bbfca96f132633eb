"""How alike two names are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.grounding.likeness import likeness


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
