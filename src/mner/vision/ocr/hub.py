"""Florence-2 as an OCR engine: reads text in scenes, one network with captions and regions of the same picture.

It gives no confidences, so none can be filtered by; nor can a language be chosen: it reads Latin script best.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from mner.types import OcrText
from mner.vision.networks import folder as folders
from mner.vision.ocr._lines import in_reading_order
from mner.vision.protocols import FLORENCE, SLOW, About, Checkpoint
from mner.vision.texts import clean

ARCHITECTURES = ("florence2",)

_OPTION = "vision.options.hub.model"


class Options(BaseModel):
    """[vision.options.hub], as far as it is the OCR engine's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "florence-community/Florence-2-base"  # a folder, or a hub id, perhaps with "@revision" behind it
    characters: int = Field(default=2, ge=1)  # least length of a line
    tokens: int = Field(default=512, ge=16, le=1000)  # most that it writes about a picture, places included
    device: str = "auto"  # a GPU where there is one; else as torch names it
    batch: int = Field(default=1, ge=1, exclude=True)  # pictures of one forward pass; a GPU is quicker with more


ABOUT = About(
    downloads=(
        'nothing by itself. It needs `pip install "mner[vision-hub]"` and a model, as a folder or in the '
        "hub's local cache. Torchvision is not needed."
    ),
    licence="the model's.",
    speed="the model's; where detector and captioner are the same model, a picture is encoded once for all three.",
    needs=("torch", "transformers"),
    checkpoints=(FLORENCE, Checkpoint("florence-community/Florence-2-large", "1.6 GB", "MIT", SLOW)),
    models=lambda options: folders.files(folders.find(options.model, option=_OPTION)),
    batch=True,
)


class Reader:
    """The lines of text of a picture, in reading order.

    Args:
        options: The model, and which lines are kept.
        threads: Most CPU threads of torch; 0: all cores.

    Raises:
        MissingExtraError: A package is not installed.
        ModelError: The model is not here, is damaged, or is no Florence-2.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        folder = folders.find(options.model, option=_OPTION)
        architecture = folders.expect(folder, ARCHITECTURES, option=_OPTION)
        from mner.vision.networks.load import load

        self._options = options
        auto = "AutoModelForImageTextToText"
        self._network = load(folder, architecture, auto=auto, device=options.device, threads=threads)

    def __call__(self, picture: Image.Image) -> list[OcrText]:
        """The lines of an upright RGB picture; boxes in its pixels."""
        return self.many([picture])[0]

    def many(self, pictures: Sequence[Image.Image]) -> list[list[OcrText]]:
        """The lines of several pictures, the same as of each alone; they are one batch."""
        from mner.vision.networks import florence

        found = florence.run(self._network, pictures, florence.READ, tokens=self._options.tokens)
        return [self._lines(picture, written) for picture, [(written, _), *_] in zip(pictures, found, strict=True)]

    def _lines(self, picture: Image.Image, written: str) -> list[OcrText]:
        from mner.vision.networks import florence
        from mner.vision.networks.boxes import within

        lines = []
        for text, sides in florence.regions(self._network, written, florence.READ, picture.size):
            box, read = within(sides, picture.size), clean(text.replace("</s>", "").replace("<s>", ""))
            if box is not None and len(read) >= self._options.characters:
                lines.append(OcrText(read, box=box, source="hub"))
        return in_reading_order(lines)
