"""Measured attributes: the colour and the size of an object."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mner.types import Tag
from mner.vision.attributes import attributes


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


@pytest.mark.parametrize("name", ["person", "Person", "man", "basketball player", "dog", "Dog"])
def test_people_and_animals_get_no_colour_whatever_the_vocabulary_calls_them(name: str) -> None:
    black = Image.new("RGB", (90, 90), "black")
    tags = [Tag(name, box=(20, 20, 60, 60)), Tag("fire truck", box=(20, 20, 60, 60))]
    described = attributes.Describer(attributes.Options())(black, tags)
    assert [tag.attributes for tag in described] == [(), ("black",)]
