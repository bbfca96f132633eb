"""The template's sentences."""

from __future__ import annotations

import pytest
from PIL import Image

from mner.types import Tag
from mner.vision.captioners import template
from mner.vision.protocols import Scene

CAPTIONS = [
    (["person"], [], "a photo of a person"),
    (["person", "dog", "person"], ["stage"], "a photo of two people and a dog; it looks like a stage"),
    (["umbrella", "bus", "bus", "knife", "knife"], [], "a photo of an umbrella, two buses and two knives"),
    ([], ["website"], "a picture that looks like a website"),
    (["person"] * 11, [], "a photo of many people"),
    (["boat"], ["boat"], "a photo of a boat"),
    ([], [], ""),
]


@pytest.mark.parametrize(("objects", "scenes", "expected"), CAPTIONS)
def test_template_says_what_was_seen(objects, scenes, expected):
    assert template.sentence(objects, scenes) == expected


def test_template_without_anything_certain_gives_no_caption():
    captioner = template.Captioner(template.Options())
    picture = Image.new("RGB", (5, 5))
    assert captioner(picture, [Tag("dog", confidence=0.3)], scenes=[], ocr=[]) == []
    (caption,) = captioner(picture, [Tag("dog", confidence=0.9)], scenes=[Scene("beach", 0.8)], ocr=[])
    assert (caption.text, caption.source) == ("a photo of a dog; it looks like a beach", "template")
