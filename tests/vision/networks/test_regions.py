"""What a detector of a folder sees in pictures, and how pictures are prepared for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from tiny_models import published

from mner.types import Tag
from mner.vision.detectors.c4 import Detector, Options
from mner.vision.networks.c4_layouts import BOTTOMUP, VINVL
from mner.vision.networks.regions import load

REQUEST = {"threshold": 0.2, "least": 10, "most": 100, "refine": False}


def noise(width: int, height: int) -> Image.Image:
    pixels = np.random.default_rng(5).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def test_input_of_vinvl_is_resized_as_by_torchvision() -> None:
    picture = noise(200, 150)
    pixels, scale = VINVL.prepare(picture, torch.tensor(VINVL.mean))
    assert pixels.shape == (1, 3, 600, 800) and scale == (4, 4)
    expected = np.asarray(picture.resize((800, 600), Image.Resampling.BILINEAR), np.float32)[..., ::-1]
    expected = expected - np.array(VINVL.mean, np.float32)
    np.testing.assert_allclose(pixels[0].permute(1, 2, 0).numpy(), expected, atol=1e-4)
    assert VINVL.prepare(noise(300, 30), torch.tensor(VINVL.mean))[0].shape == (1, 3, 100, 1000)


def test_input_of_bottomup_is_resized_as_by_opencv() -> None:
    for width, height in ((200, 150), (1600, 900)):
        picture = noise(width, height)
        pixels, (scale, _) = BOTTOMUP.prepare(picture, torch.tensor(BOTTOMUP.mean))
        blue_first = np.asarray(picture, np.float32)[..., ::-1] - np.array(BOTTOMUP.mean, np.float32)
        expected = cv2.resize(blue_first, None, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        np.testing.assert_allclose(pixels[0].permute(1, 2, 0).numpy(), expected, atol=0.05)


@pytest.mark.parametrize("name", ["c4-vinvl", "c4-bottomup"])
def test_objects_have_names_attributes_and_boxes(name: str, tiny_vision: Callable[[str], Path]) -> None:
    picture = noise(120, 90)
    tags = Detector(Options(model=tiny_vision(name), device="cpu"))(picture)
    assert tags and all(isinstance(tag, Tag) and tag.object in published.OBJECTS for tag in tags)
    confidences = [tag.confidence for tag in tags]
    assert confidences == sorted(confidences, reverse=True)
    assert any(tag.attributes for tag in tags) and all(len(tag.attributes) <= 3 for tag in tags)
    assert {attribute for tag in tags for attribute in tag.attributes} <= set(published.ATTRIBUTES)
    refined = Detector(Options(model=tiny_vision(name), device="cpu", refine=True))(picture)
    assert [tag.box for tag in refined] != [tag.box for tag in tags]


def test_network_is_loaded_once_and_a_picture_seen_once(tiny_vision: Callable[[str], Path]) -> None:
    folder = tiny_vision("c4-vinvl")
    detector, picture = load(folder, device="cpu"), noise(80, 60)
    assert load(folder, device="cpu") is detector
    first = detector(picture, **REQUEST)
    assert detector(picture, **REQUEST) is first
    assert detector(picture, **{**REQUEST, "most": 3}) is not first
    again = detector(picture.copy(), **REQUEST)
    assert again is not first and torch.equal(again.features, first.features)


def test_picture_without_large_proposals_is_one_region(tiny_vision: Callable[[str], Path]) -> None:
    scan = load(tiny_vision("c4-bottomup"), device="cpu")(noise(600, 4), **REQUEST)
    assert len(scan.objects) == 1 and scan.features.shape == (1, 64)
