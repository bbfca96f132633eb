"""Detectors that find what you name: OWLv2 and Grounding DINO, over a vocabulary file with one name a line.

Use it for what the 80 classes of COCO lack and your posts are about: trophies, microphones, jerseys, flags.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from pydantic import Field

from mner.errors import ConfigError
from mner.types import Tag
from mner.vision.networks.folder import HubModel
from mner.vision.protocols import SLOW, Checkpoint, PluginOptions
from mner.vision.vocabulary import read_names

ARCHITECTURES = ("owlv2", "grounding-dino")

_MODEL = HubModel(
    "vision.options.openvocab.model",
    ARCHITECTURES,
    hint='for DETR, RT-DETR and D-FINE set vision.detector = "hub"',
)


class Options(PluginOptions):
    """[vision.options.openvocab]."""

    model: str = "google/owlv2-base-patch16-ensemble"  # a folder, or a hub id, perhaps followed by "@revision"
    vocabulary: str = ""  # file of the objects to find, one a line; it must be named
    threshold: float = Field(default=0.25, gt=0, le=1)  # least confidence of an object
    most: int = Field(default=100, ge=1, le=100)  # objects of a picture
    device: str = "auto"  # a GPU where there is one; else as torch names it
    batch: int = Field(default=1, ge=1, exclude=True)  # pictures of one forward pass; a GPU is quicker with more


ABOUT = _MODEL.about(
    speed="the model's, more with many names; meant for a GPU.",
    checkpoints=(
        Checkpoint("google/owlv2-base-patch16-ensemble", "0.6 GB", "Apache-2.0", SLOW),
        Checkpoint("IDEA-Research/grounding-dino-tiny", "0.7 GB", "Apache-2.0", SLOW),
        Checkpoint("IDEA-Research/grounding-dino-base", "0.9 GB", "Apache-2.0", SLOW),
    ),
    models=lambda options: [_vocabulary(options), *_MODEL.files(options)],
)


class Detector:
    """The objects of a picture that the vocabulary names, by confidence, descending."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        names = read_names(_vocabulary(options), illegal=".")
        self._options = options
        self._network = _MODEL.load(options, threads=threads)
        from mner.vision.networks import boxes

        self._questions = boxes.ask(self._network, names)

    def __call__(self, picture: Image.Image) -> list[Tag]:
        """The objects of an upright RGB picture; boxes in its pixels."""
        return self.many([picture])[0]

    def many(self, pictures: Sequence[Image.Image]) -> list[list[Tag]]:
        """The objects of several pictures, the same as of each alone; those of equal shape are one batch."""
        from mner.vision.networks import boxes

        triples_of = boxes.find(self._network, pictures, self._questions, self._options.threshold)
        return [
            [Tag(name, confidence=confidence, box=box, source="openvocab") for name, confidence, box in triples]
            for triples in (each[: self._options.most] for each in triples_of)
        ]


def _vocabulary(options: Options) -> Path:
    if not options.vocabulary:
        raise ConfigError("vision.options.openvocab.vocabulary: name a file of the objects to find, one a line")
    return Path(options.vocabulary).expanduser()
