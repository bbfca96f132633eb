"""Boxes are sound, lie in the picture, and pictures are measured without being decoded."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mner.grounding.boxes import inside, overlap, size_of, union

SIDES = st.floats(-50, 50)


@given(st.tuples(SIDES, SIDES, SIDES, SIDES), st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_no_box_lies_outside_the_picture(box: tuple[float, float, float, float], size: tuple[int, int]) -> None:
    cut = inside(box, size)
    if cut is not None:
        assert 0 <= cut[0] < cut[2] <= size[0] and 0 <= cut[1] < cut[3] <= size[1]
        assert cut[0] >= box[0] and cut[1] >= box[1] and cut[2] <= box[2] and cut[3] <= box[3]


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ((2, 3, 8, 9), (2, 3, 8, 9)),
        ((-5, -5, 5, 5), (0, 0, 5, 5)),
        ((5, 5, 500, 500), (5, 5, 20, 10)),
        ((20, 0, 30, 5), None),
        ((-9, 0, -1, 5), None),
        ((0, 0, 0.5, 5), None),
        ((8, 3, 2, 9), None),
        ((1, 2, 3), None),
        (None, None),
    ],
)
def test_box_is_cut_or_dropped(box: tuple[float, ...] | None, cut: object) -> None:
    assert inside(box, (20, 10)) == cut


def test_union_and_overlap_of_boxes() -> None:
    assert union([(5, 5, 6, 6), (0, 7, 2, 9)]) == (0, 5, 6, 9)
    assert overlap((0, 0, 4, 4), (0, 0, 4, 4)) == 1.0
    assert overlap((0, 0, 4, 4), (4, 0, 8, 4)) == 0.0


def test_size_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.new("RGB", (30, 20)).save(tmp_path / "a.jpg", exif=exif)
    Image.new("RGB", (30, 20)).save(tmp_path / "a.tif", exif=exif)
    assert size_of(tmp_path / "a.jpg") == size_of(tmp_path / "a.tif") == (20, 30)
    assert size_of(Image.new("L", (7, 9))) == (7, 9)
    stream = io.BytesIO()
    Image.new("RGB", (3, 4)).save(stream, "PNG")
    assert size_of(stream.getvalue()) == (3, 4)


def test_what_is_no_picture_has_no_size(tmp_path: Path) -> None:
    assert size_of(None) is None
    assert size_of(tmp_path / "none.png") is None
    assert size_of(b"no picture") is None
