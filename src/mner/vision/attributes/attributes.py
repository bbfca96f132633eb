"""Attributes of a detected object, computed from its box and pixels: they are measured, not learned.

- size: "large" where the box covers much of the picture, "small" where it covers little of it;
- colour: the name of the colour that most of the middle of the box has; none where no colour prevails, and none for
  people and animals, where it would be the colour of clothes, or would be read as more than a colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from mner.types import Box, Tag
from mner.vision.protocols import About, PluginOptions

COLOURS = ("black", "gray", "white", "red", "orange", "brown", "yellow", "green", "blue", "purple", "pink")
UNCOLOURED = frozenset(
    ("person", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe")
)
PEOPLE = frozenset({
    "person", "people", "man", "men", "woman", "women", "boy", "boys", "girl", "girls", "child", "children", "kid",
    "kids", "baby", "babies", "guy", "guys", "lady", "ladies", "male", "female", "adult", "adults", "crowd", "couple",
    "family", "face", "head", "hand", "arm", "leg", "skin", "human", "player", "players", "athlete", "singer",
    "musician", "dancer", "actor", "actress", "politician", "officer", "soldier", "worker", "bride", "groom",
})  # fmt: skip
"""Last words of a name that mean people or a part of one, in whatever vocabulary."""


class Options(PluginOptions):
    """[vision.options.attributes]."""

    large: float = Field(default=0.4, gt=0, le=1)  # least share of the picture's area
    small: float = Field(default=0.01, ge=0, lt=1)  # greatest share; 0: nothing is small
    colour: float = Field(default=0.5, gt=0, le=1)  # least share of the box's middle that has one colour
    most: int = Field(default=2, ge=0, le=3)  # attributes of an object; 0: none


ABOUT = About(
    downloads="nothing.",
    licence="mner's own.",
    speed="0.1 milliseconds an object.",
)


class Describer:
    """Gives objects the attributes that can be measured."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._options = options

    def __call__(self, picture: Image.Image, tags: Sequence[Tag]) -> list[Tag]:
        """The tags, each with the attributes that can be measured put before those it has.

        A tag without a box, or with a ready text, stays as it is.
        """
        return [
            tag
            if tag.box is None or tag.text is not None
            else replace(tag, attributes=(*_measured(picture, tag, tag.box, self._options), *tag.attributes)[:3])
            for tag in tags
        ]


def _measured(picture: Image.Image, tag: Tag, box: Box, options: Options) -> tuple[str, ...]:
    attributes = []
    share = (box[2] - box[0]) * (box[3] - box[1]) / (picture.width * picture.height)
    if share >= options.large or share <= options.small:
        attributes.append("large" if share >= options.large else "small")
    if tag.object.lower() not in UNCOLOURED and not means_people(tag.object):
        name = colour(picture, box, least=options.colour)
        attributes += [name] if name is not None else []
    return tuple(attributes[: options.most])


def means_people(name: str) -> bool:
    """Whether the name of an object means people, to whom no colour is given.

    >>> means_people("basketball player"), means_people("Person"), means_people("man bun")
    (True, True, False)
    """
    return name.lower().rpartition(" ")[2] in PEOPLE


def colour(picture: Image.Image, box: Box, *, least: float = 0.5) -> str | None:
    """The colour of at least the share ``least`` of the middle of a box; None where there is no such colour.

    >>> colour(Image.new("RGB", (50, 50), (200, 20, 30)), (0, 0, 50, 50))
    'red'
    """
    left, top, right, bottom = box
    inset = ((right - left) / 6, (bottom - top) / 6)  # the rim of a box shows what is behind the object
    middle = (left + inset[0], top + inset[1], right - inset[0], bottom - inset[1])
    sample = picture.resize((24, 24), Image.Resampling.BOX, box=middle)
    counts = np.bincount(nearest(np.asarray(sample).reshape(-1, 3)), minlength=len(COLOURS))
    best = int(counts.argmax())
    return COLOURS[best] if counts[best] >= least * 24 * 24 else None


def nearest(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The index in ``COLOURS`` of each pixel (pixel, channel), by its hue, saturation and value."""
    rgb = pixels.astype(np.float64) / 255
    value, low = rgb.max(axis=1), rgb.min(axis=1)
    spread = value - low
    red, green, blue = rgb.T
    safe = np.where(spread > 0, spread, 1)
    hue = 60 * np.select(
        [value == red, value == green],
        [((green - blue) / safe) % 6, (blue - red) / safe + 2],
        (red - green) / safe + 4,
    )
    saturation = spread / np.where(value > 0, value, 1)
    gray = saturation < 0.18
    warm = (hue >= 10) & (hue < 45)
    reddish = (hue < 10) | (hue >= 345)
    rules = (
        ("black", value < 0.2),
        ("white", gray & (value > 0.85)),
        ("gray", gray),
        ("brown", warm & ((value < 0.65) | (saturation < 0.5))),
        ("pink", reddish & (value > 0.8) & (saturation < 0.5)),
        ("red", reddish),
        ("orange", warm),
        ("yellow", hue < 70),
        ("green", hue < 170),
        ("blue", hue < 255),
        ("purple", hue < 295),
    )
    names = np.select([rule for _, rule in rules], [COLOURS.index(name) for name, _ in rules], COLOURS.index("pink"))
    return names.astype(np.int64)
