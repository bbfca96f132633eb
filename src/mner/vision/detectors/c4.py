"""The detectors of the paper: VinVL's X152-C4 (Zhang et al. 2021) and Bottom-Up's R101-C4 (Anderson et al. 2018).

The checkpoint is one in the published layout, in a folder that the options name; it is run by mner's own network.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from pydantic import Field

from mner.contexts.published.objects import attributes
from mner.types import Tag
from mner.vision.protocols import PluginOptions
from mner.vision.published_model import PublishedModel

DOWNLOADS = (
    "nothing by itself. It needs torch and a folder with the published checkpoint as `model.safetensors` and the "
    "published vocabulary; where only a pickle is there, the message shows the line that converts it. Torchvision, "
    "detectron2 and maskrcnn-benchmark are not needed."
)
LICENCE = "that of the checkpoint; the code of VinVL and of Bottom-Up is MIT, its conversion Apache-2.0."
SPEED = "meant for a GPU; on CPUs tens of seconds a picture."
HOLDS = "a folder with the published model.safetensors and its vocabulary"

_MODEL = PublishedModel("detector c4", ("model",), HOLDS)


class Options(PluginOptions):
    """[vision.options.c4]."""

    model: Path | None = None  # folder of the checkpoint and its vocabulary, VinVL's or Bottom-Up's
    threshold: float = Field(default=0.2, ge=0, le=1)  # least confidence of an object
    least: int = Field(default=10, ge=0)  # objects that are kept though they are less sure
    most: int = Field(default=100, ge=1, le=300)  # objects of a picture
    attribute_threshold: float = Field(default=0.1, ge=0, le=1)  # least confidence of an attribute
    refine: bool = False  # move boxes as their class predicts; the published features are of unmoved ones
    device: str = "auto"  # a GPU where there is one; else as torch names it


ABOUT = _MODEL.about(downloads=DOWNLOADS, licence=LICENCE, speed=SPEED)


class Detector:
    """Objects of a picture with at most three attributes each, by confidence, descending."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        (folder,) = _MODEL.folders(options)
        from mner.vision.networks.regions import load

        self._options = options
        self._detector = load(folder, device=options.device, threads=threads)

    def __call__(self, picture: Image.Image) -> list[Tag]:
        """The objects of an upright RGB picture; boxes in its pixels."""
        chosen = self._options
        scan = self._detector(
            picture, threshold=chosen.threshold, least=chosen.least, most=chosen.most, refine=chosen.refine
        )
        objects = sorted((each for each in scan.objects if each.box is not None), key=lambda each: -each.confidence)
        return [
            Tag(
                each.name,
                attributes(each.attributes, least=chosen.attribute_threshold),
                each.confidence,
                each.box,
                source="c4",
            )
            for each in objects
        ]
