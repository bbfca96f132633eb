"""The first look and the closer one, with a detector of ours: text is what is dark."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.vision.ocr._text_map import CELL, PIECE, Map, Pixels, closer_look, closer_size, first_look, text_boxes


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


def test_first_look_is_small_and_finds_boxes_in_pixels_of_the_picture() -> None:
    eye = Eye()
    assert len(first_look(page(), eye)) == 0
    (box,) = first_look(page((slice(300, 360), slice(400, 800), 0)), eye)
    assert eye.sizes == [(320, 640), (320, 640)]
    left, top = box.min(axis=0)
    right, bottom = box.max(axis=0)
    assert 320 < left < 400 and 220 < top < 300 and 800 < right < 880 and 360 < bottom < 440


def test_picture_is_seen_closer_only_around_its_text() -> None:
    eye = Eye()
    pixels = page((slice(100, 130), slice(200, 400), 0), (slice(600, 620), slice(1300, 1400), 0))
    seen = closer_look(pixels, eye, first_look(pixels, Eye()))
    assert np.array_equal(seen, closer_look(pixels, Eye()))
    assert len(eye.sizes) == 2
    assert sum(height * width for height, width in eye.sizes) < 0.2 * 736 * 1472
    assert all(side % CELL == 0 for size in eye.sizes for side in size)


def test_picture_full_of_text_is_seen_whole() -> None:
    pixels = page(*[(slice(top, top + 20), slice(30, 1200), 0) for top in range(40, 500, 60)])
    boxes = first_look(pixels, Eye())
    pixels[700:710, 1400:1460] = 0  # far from all boxes
    assert closer_look(pixels, Eye(), boxes)[705, 1430] == 1


@pytest.mark.parametrize("size", [(736, 1472), (736, 2944), (2944, 736), (1600, 1984)])
def test_large_picture_is_seen_in_pieces_that_overlap(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    eye = Eye()
    assert np.array_equal(closer_look(pixels, eye), Eye()(pixels))
    assert len(eye.sizes) > 1
    assert max(height * width for height, width in eye.sizes) <= PIECE * CELL**2
    assert sum(height * width for height, width in eye.sizes) < 1.3 * size[0] * size[1]


def test_line_at_the_cut_is_whole_in_one_piece() -> None:
    """Pieces see 0 at their upper and lower edge, as a detector is unsure there."""

    def see(pixels: Pixels) -> Map:
        seen = Eye()(pixels)
        seen[:CELL] = seen[-CELL:] = 0
        return seen

    for top in range(2 * CELL, 736 - 3 * CELL, CELL):
        pixels = page((slice(top, top + CELL), slice(200, 1200), 0))
        assert closer_look(pixels, see)[top : top + CELL, 200:1200].min() == 1


@pytest.mark.parametrize(("height", "boxes"), [(24, 1), (300, 0)], ids=["small letters", "a cloud"])
def test_faint_shapes_are_seen_closer_where_they_are_small(height: int, boxes: int) -> None:
    assert len(first_look(page((slice(100, 100 + height), slice(200, 800), 155)), Eye())) == boxes


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
