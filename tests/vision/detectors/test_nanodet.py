from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mner.vision.detectors import nanodet


@pytest.fixture(scope="module")
def sign() -> Image.Image:
    """A drawn stop sign on a sky: an octagon at (110, 60) to (330, 280)."""
    picture = Image.new("RGB", (440, 340), (150, 190, 230))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((214, 270, 226, 340), fill=(120, 120, 120))
    pen.regular_polygon((220, 170, 119), 8, rotation=22, fill=(255, 255, 255))
    pen.regular_polygon((220, 170, 110), 8, rotation=22, fill=(190, 20, 30))
    pen.text((220, 170), "STOP", fill="white", anchor="mm", font_size=80)
    return picture


def test_detector_finds_a_drawn_stop_sign(sign):
    tag, *_ = nanodet.Detector(nanodet.Options(), threads=1)(sign)
    assert (tag.object, tag.source) == ("stop sign", "nanodet")
    assert tag.confidence == pytest.approx(0.8643, abs=0.02)
    assert tag.box == pytest.approx((100.5, 53.2, 344.4, 291.5), abs=2)


def test_detector_boxes_follow_the_size_of_the_picture(sign):
    detector = nanodet.Detector(nanodet.Options(), threads=1)
    (small, *_), (large, *_) = detector(sign), detector(sign.resize((1760, 1360)))
    assert large.box == pytest.approx([4 * side for side in small.box], abs=16)


def test_detector_threshold_leaves_out_what_is_less_sure(sign):
    assert nanodet.Detector(nanodet.Options(threshold=0.999), threads=1)(sign) == []


def outputs(*cells: tuple[int, int, int, float, tuple[int, int, int, int]]) -> list[np.ndarray]:
    """Network outputs with the given (stride index, cell, class, score, bins of the four sides)."""
    sizes = [(-(-nanodet.SIDE // stride)) ** 2 for stride in nanodet.STRIDES]
    scores = [np.zeros((size, 80), np.float32) for size in sizes]
    sides = [np.zeros((size, 44), np.float32) for size in sizes]
    for level, cell, kind, score, bins in cells:
        scores[level][cell, kind] = score
        for side, place in enumerate(bins):
            sides[level][cell, side * 11 + place] = 50.0  # all of the distribution in one bin
    return scores + sides


def test_decode_gives_distances_from_the_cell_centre():
    boxes, scores, classes = nanodet.decode(outputs((1, 2 * 26 + 3, 7, 0.75, (1, 2, 3, 4))), threshold=0.5)
    # Row 2, column 3 at stride 16: the centre is (3.5 * 16 - 0.5, 2.5 * 16 - 0.5).
    assert boxes.tolist() == [pytest.approx([55.5 - 16, 39.5 - 32, 55.5 + 48, 39.5 + 64], abs=1e-3)]
    assert (scores.tolist(), classes.tolist()) == ([0.75], [7])


def test_decode_takes_the_mean_of_the_distribution():
    arrays = outputs((2, 0, 0, 0.9, (0, 0, 0, 0)))
    arrays[5][0] = 0.0  # uniform over 0..10: the mean is 5 strides
    boxes, _, _ = nanodet.decode(arrays, threshold=0.5)
    assert boxes[0] == pytest.approx([15.5 - 160, 15.5 - 160, 15.5 + 160, 15.5 + 160], abs=1e-3)


def test_decode_of_nothing_is_empty():
    boxes, scores, classes = nanodet.decode(outputs(), threshold=0.5)
    assert (boxes.shape, scores.shape, classes.shape) == ((0, 4), (0,), (0,))


def iou(a: np.ndarray, b: np.ndarray) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union


corner, length = st.integers(0, 30), st.integers(1, 30)


@settings(deadline=None)
@given(st.lists(st.tuples(corner, corner, length, length, st.integers(0, 1), st.integers(0, 20)), max_size=12))
def test_suppress_equals_the_plain_loop(rows):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h, _, _ in rows], np.float32).reshape(-1, 4)
    classes = np.array([row[4] for row in rows], np.int64)
    scores = np.array([row[5] / 20 for row in rows], np.float32)
    expected: list[int] = []
    for each in sorted(range(len(rows)), key=lambda index: -scores[index]):
        if all(classes[each] != classes[at] or iou(boxes[each], boxes[at]) <= 0.6 + 1e-7 for at in expected):
            expected.append(each)
    assert nanodet.suppress(boxes, scores, classes, overlap=0.6) == expected
