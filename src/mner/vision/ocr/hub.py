"""Florence-2 as an OCR engine: reads text in scenes, one network with captions and regions of the same picture.

It gives no confidences, so none can be filtered by; nor can a language be chosen: it reads Latin script best.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from pydantic import Field

from mner.types import Box, OcrText
from mner.vision.networks.folder import HubModel
from mner.vision.ocr._lines import in_reading_order
from mner.vision.protocols import FLORENCE, SLOW, Checkpoint, PluginOptions
from mner.vision.texts import clean

_MODEL = HubModel("vision.options.hub.model", ("florence2",))


class Options(PluginOptions):
    """[vision.options.hub], as far as it is the OCR engine's."""

    model: str = "florence-community/Florence-2-base"  # a folder, or a hub id, perhaps followed by "@revision"
    characters: int = Field(default=2, ge=1)  # least length of a line
    tokens: int = Field(default=512, ge=16, le=1000)  # most that it writes about a picture, places included
    device: str = "auto"  # a GPU where there is one; else as torch names it
    batch: int = Field(default=1, ge=1, exclude=True)  # pictures of one forward pass; a GPU is quicker with more


ABOUT = _MODEL.about(
    speed="the model's; where detector and captioner are the same model, a picture is encoded once for all three.",
    checkpoints=(FLORENCE, Checkpoint("florence-community/Florence-2-large", "1.6 GB", "MIT", SLOW)),
)


class Reader:
    """The lines of text of a picture, in reading order."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        self._options = options
        self._network = _MODEL.load(options, threads=threads)

    def __call__(self, picture: Image.Image) -> list[OcrText]:
        """The lines of an upright RGB picture; boxes in its pixels."""
        return self.many([picture])[0]

    def many(self, pictures: Sequence[Image.Image]) -> list[list[OcrText]]:
        """The lines of several pictures, the same as of each alone; they are one batch."""
        from mner.vision.networks import florence

        regions = florence.regions(self._network, pictures, florence.READ, tokens=self._options.tokens)
        return [in_reading_order(self._lines(each)) for each in regions]

    def _lines(self, regions: Sequence[tuple[str, Box]]) -> list[OcrText]:
        cleaned = [(clean(text.replace("</s>", "").replace("<s>", "")), box) for text, box in regions]
        return [OcrText(text, box=box, source="hub") for text, box in cleaned if len(text) >= self._options.characters]
