"""The attention LSTM captioner of the paper's Bottom-Up rows (Anderson et al. 2018, as Luo et al. 2018 train it).

Both checkpoints are in the published layout, in folders that the options name; mner's own networks run them.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from mner.errors import ModelError
from mner.types import Caption, OcrText, Tag
from mner.vision.captioners.oscar import Options
from mner.vision.detectors.c4 import SPEED
from mner.vision.protocols import Scene
from mner.vision.published_model import PublishedModel
from mner.vision.texts import clean

__all__ = ["ABOUT", "Captioner", "Options"]

_MODEL = PublishedModel(
    "captioner updown", ("model", "detector"), "a folder with a published model.safetensors and what belongs to it"
)

ABOUT = _MODEL.about(
    downloads="nothing by itself. It needs torch and the published checkpoints of captioner and detector, each in a "
    "folder as `model.safetensors`; where only a pickle is there, the message shows the line that converts it.",
    licence="that of the checkpoints; the captioner's code is MIT.",
    speed=SPEED,
)


class Captioner:
    """The best sentences of one beam search; tags that another detector found are not used."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        model, detector = _MODEL.folders(options)
        from mner.vision.networks.regions import load
        from mner.vision.networks.updown import Writer

        self._options = options
        self._detector = load(detector, device=options.device, threads=threads)
        self._writer = Writer(model, device=options.device)
        if self._writer.width != self._detector.width:
            raise ModelError(
                f"{model}: reads regions of {self._writer.width} numbers, the detector in {detector} gives "
                f"{self._detector.width}; take the detector that it was trained on"
            )

    def __call__(
        self, picture: Image.Image, tags: Sequence[Tag], *, scenes: Sequence[Scene], ocr: Sequence[OcrText]
    ) -> list[Caption]:
        """The sentences about an upright RGB picture, best first."""
        chosen = self._options
        scan = self._detector(picture, threshold=chosen.threshold, least=chosen.least, most=chosen.most, refine=False)
        search = {"beams": chosen.beams, "count": chosen.captions, "tokens": chosen.tokens}
        sentences = self._writer(scan.features, **search)
        return [Caption(text, round(score, 4), "updown") for words, score in sentences if (text := clean(words))]
