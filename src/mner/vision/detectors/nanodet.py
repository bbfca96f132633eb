"""NanoDet-g: 80 everyday objects (the classes of COCO), found fast and on any CPU.

Attributes are computed from the pixels, not learned: see ``mner.vision.attributes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from mner.types import Tag
from mner.vision.protocols import About, PluginOptions
from mner.vision.sessions import ASSETS, open_session

MODELS = (ASSETS / "nanodet-g-416-coco80.fp16.onnx",)

SIDE = 416
STRIDES = (8, 16, 32)
BINS = 11
_MEAN = np.array((103.53, 116.28, 123.675), dtype=np.float32)  # blue, green, red
_DEVIATION = np.array((57.375, 57.12, 58.395), dtype=np.float32)
CLASSES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant",
    "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard",
    "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli",
    "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet",
    "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink",
    "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip

Floats = NDArray[np.float32]


class Options(PluginOptions):
    """[vision.options.nanodet]."""

    threshold: float = Field(default=0.5, gt=0, le=1)  # least confidence of an object
    overlap: float = Field(default=0.6, gt=0, le=1)  # intersection over union above which two boxes are one object


ABOUT = About(
    downloads="nothing; the model comes with mner (7.6 MB, half precision).",
    licence="Apache-2.0 (RangiLyu/nanodet); the trained weights' own figure is 22.9 mAP on COCO: useful, not strong.",
    speed="about 20 ms a picture on two cores.",
    models=lambda options: MODELS,
)


class Detector:
    """Objects of a picture, by confidence, descending."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._options = options
        self._session = open_session(MODELS[0], threads=threads)

    def __call__(self, picture: Image.Image) -> list[Tag]:
        """The objects of an upright RGB picture; boxes in its pixels."""
        pixels, scale = prepare(picture)
        outputs = self._session.run(None, {"input": pixels})
        boxes, scores, classes = decode(outputs, threshold=self._options.threshold)
        best = suppress(boxes, scores, classes, overlap=self._options.overlap)
        boxes = np.clip(boxes / scale, 0, (picture.width, picture.height) * 2)
        return [
            Tag(CLASSES[classes[at]], confidence=round(float(scores[at]), 4), box=_box(boxes[at]), source="nanodet")
            for at in best
            if (boxes[at, 2:] - boxes[at, :2]).min() >= 1
        ]


def prepare(picture: Image.Image) -> tuple[Floats, float]:
    """The network's input (1, channel, row, column) and the factor from the picture's pixels to the input's."""
    scale = SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    resized = np.asarray(picture.resize(size, Image.Resampling.BILINEAR), dtype=np.float32)
    square = np.zeros((SIDE, SIDE, 3), dtype=np.float32)
    square[: size[1], : size[0]] = resized[..., ::-1]  # blue first, as in training
    return ((square - _MEAN) / _DEVIATION).transpose(2, 0, 1)[None], scale


def decode(outputs: Sequence[Any], *, threshold: float) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Boxes (object, 4), confidences (object,) and classes (object,) above the threshold, before suppression.

    The first three arrays hold class scores at each stride, (cell, class); the other three hold, for each side of
    the box, a distribution over 11 distances in strides, of which the mean counts: (cell, 4 * 11).
    """
    boxes, scores, classes = [], [], []
    for stride, cell_scores, sides in zip(STRIDES, outputs[:3], outputs[3:], strict=True):
        cells, labels = np.nonzero(cell_scores.reshape(-1, len(CLASSES)) >= threshold)
        columns = -(-SIDE // stride)
        row, column = np.divmod(cells, columns)
        centre = (np.stack((column, row), axis=1) + 0.5) * stride - 0.5
        logits = sides.reshape(-1, 4, BINS)[cells]
        weights = np.exp(logits - logits.max(axis=2, keepdims=True))
        distances = (weights / weights.sum(axis=2, keepdims=True)) @ np.arange(BINS, dtype=np.float32) * stride
        boxes.append(np.concatenate((centre - distances[:, :2], centre + distances[:, 2:]), axis=1))
        scores.append(cell_scores.reshape(-1, len(CLASSES))[cells, labels])
        classes.append(labels)
    return np.concatenate(boxes).astype(np.float32), np.concatenate(scores), np.concatenate(classes)


def suppress(boxes: Floats, scores: Floats, classes: NDArray[np.int64], *, overlap: float) -> list[int]:
    """Indices of the objects that stay, by score: none overlaps a better one of its own class by more.

    >>> boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]], dtype=np.float32)
    >>> suppress(boxes, np.array([0.5, 0.9, 0.6], dtype=np.float32), np.array([0, 0, 0]), overlap=0.6)
    [1, 2]
    """
    left = np.argsort(-scores, kind="stable")
    area = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    stay: list[int] = []
    while left.size:
        best, rest = int(left[0]), left[1:]
        stay.append(best)
        corner = np.maximum(boxes[best, :2], boxes[rest, :2])
        shared = np.prod(np.maximum(np.minimum(boxes[best, 2:], boxes[rest, 2:]) - corner, 0), axis=1)
        union = area[best] + area[rest] - shared
        same = (classes[rest] == classes[best]) & (shared > overlap * union)
        left = rest[~same]
    return stay


def _box(sides: Floats) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(float(side), 1) for side in sides)
    return left, top, right, bottom
