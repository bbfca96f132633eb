"""Scene labels, attributes and the template's sentences."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mner.types import Tag
from mner.vision.attributes import attributes
from mner.vision.captioners import template
from mner.vision.protocols import Scene
from mner.vision.scene import scene


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((250, 250, 250), "white"), ((10, 10, 12), "black"), ((128, 128, 128), "gray"), ((220, 20, 20), "red"),
        ((255, 140, 0), "orange"), ((110, 70, 30), "brown"), ((250, 230, 20), "yellow"), ((30, 150, 40), "green"),
        ((20, 60, 200), "blue"), ((120, 30, 180), "purple"), ((250, 120, 190), "pink"),
    ],
)  # fmt: skip
def test_colour_names_plain_colours(rgb, name):
    assert attributes.colour(Image.new("RGB", (40, 30), rgb), (0, 0, 40, 30)) == name


def test_colour_is_none_where_none_prevails():
    stripes = np.zeros((60, 60, 3), np.uint8)
    for stripe, colour in enumerate(((255, 0, 0), (0, 0, 255), (0, 160, 0), (250, 230, 0))):
        stripes[:, 10 + 10 * stripe : 20 + 10 * stripe] = colour
    assert attributes.colour(Image.fromarray(stripes), (0, 0, 60, 60)) is None


def test_attributes_are_size_then_colour_and_never_a_persons_colour():
    picture = Image.new("RGB", (100, 100), (20, 60, 200))
    ImageDraw.Draw(picture).rectangle((0, 0, 79, 79), fill=(220, 20, 20))
    box = (0.0, 0.0, 80.0, 80.0)
    tags = [Tag("bus", box=box), Tag("person", box=box), Tag("car", box=(90.0, 90.0, 98.0, 98.0)), Tag("cup")]
    described = attributes.Describer(attributes.Options())(picture, tags)
    assert [tag.attributes for tag in described] == [("large", "red"), ("large",), ("small", "blue"), ()]


def test_attributes_are_at_most_three_with_those_a_detector_gave():
    tag = Tag("bus", attributes=("old", "wet"), box=(0.0, 0.0, 9.0, 9.0))
    (described,) = attributes.Describer(attributes.Options())(Image.new("RGB", (9, 9), "red"), [tag])
    assert described.attributes == ("large", "red", "old")


def test_scene_names_only_settings():
    reader = scene.SceneReader(scene.Options(threshold=0.001, labels=1000), threads=1)
    found = reader(Image.effect_mandelbrot((300, 200), (-2, -1, 1, 1), 60).convert("RGB"))
    assert found == sorted(found, key=lambda one: -one.confidence)
    assert {one.label for one in found} <= scene.SETTINGS


def test_scene_settings_are_labels_of_the_classifier():
    labels = scene.json.loads(scene.MODELS[1].read_text(encoding="utf-8"))
    assert len(labels) == 1000
    assert set(labels) >= scene.SETTINGS


def test_scene_input_is_the_middle_square():
    picture = Image.new("RGB", (512, 256), (0, 0, 0))
    picture.paste((255, 255, 255), (128, 0, 384, 256))
    array = scene.prepare(picture)
    assert array.shape == (1, 3, 224, 224)
    assert array.min() == array.max() == 1.0


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


@pytest.mark.parametrize("name", ["person", "Person", "man", "basketball player", "dog", "Dog"])
def test_people_and_animals_get_no_colour_whatever_the_vocabulary_calls_them(name: str) -> None:
    black = Image.new("RGB", (90, 90), "black")
    tags = [Tag(name, box=(20, 20, 60, 60)), Tag("fire truck", box=(20, 20, 60, 60))]
    described = attributes.Describer(attributes.Options())(black, tags)
    assert [tag.attributes for tag in described] == [(), ("black",)]
