"""Open-vocabulary detectors that are asked for entities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mner.errors import ModelError
from mner.vision.grounders.openvocab import Grounder, Options
from mner.vision.protocols import Sought

SOUGHT = [Sought("cat", ""), Sought("F.C.", "red"), Sought("cat", "")]


def noise() -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (80, 90, 3), np.uint8))


@pytest.mark.parametrize("architecture", ["owlv2", "grounding-dino"])
def test_each_box_goes_to_the_name_that_fits_best(tiny_vision: Callable[[str], Path], architecture: str) -> None:
    options = Options(model=str(tiny_vision(architecture)), threshold=0.01, most=20, device="cpu")
    cat, club, again = Grounder(options, threads=1)(noise(), SOUGHT)
    assert cat == again and (cat or club)
    boxes = [box for _, box in (*cat, *club)]
    assert len(boxes) == len(set(boxes))
    assert all(0 <= left < right <= 90 and 0 <= top < bottom <= 80 for left, top, right, bottom in boxes)
    assert [score for score, _ in cat] == sorted((score for score, _ in cat), reverse=True)


def test_the_best_boxes_are_kept(tiny_vision: Callable[[str], Path]) -> None:
    model = str(tiny_vision("owlv2"))
    grounder, all_ = (Grounder(Options(model=model, threshold=0.01, most=most, device="cpu")) for most in (1, 20))
    for few, many in zip(grounder(noise(), SOUGHT), all_(noise(), SOUGHT), strict=True):
        assert few == many[:1]


def test_nothing_to_look_for_asks_nothing(tiny_vision: Callable[[str], Path]) -> None:
    grounder = Grounder(Options(model=str(tiny_vision("owlv2")), device="cpu"))
    assert grounder(noise(), []) == []
    assert grounder(noise(), [Sought("...", "")]) == [[]]


def test_another_architecture_is_refused(tiny_vision: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match=r"grounding\.options\.model.*runs grounding-dino, owlv2"):
        Grounder(Options(model=str(tiny_vision("rt_detr"))))
