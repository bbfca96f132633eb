"""Lines cut out of a picture, and the text of what a network answers."""

from __future__ import annotations

import numpy as np
import pytest

from mner.vision.ocr._line_reader import cut_out, decoded, on_its_head, prepared


def test_line_is_cut_out_straight() -> None:
    pixels = np.zeros((200, 200, 3), np.uint8)
    for step in range(100):  # a white line of 100 pixels down and 100 across, 20 high
        pixels[40 + step : 60 + step, 40 + step] = 255
    slanted = np.array([[40, 40], [139, 139], [139, 159], [40, 60]], np.float32)
    line = cut_out(pixels, slanted)
    assert line.shape[:2] == (20, 140)
    assert line[2:-2, 2:-2].min() > 200


@pytest.mark.parametrize(("width", "height", "shape"), [(60, 20, (20, 60)), (20, 60, (20, 60)), (20, 25, (25, 20))])
def test_line_that_runs_downwards_is_laid_on_its_side(width: int, height: int, shape: tuple[int, int]) -> None:
    box = np.array([[10, 10], [10 + width, 10], [10 + width, 10 + height], [10, 10 + height]], np.float32)
    assert cut_out(np.zeros((100, 100, 3), np.uint8), box).shape[:2] == shape


@pytest.mark.parametrize(("size", "width"), [((24, 100), 224), ((48, 32), 32), ((100, 1), 32), ((10, 300), 1440)])
def test_network_input_has_the_width_of_its_line(size: tuple[int, int], width: int) -> None:
    network = prepared(np.full((*size, 3), 255, np.uint8))
    assert network.shape == (1, 3, 48, width) and network.dtype == np.float32
    filled = -(-48 * size[1] // size[0])
    assert (network[..., :filled] == 1).all() and (network[..., filled:] == 0).all()


def test_long_line_is_squeezed_into_a_given_width() -> None:
    assert prepared(np.zeros((10, 300, 3), np.uint8), 192).shape == (1, 3, 48, 192)


def test_decoding_merges_repeats_and_drops_blanks() -> None:
    steps = np.zeros((7, 4), np.float32)
    for step, (character, score) in enumerate([(0, 1), (1, 0.9), (1, 0.2), (0, 1), (1, 0.7), (2, 0.8), (0, 1)]):
        steps[step, character] = score
    text, score = decoded(steps, ["", "o", "n", " "])
    assert text == "oon" and score == pytest.approx(0.8)


def test_nothing_is_decoded_from_blanks() -> None:
    assert decoded(np.eye(1, 4, dtype=np.float32), ["", "a", "b", " "]) == ("", 0.0)


def test_direction_must_be_sure() -> None:
    assert on_its_head(np.array([0.02, 0.98])) and not on_its_head(np.array([0.2, 0.8]))
