"""The captioner of the paper: VinVL's Oscar+ (Zhang et al. 2021), over the regions of VinVL's detector.

Both checkpoints are in the published layout, in folders that the options name; mner's own networks run them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from pydantic import Field, model_validator

from mner.errors import ModelError
from mner.types import Caption, OcrText, Tag
from mner.vision.detectors.c4 import SPEED
from mner.vision.protocols import PluginOptions, Scene
from mner.vision.published_model import PublishedModel
from mner.vision.texts import clean

__all__ = ["ABOUT", "Captioner", "Options"]

_BOX = 6  # numbers of a region beside its features


class Options(PluginOptions):
    """[vision.options.oscar] and [vision.options.updown]; threshold, least and most are the detector's."""

    model: Path | None = None  # folder of the captioner's checkpoint and vocabulary
    detector: Path | None = None  # folder of the detector's, as for the detector c4
    captions: int = Field(default=5, ge=1)  # sentences of a picture, the best of the beam search
    beams: int = Field(default=5, ge=1)  # width of the search
    tokens: int = Field(default=20, ge=2, le=40)  # most tokens of a sentence; oscar counts its begin and end
    threshold: float = Field(default=0.2, ge=0, le=1)  # least confidence of an object
    least: int = Field(default=10, ge=1)  # objects that are kept though they are less sure
    most: int = Field(default=100, ge=1, le=300)  # objects of a picture
    device: str = "auto"  # a GPU where there is one; else as torch names it

    @model_validator(mode="after")
    def _wide_enough(self) -> Options:
        if self.captions > self.beams:
            raise ValueError(f"captions: {self.captions} sentences need as many beams, found beams = {self.beams}")
        return self


_MODEL = PublishedModel(
    "captioner oscar", ("model", "detector"), "a folder with a published model.safetensors and what belongs to it"
)

ABOUT = _MODEL.about(
    downloads="nothing by itself. It needs torch and the published checkpoints of captioner and detector, each in a "
    "folder as `model.safetensors`; where only a pickle is there, the message shows the line that converts it.",
    licence="that of the checkpoints; the code of Oscar and VinVL is MIT.",
    speed=SPEED,
)


class Captioner:
    """The best sentences of one beam search; tags that another detector found are not used."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        model, detector = _MODEL.folders(options)
        from mner.vision.networks.oscar import Writer
        from mner.vision.networks.regions import load

        self._options = options
        self._detector = load(detector, device=options.device, threads=threads)
        self._writer = Writer(model, device=options.device)
        if self._writer.width != self._detector.width + _BOX:
            raise ModelError(
                f"{model}: reads regions of {self._writer.width} numbers, the detector in {detector} gives "
                f"{self._detector.width} and {_BOX} of the box; take the detector that it was trained on"
            )

    def __call__(
        self, picture: Image.Image, tags: Sequence[Tag], *, scenes: Sequence[Scene], ocr: Sequence[OcrText]
    ) -> list[Caption]:
        """The sentences about an upright RGB picture, best first."""
        from mner.vision.networks.regions import with_boxes

        chosen = self._options
        scan = self._detector(picture, threshold=chosen.threshold, least=chosen.least, most=chosen.most, refine=False)
        names = [each.name for each in scan.objects]
        search = {"beams": chosen.beams, "count": chosen.captions, "tokens": chosen.tokens}
        sentences = self._writer(names, with_boxes(scan, picture.size), **search)
        return [Caption(text, round(score, 4), "oscar") for words, score in sentences if (text := clean(words))]
