from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.views import SHAPES
from mner.views.shapes import shape


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("love", "lower"),
        ("2day", "lower"),
        ("ß", "lower"),
        ("NBA", "upper"),
        ("U2B", "upper"),
        ("ΑΘΗΝΑ", "upper"),
        ("Kevin", "title"),
        ("Ǆungla", "title"),
        ("X", "single"),
        ("B2", "single"),
        ("iPhone", "mixed"),
        ("McDonald", "mixed"),
        ("2016", "digit"),
        ("٣", "digit"),
        ("#", "symbol"),
        ("🔥", "symbol"),
        ("猫", "uncased"),
        ("مرحبا", "uncased"),
        ("", "none"),
    ],
)
def test_shape_of(text: str, name: str) -> None:
    assert SHAPES[shape(text)] == name


@given(st.text())
def test_shape_is_known_for_any_text(text: str) -> None:
    assert 0 <= shape(text) < len(SHAPES)
    assert (shape(text) == 0) == (text == "")
