"""Detectors that find what you name: OWLv2 and Grounding DINO, over a vocabulary file with one name a line.

Use it for what the 80 classes of COCO lack and your posts are about: trophies, microphones, jerseys, flags.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from mner.errors import ConfigError
from mner.types import Tag
from mner.vision.networks import folder as folders
from mner.vision.protocols import SLOW, About, Checkpoint
from mner.vision.vocabulary import read_names

ARCHITECTURES = ("owlv2", "grounding-dino")

_OPTION = "vision.options.openvocab.model"
_HINT = 'for DETR, RT-DETR and D-FINE set vision.detector = "hub"'


class Options(BaseModel):
    """[vision.options.openvocab]."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "google/owlv2-base-patch16-ensemble"  # a folder, or a hub id, perhaps with "@revision" behind it
    vocabulary: str = ""  # file of the objects to find, one a line; it must be named
    threshold: float = Field(default=0.25, gt=0, le=1)  # least confidence of an object
    most: int = Field(default=100, ge=1, le=100)  # objects of a picture
    device: str = "auto"  # a GPU where there is one; else as torch names it
    batch: int = Field(default=1, ge=1, exclude=True)  # pictures of one forward pass; a GPU is quicker with more


ABOUT = About(
    downloads=(
        'nothing by itself. It needs `pip install "mner[vision-hub]"` and a model, as a folder or in the '
        "hub's local cache. Torchvision is not needed."
    ),
    licence="the model's.",
    speed="the model's, more with many names; meant for a GPU.",
    needs=("torch", "transformers"),
    checkpoints=(
        Checkpoint("google/owlv2-base-patch16-ensemble", "0.6 GB", "Apache-2.0", SLOW),
        Checkpoint("IDEA-Research/grounding-dino-tiny", "0.7 GB", "Apache-2.0", SLOW),
        Checkpoint("IDEA-Research/grounding-dino-base", "0.9 GB", "Apache-2.0", SLOW),
    ),
    models=lambda options: [_vocabulary(options), *folders.files(folders.find(options.model, option=_OPTION))],
    batch=True,
)


class Detector:
    """Named objects of a picture, by confidence, descending.

    Args:
        options: The model, the vocabulary and the threshold.
        threads: Most CPU threads of torch; 0: all cores.

    Raises:
        ConfigError: No vocabulary is named.
        DataError: A line of it cannot be used.
        MissingExtraError: A package is not installed.
        ModelError: The model is not here, is damaged, or of another architecture.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        names = read_names(_vocabulary(options), illegal=".")
        folder = folders.find(options.model, option=_OPTION)
        architecture = folders.expect(folder, ARCHITECTURES, option=_OPTION, hint=_HINT)
        from mner.vision.networks import named
        from mner.vision.networks.load import load

        self._options = options
        auto = "AutoModelForZeroShotObjectDetection"
        self._network = load(folder, architecture, auto=auto, device=options.device, threads=threads)
        asked = named.ask_grounding if architecture == "grounding-dino" else named.ask_owl
        self._questions: list[Any] = asked(self._network, names)

    def __call__(self, picture: Image.Image) -> list[Tag]:
        """The objects of an upright RGB picture; boxes in its pixels."""
        return self.many([picture])[0]

    def many(self, pictures: Sequence[Image.Image]) -> list[list[Tag]]:
        """The objects of several pictures, the same as of each alone; those of equal shape are one batch."""
        from mner.vision.networks import named
        from mner.vision.networks.boxes import within

        listed = []
        found = named.find(self._network, pictures, self._questions, self._options.threshold)
        for picture, triples in zip(pictures, found, strict=True):
            cut = [(name, confidence, within(sides, picture.size)) for name, confidence, sides in triples]
            tags = [Tag(name, confidence=sure, box=box, source="openvocab") for name, sure, box in cut if box]
            listed.append(sorted(tags, key=lambda tag: -(tag.confidence or 0))[: self._options.most])
        return listed


def _vocabulary(options: Options) -> Path:
    if not options.vocabulary:
        raise ConfigError("vision.options.openvocab.vocabulary: name a file of the objects to find, one a line")
    return Path(options.vocabulary).expanduser()
