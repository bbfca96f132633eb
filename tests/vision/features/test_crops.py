"""Regions by name: the surest box of each, the whole picture where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mner.errors import ModelError
from mner.vision.features import crops, resnet
from mner.vision.images import Picture

NAMES = ("person", "location")


def test_surest_box_of_each_name_is_cut_out() -> None:
    picture = Image.new("RGB", (100, 50), "white")
    picture.paste("red", (10, 10, 20, 30))
    triples = [("person", 0.9, (10.0, 10.0, 20.0, 30.0)), ("person", 0.3, (0.0, 0.0, 100.0, 50.0))]
    person, location = crops.cut(picture, triples, NAMES)
    assert person.size == (10, 20) and person.getpixel((0, 0)) == (255, 0, 0)
    assert location is picture


def test_without_objects_the_whole_picture_stands_in(tiny_vision: Callable[[str], Path]) -> None:
    picture = Picture(Image.effect_noise((64, 48), 80).convert("RGB"), "", 64, 48)
    network = str(tiny_vision("resnet"))
    options = crops.Options(
        names=NAMES, detector=str(tiny_vision("owlv2")), threshold=1.0, model=network, side=64, device="cpu"
    )
    (arrays, nothing) = crops.FeatureExtractor(options)([picture, None], images=["a", "b"])
    (whole,) = resnet.FeatureExtractor(resnet.Options(model=network, side=64, device="cpu"))([picture], images=["a"])
    assert arrays is not None and nothing is None
    assert arrays["crops"].shape == (2, 24)
    for vector in arrays["crops"]:
        np.testing.assert_allclose(vector, whole["grid"].mean(0), rtol=1e-5, atol=1e-6)


def test_detector_of_another_kind_is_refused(tiny_vision: Callable[[str], Path]) -> None:
    with pytest.raises(ModelError, match=r'the architecture "resnet"; this backend runs grounding-dino, owlv2'):
        crops.FeatureExtractor(crops.Options(detector=str(tiny_vision("resnet"))))
