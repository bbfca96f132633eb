"""What the whole picture looks like: EfficientNet-lite0 over the 1,000 classes of ImageNet.

Most classes are things and animals, which the classifier also sees where there are none; so only labels
that can describe a whole picture are used: places ("palace") and kinds of document ("comic book").
"""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from mner.vision.protocols import About, PluginOptions, Scene
from mner.vision.sessions import ASSETS, open_session, read_asset

MODELS = (ASSETS / "efficientnet-lite0-imagenet1k.fp16.onnx", ASSETS / "imagenet1k-labels.json")

SETTINGS = frozenset({
    "airship", "altar", "apiary", "bakery", "barbershop", "barn", "beach", "bell tower", "boathouse", "bookstore",
    "butcher shop", "candy store", "carousel", "castle", "church", "cliff", "cliff dwelling", "comic book",
    "coral reef", "crossword", "dam", "desk", "dock", "dust jacket", "fountain", "geyser", "greenhouse",
    "grocery store", "home theater", "lakeshore", "library", "lighthouse", "menu", "mobile home", "monastery",
    "mosque", "mountain", "movie theater", "obelisk", "palace", "patio", "pier", "planetarium", "prison",
    "promontory", "restaurant", "sandbar", "sawmill", "scoreboard", "shipwreck", "shoe store", "stage", "stupa",
    "suspension bridge", "through arch bridge", "tobacco shop", "totem pole", "toy store", "triumphal arch",
    "valley", "vaulted or arched ceiling", "viaduct", "volcano", "water tower", "website", "yurt",
})  # fmt: skip
"""The labels that are used."""

SHORT_SIDE = 256
SIDE = 224


class Options(PluginOptions):
    """[vision.options.scene]."""

    threshold: float = Field(default=0.5, gt=0, le=1)  # least probability of a label
    labels: int = Field(default=1, ge=1)  # most labels of a picture


ABOUT = About(
    downloads="nothing; the model comes with mner (9.4 MB, half precision).",
    licence="Apache-2.0.",
    speed="about 8 ms a picture on two cores.",
    models=lambda options: MODELS,
)


class SceneReader:
    """Labels of a whole picture, by probability, descending."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._options = options
        self._labels = json.loads(read_asset(MODELS[1]))
        self._session = open_session(MODELS[0], threads=threads)

    def __call__(self, picture: Image.Image) -> list[Scene]:
        """The labels of an upright RGB picture that are probable enough; often none."""
        (logits,) = self._session.run(None, {"input": prepare(picture)})
        weights = np.exp(logits[0] - logits[0].max())
        probabilities = weights / weights.sum()
        best = np.argsort(-probabilities, kind="stable")[: self._options.labels]
        return [
            Scene(self._labels[at], round(float(probabilities[at]), 4))
            for at in best
            if probabilities[at] >= self._options.threshold and self._labels[at] in SETTINGS
        ]


def prepare(picture: Image.Image) -> NDArray[np.float32]:
    """The network's input (1, channel, row, column): the middle square of the picture.

    The square is cut before it is resized, so a picture of 10 x 10,000 pixels costs no more than another.
    """
    side = min(picture.size) * SIDE / SHORT_SIDE
    left, top = (picture.width - side) / 2, (picture.height - side) / 2
    square = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    pixels = (np.asarray(square, dtype=np.float32) - 127) / 128
    array: NDArray[np.float32] = pixels.transpose(2, 0, 1)[None].astype(np.float32)
    return array
