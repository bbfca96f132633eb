"""The first look and the closer one, with a detector of ours: text is what is dark."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.vision.ocr._text_map import CELL, Map, Pixels, closer_size, text_boxes, text_map


class Eye:
    """Calls what is dark text, and notes the sizes of what it sees."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, ...]] = []

    def __call__(self, pixels: Pixels) -> Map:
        self.sizes.append(pixels.shape[:2])
        return 1 - pixels[..., 0].astype(np.float32) / 255


def page(*shapes: tuple[slice, slice, int], size: tuple[int, int] = (736, 1472)) -> Pixels:
    pixels = np.full((*size, 3), 255, np.uint8)
    for down, across, gray in shapes:
        pixels[down, across] = gray
    return pixels


def test_picture_without_text_is_seen_once_and_small() -> None:
    eye = Eye()
    assert text_map(page(), eye, first_look=True) is None
    assert eye.sizes == [(320, 640)]


def test_picture_is_seen_closer_only_around_its_text() -> None:
    eye = Eye()
    pixels = page((slice(100, 130), slice(200, 400), 0), (slice(600, 620), slice(1300, 1400), 0))
    found = text_map(pixels, eye, first_look=True)
    whole = text_map(pixels, Eye(), first_look=False)
    assert found is not None and whole is not None
    assert np.array_equal(found, whole)
    assert len(eye.sizes) == 3
    assert sum(height * width for height, width in eye.sizes[1:]) < 0.2 * 736 * 1472
    assert all(side % CELL == 0 for size in eye.sizes for side in size)


def test_picture_full_of_text_is_seen_whole() -> None:
    eye = Eye()
    pixels = page(*[(slice(top, top + 20), slice(30, 1440), 0) for top in range(40, 700, 60)])
    text_map(pixels, eye, first_look=True)
    assert eye.sizes == [(320, 640), (736, 1472)]


@pytest.mark.parametrize(("height", "seen"), [(24, 2), (300, 1)], ids=["small letters", "a cloud"])
def test_faint_shapes_are_seen_closer_where_they_are_small(height: int, seen: int) -> None:
    eye = Eye()
    text_map(page((slice(100, 100 + height), slice(200, 800), 155)), eye, first_look=True)
    assert len(eye.sizes) == seen


def test_boxes_are_grown_and_clockwise() -> None:
    map_ = np.zeros((160, 320), np.float32)
    map_[60:80, 100:200] = 1
    (box,) = text_boxes(map_, (640, 320))
    left, top = box.min(axis=0)
    right, bottom = box.max(axis=0)
    assert np.array_equal(box, [[left, top], [right, top], [right, bottom], [left, bottom]])
    grown = 1.6 * 100 * 20 / 240  # on each side, in pixels of the map
    assert left == pytest.approx(2 * (100 - grown), abs=4) and bottom == pytest.approx(2 * (80 + grown), abs=4)


def test_boxes_leave_out_specks_and_what_is_unlikely() -> None:
    map_ = np.zeros((160, 320), np.float32)
    map_[10:12, 10:12] = 1
    map_[60:80, 100:200] = 0.45
    assert text_boxes(map_, (320, 160)).shape == (0, 4, 2)


@given(st.integers(1, 1600), st.integers(1, 4))
def test_closer_size_is_whole_cells_within_limits(long: int, part: int) -> None:
    width, height = closer_size(long, -(-long // part))
    assert width % CELL == height % CELL == 0
    assert 736 <= height <= width <= 736 * 4 + CELL
