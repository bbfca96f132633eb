"""Object detectors of the transformers library: DETR, RT-DETR, RT-DETR v2, D-FINE; and the regions of Florence-2.

A model whose ``config.json`` names its classes says those names. With a Florence-2, ``task`` chooses: "regions" gives
short descriptions of parts of the picture, "objects" gives names; neither has a confidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from mner.errors import ModelError
from mner.types import Tag
from mner.vision.networks import folder as folders
from mner.vision.protocols import FLORENCE, MIDDLE, QUICK, About, Checkpoint

ARCHITECTURES = ("detr", "rt_detr", "rt_detr_v2", "d_fine", "florence2")

_OPTION = "vision.options.hub.model"
_HINT = 'for OWLv2 and Grounding DINO set vision.detector = "openvocab"'


class Options(BaseModel):
    """[vision.options.hub], as far as it is the detector's; the captioner and the OCR engine have keys of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "PekingU/rtdetr_v2_r18vd"  # a folder, or a hub id, perhaps with "@revision" behind it
    threshold: float = Field(default=0.5, gt=0, le=1)  # least confidence of an object
    most: int = Field(default=100, ge=1, le=100)  # objects of a picture
    task: Literal["regions", "objects"] = "regions"  # what a Florence-2 is asked for
    tokens: int = Field(default=512, ge=16, le=1000)  # most that a Florence-2 writes, places included
    device: str = "auto"  # a GPU where there is one; else as torch names it
    batch: int = Field(default=1, ge=1, exclude=True)  # pictures of one forward pass; a GPU is quicker with more


ABOUT = About(
    downloads=(
        'nothing by itself. It needs `pip install "mner[vision-hub]"` and a model, as a folder or in the '
        "hub's local cache. Torchvision and timm are not needed."
    ),
    licence="the model's.",
    speed="the model's; a GPU takes several pictures at once.",
    needs=("torch", "transformers"),
    checkpoints=(
        Checkpoint("PekingU/rtdetr_v2_r18vd", "80 MB", "Apache-2.0", QUICK),
        Checkpoint("PekingU/rtdetr_v2_r50vd", "172 MB", "Apache-2.0", MIDDLE),
        Checkpoint("ustc-community/dfine-xlarge-coco", "250 MB", "Apache-2.0", MIDDLE),
        Checkpoint("facebook/detr-resnet-50@no_timm", "170 MB", "Apache-2.0", MIDDLE),
        FLORENCE,
    ),
    models=lambda options: folders.files(folders.find(options.model, option=_OPTION)),
    batch=True,
)


class Detector:
    """Objects of a picture, by confidence, descending.

    Args:
        options: The model and its threshold.
        threads: Most CPU threads of torch; 0: all cores.

    Raises:
        MissingExtraError: A package is not installed.
        ModelError: The model is not here, is damaged, of another architecture, or does not name its classes.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        folder = folders.find(options.model, option=_OPTION)
        architecture = folders.expect(folder, ARCHITECTURES, option=_OPTION, hint=_HINT)
        from mner.vision.networks.load import load

        self._options = options
        florence = architecture == "florence2"
        auto = "AutoModelForImageTextToText" if florence else "AutoModelForObjectDetection"
        try:
            self._network = load(folder, architecture, auto=auto, device=options.device, threads=threads)
        except ModelError as error:
            if "timm" in str(error):
                raise ModelError(
                    f"{_OPTION}: {folder} needs the package timm, and with it torchvision; take a revision of it "
                    'that needs neither, such as "facebook/detr-resnet-50@no_timm"'
                ) from error
            raise
        self._find: Callable[[Sequence[Image.Image]], list[list[Tag]]] = self._described if florence else self._detected
        names = {} if florence else self._network.model.config.id2label
        if not florence and all(str(name).startswith("LABEL_") for name in names.values()):
            raise ModelError(f"{_OPTION}: {folder}/config.json names no classes (id2label); add them")

    def __call__(self, picture: Image.Image) -> list[Tag]:
        """The objects of an upright RGB picture; boxes in its pixels."""
        return self.many([picture])[0]

    def many(self, pictures: Sequence[Image.Image]) -> list[list[Tag]]:
        """The objects of several pictures, the same as of each alone; those of equal shape are one batch."""
        return [tags[: self._options.most] for tags in self._find(pictures)]

    def _detected(self, pictures: Sequence[Image.Image]) -> list[list[Tag]]:
        from mner.vision.networks.boxes import detect

        names: dict[int, str] = self._network.model.config.id2label
        return [
            [Tag(names[kind], confidence=confidence, box=box, source="hub") for kind, confidence, box in found]
            for found in detect(self._network, pictures, self._options.threshold)
        ]

    def _described(self, pictures: Sequence[Image.Image]) -> list[list[Tag]]:
        from mner.vision.networks import florence

        task = florence.REGIONS if self._options.task == "regions" else florence.OBJECTS
        found = florence.run(self._network, pictures, task, tokens=self._options.tokens)
        return [
            self._regions(picture, written, task) for picture, [(written, _), *_] in zip(pictures, found, strict=True)
        ]

    def _regions(self, picture: Image.Image, written: str, task: str) -> list[Tag]:
        from mner.vision.networks import florence
        from mner.vision.networks.boxes import within

        tags = []
        for words, sides in florence.regions(self._network, written, task, picture.size):
            box = within(sides, picture.size)
            if box is not None and words:
                told: dict[str, Any] = {"object": words} if task == florence.OBJECTS else {"text": words}
                tags.append(Tag(box=box, source="hub", **told))
        return tags
