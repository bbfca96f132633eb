"""Pictures -> the objects a detection network finds, with legal boxes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from PIL import Image

from mner.types import Box
from mner.vision.networks.joined import joined
from mner.vision.networks.load import Network, prepared

LEAST = 1.0
"""Pixels of a side of a box; what is thinner is no object."""


def detect(network: Network, pictures: Sequence[Image.Image], threshold: float) -> list[list[tuple[int, float, Box]]]:
    """For each picture its (class, confidence, box) triples over a threshold, by confidence, descending.

    They are what the network's own processor makes of its output, with boxes cut to the picture.
    """
    found: list[list[tuple[int, float, Box]]] = [[] for _ in pictures]
    for places, given in joined([prepared(network, picture) for picture in pictures]):
        with torch.inference_mode():
            results = network.images.post_process_object_detection(
                network.model(**given),
                threshold=threshold,
                target_sizes=[(pictures[place].height, pictures[place].width) for place in places],
            )
        for place, result in zip(places, results, strict=True):
            found[place] = _triples(result, pictures[place].size)
    return found


def _triples(result: Mapping[str, Any], size: tuple[int, int]) -> list[tuple[int, float, Box]]:
    rows = zip(result["labels"].tolist(), result["scores"].tolist(), result["boxes"].tolist(), strict=True)
    cut = [(kind, round(score, 4), within(sides, size)) for kind, score, sides in sorted(rows, key=lambda row: -row[1])]
    return [(kind, score, box) for kind, score, box in cut if box is not None]


def within(box: Iterable[Any], size: tuple[int, int]) -> Box | None:
    """A box cut to the picture, rounded to tenths of a pixel; None where nothing of it is left.

    >>> within((-3.04, 2.0, 20.26, 9.0), (20, 10)), within((25, 0, 30, 5), (20, 10))
    ((0.0, 2.0, 20.0, 9.0), None)
    """
    left, top, right, bottom = (float(side) for side in box)
    width, height = size
    cut = (max(left, 0.0), max(top, 0.0), min(right, float(width)), min(bottom, float(height)))
    if cut[2] - cut[0] < LEAST or cut[3] - cut[1] < LEAST:
        return None
    return (round(cut[0], 1), round(cut[1], 1), round(cut[2], 1), round(cut[3], 1))
