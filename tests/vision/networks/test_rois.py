"""Boxes against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_models import derived

from mner.vision.networks import rois


def boxes_of(count: int, seed: int, *, width: float = 100, height: float = 80) -> np.ndarray:
    random = np.random.default_rng(seed)
    corners = random.uniform(0, [width, height], (count, 2, 2))
    return np.concatenate([corners.min(1), corners.max(1)], 1)


@pytest.mark.parametrize("last", [0, 1])
def test_suppression_keeps_what_a_loop_keeps(last: int) -> None:
    boxes, scores = boxes_of(60, 1), np.random.default_rng(2).uniform(size=60)
    order = np.argsort(-scores)
    expected = derived.nms(boxes, scores, 0.3, last)
    result = rois.suppress(torch.from_numpy(boxes[order]), 0.3, 300, last=last)
    assert order[result.numpy()].tolist() == expected and 5 < len(expected) < 60
    few = rois.suppress(torch.from_numpy(boxes[order]), 0.3, 4, last=last)
    assert order[few.numpy()].tolist() == expected[:4]


def test_overlap_equal_to_the_threshold_falls_only_where_last_pixels_count() -> None:
    boxes = torch.tensor([[0.0, 0, 9, 9], [0, 0, 9, 4]])  # 50 of 100 pixels with the last row; 36 of 81 without
    assert len(rois.suppress(boxes, 0.5, 9, last=1)) == 1
    edge = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 5]])
    assert len(rois.suppress(edge, 0.5, 9, last=0)) == 2


@pytest.mark.parametrize("shared", [True, False])
def test_suppression_by_class_is_that_of_each_class(shared: bool) -> None:
    classes = 70  # more than are looked at together
    scores = np.random.default_rng(3).uniform(size=(classes, 25))
    boxes = np.stack([boxes_of(25, 9 if shared else seed) for seed in range(1 if shared else classes)])
    result = rois.suppress_by_class(torch.from_numpy(boxes), torch.from_numpy(scores), 0.3, last=1)
    for kind in range(classes):
        own = boxes[0 if shared else kind]
        assert set(result[kind].nonzero().flatten().tolist()) == set(derived.nms(own, scores[kind], 0.3, 1))


def test_aligned_and_pooled_regions_are_those_of_loops() -> None:
    maps = np.random.default_rng(4).normal(size=(3, 5, 7))
    boxes = np.concatenate(
        [boxes_of(12, 5, width=130, height=100), [[0, 0, 0, 0], [40, 30, 111, 79], [100, 70, 200, 160]]]
    )
    tensors = torch.from_numpy(maps), torch.from_numpy(boxes)
    for name in ("roi_align", "roi_pool"):
        result = getattr(rois, name)(*tensors, cells=4, scale=1 / 16)
        expected = np.array([getattr(derived, name)(maps, box, 4, 1 / 16) for box in boxes])
        np.testing.assert_allclose(result.numpy(), expected, atol=1e-12)
        assert getattr(rois, name)(tensors[0], tensors[1][:0], cells=4, scale=1 / 16).shape == (0, 3, 4, 4)


def test_decoded_boxes_are_those_of_a_loop() -> None:
    boxes, random = boxes_of(20, 6), np.random.default_rng(7)
    deltas = random.normal(0, 3, (20, 4))
    for last, weights in ((1, (10, 10, 5, 5)), (0, (1, 1, 1, 1))):
        result = rois.decode(torch.from_numpy(deltas), torch.from_numpy(boxes), weights, last=last)
        expected = [derived.decoded(*pair, weights, last) for pair in zip(deltas, boxes, strict=True)]
        np.testing.assert_allclose(result.numpy(), expected, rtol=1e-12)


def test_anchors_are_those_of_the_caffe_code() -> None:
    anchors = rois.cell_anchors([128, 256, 512])
    assert anchors[[0, 4, 8]].tolist() == [[-84, -40, 99, 55], [-120, -120, 135, 135], [-168, -344, 183, 359]]
    grid = rois.spread(anchors, 2, 3)
    assert grid.shape == (2 * 3 * 9, 4)
    assert (grid[9 * 5] - anchors[0]).tolist() == [32, 16, 32, 16]
