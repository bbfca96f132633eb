"""Object detectors of the transformers library: DETR, RT-DETR, RT-DETR v2, D-FINE; and the regions of Florence-2.

A model whose ``config.json`` names its classes says those names. With a Florence-2, ``task`` chooses: "regions" gives
short descriptions of parts of the picture, "objects" gives names; neither has a confidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PIL import Image
from pydantic import Field

from mner.errors import ModelError
from mner.types import Tag
from mner.vision.networks.folder import HubModel
from mner.vision.protocols import FLORENCE, MIDDLE, QUICK, Checkpoint, PluginOptions

_MODEL = HubModel(
    "vision.options.hub.model",
    ("detr", "rt_detr", "rt_detr_v2", "d_fine", "florence2"),
    hint='for OWLv2 and Grounding DINO set vision.detector = "openvocab"',
)


class Options(PluginOptions):
    """[vision.options.hub], as far as it is the detector's; the captioner and the OCR engine have keys of their own."""

    model: str = "PekingU/rtdetr_v2_r18vd"  # a folder, or a hub id, perhaps followed by "@revision"
    threshold: float = Field(default=0.5, gt=0, le=1)  # least confidence of an object
    most: int = Field(default=100, ge=1, le=100)  # objects of a picture
    task: Literal["regions", "objects"] = "regions"  # what a Florence-2 looks for
    tokens: int = Field(default=512, ge=16, le=1000)  # most that a Florence-2 writes, places included
    device: str = "auto"  # a GPU where there is one; else as torch names it
    batch: int = Field(default=1, ge=1, exclude=True)  # pictures of one forward pass; a GPU is quicker with more


ABOUT = _MODEL.about(
    speed="the model's; a GPU takes several pictures at once.",
    checkpoints=(
        Checkpoint("PekingU/rtdetr_v2_r18vd", "80 MB", "Apache-2.0", QUICK),
        Checkpoint("PekingU/rtdetr_v2_r50vd", "172 MB", "Apache-2.0", MIDDLE),
        Checkpoint("ustc-community/dfine-xlarge-coco", "250 MB", "Apache-2.0", MIDDLE),
        Checkpoint("facebook/detr-resnet-50@no_timm", "170 MB", "Apache-2.0", MIDDLE),
        FLORENCE,
    ),
)


class Detector:
    """Objects of a picture, by confidence, descending."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._options = options
        try:
            self._network = _MODEL.load(options, threads=threads)
        except ModelError as error:
            if "timm" in str(error):
                raise ModelError(
                    f"{_MODEL.option}: {options.model} needs the package timm, and with it torchvision; take a "
                    'revision of it that needs neither, such as "facebook/detr-resnet-50@no_timm"'
                ) from error
            raise
        self._florence = self._network.architecture == "florence2"
        self._names: dict[int, str] = {} if self._florence else self._network.model.config.id2label
        if not self._florence and all(str(name).startswith("LABEL_") for name in self._names.values()):
            raise ModelError(
                f"{_MODEL.option}: {self._network.folder}/config.json names no classes (id2label); add them"
            )

    def __call__(self, picture: Image.Image) -> list[Tag]:
        """The objects of an upright RGB picture; boxes in its pixels."""
        return self.many([picture])[0]

    def many(self, pictures: Sequence[Image.Image]) -> list[list[Tag]]:
        """The objects of several pictures, the same as of each alone; those of equal shape are one batch."""
        tags = self._described(pictures) if self._florence else self._detected(pictures)
        return [each[: self._options.most] for each in tags]

    def _detected(self, pictures: Sequence[Image.Image]) -> list[list[Tag]]:
        from mner.vision.networks.boxes import detect

        return [
            [Tag(self._names[kind], confidence=confidence, box=box, source="hub") for kind, confidence, box in triples]
            for triples in detect(self._network, pictures, self._options.threshold)
        ]

    def _described(self, pictures: Sequence[Image.Image]) -> list[list[Tag]]:
        from mner.vision.networks import florence

        objects = self._options.task == "objects"
        task = florence.OBJECTS if objects else florence.REGIONS
        return [
            [
                Tag(words if objects else "", text=None if objects else words, box=box, source="hub")
                for words, box in regions
            ]
            for regions in florence.regions(self._network, pictures, task, tokens=self._options.tokens)
        ]
