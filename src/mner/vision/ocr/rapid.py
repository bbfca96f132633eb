"""The PP-OCR models of RapidOCR: reads clean, slanted and coloured text in Latin, Chinese and Japanese script.

The models are the package's, what runs them is ours: a first look at low resolution, and each line at its own width.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from PIL.Image import Image, new
from pydantic import Field

from mner.errors import ModelError
from mner.files import cache_folder
from mner.sessions import Session
from mner.types import OcrText
from mner.vision.ocr._line_reader import (
    BEGINNING,
    DIRECTION,
    HOPELESS,
    LONG,
    SURE,
    Network,
    cut_out,
    decoded,
    on_its_head,
    prepared,
)
from mner.vision.ocr._lines import LEGIBLE, confident
from mner.vision.ocr._text_map import CELL, PIECE, Map, Pixels, all_giant, closer_look, first_look, text_boxes
from mner.vision.protocols import About, PluginOptions

LONGEST = 4
"""The longest side in shortest sides. The shortest side is enlarged to 736 pixels, however long the other."""

Language = Literal["multi", "arabic", "cyrillic", "devanagari", "el", "eslav", "korean", "ta", "te", "th"]
"""What can be read, as rapidocr names it. "multi" is Latin, Chinese and Japanese at once; "el" is Greek, "eslav"
Russian, Belarusian and Ukrainian, "ta" Tamil, "te" Telugu, "th" Thai."""


class Options(PluginOptions):
    """[vision.options.rapid]."""

    language: Language = "multi"  # all but "multi" need a file more
    threshold: float = Field(default=0.8, ge=0, le=1)  # least confidence of a line
    characters: int = Field(default=2, ge=1)  # least length of a line; single characters are mostly false
    first_look: bool = True  # seek text at low resolution first; false: all of each picture at full resolution


def _folder() -> Path:
    spec = importlib.util.find_spec("rapidocr")  # does not import it
    return Path((spec and spec.origin) or "rapidocr/__init__.py").parent / "models"


def _model(kind: str) -> Path:
    """The newest model of one kind, "det", "cls" or "rec", in the package."""
    models = [path for path in _folder().glob(f"*_{kind}_*.onnx") if not path.name.startswith(get_args(Language))]
    return max(models, default=_folder() / f"{kind}.onnx")


MODELS = tuple(_model(kind) for kind in ("det", "cls", "rec"))


def models(options: Options) -> list[Path]:
    """The files that the output depends on: detection, direction, recognition."""
    det, cls, rec = MODELS
    return [det, cls, rec if options.language == "multi" else _other(options.language)]


def _other(language: str) -> Path:
    """The recognition model of another script: in mner's cache, or where rapidocr itself would put it."""
    name = f"{language}_PP-OCRv5_rec_mobile.onnx"
    packaged = _folder() / name
    return packaged if packaged.is_file() else cache_folder() / "rapidocr" / name


def _address(name: str) -> str:
    """Where the authors of rapidocr publish a model, by their own list in the package."""
    listed = _folder().parent / "default_models.yaml"
    address = re.search(rf"https://\S*/onnx/\S*{re.escape(name)}", listed.read_text(encoding="utf-8"))
    return address[0] if address else "the models' page of RapidOCR"


LARGE = 3 * PIECE * CELL**2
"""Values of a network's input after which the memory that the run took is given back: of the largest piece. Only very
long lines have more."""

ILLEGIBLE = 3
"""Lines in a row that are not legible, after which long ones are tried by their beginnings."""

Reading = tuple[str, float]
"""Text and confidence."""

_REMEDY = "install rapidocr again"

ABOUT = About(
    version=3,
    downloads=(
        "nothing; the models (about 32 MB) are inside the package rapidocr, which mner requires. Another "
        "script needs one more file (8 to 16 MB); where it is not in mner's cache, the message says from "
        "where to fetch it."
    ),
    licence="Apache-2.0, package and models.",
    speed="0.05 seconds a picture without text, 0.1 to 0.5 with a little, up to 3 for a page of it, on one core.",
    models=models,
)


class Reader:
    """The lines of text of a picture, in reading order.

    Zero threads mean one: more gain little and take cores from the other backends.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        det, cls, rec = models(options)
        if options.language != "multi" and not rec.is_file():
            raise ModelError(
                f'vision.options.rapid.language: "{options.language}" needs {rec}, which is not there; download it '
                f"from {_address(rec.name)}"
            )
        for model in (det, cls, rec):
            if not model.is_file():
                raise ModelError(f'{model}: not in the installed rapidocr; pip install "rapidocr>=3.10"')
        self._options = options
        self._finder, self._turner, self._reader = (
            Session(model, threads=max(threads, 1), remedy=_REMEDY) for model in (det, cls, rec)
        )
        characters = self._reader.metadata().get("character")
        if not characters:
            raise ModelError(f"{rec}: names no characters; expected a recognition model that rapidocr publishes")
        self._characters = ("", *characters.splitlines(), " ")

    def __call__(self, picture: Image) -> list[OcrText]:
        """The lines of an upright RGB picture; boxes in its pixels."""
        if min(picture.size) < LEGIBLE:
            return []
        pixels = np.ascontiguousarray(np.asarray(_padded(picture))[..., ::-1])  # blue first
        height, width, _ = pixels.shape
        boxes = first_look(pixels, self._see) if self._options.first_look else None
        if boxes is None or not all_giant(boxes, pixels):
            boxes = text_boxes(closer_look(pixels, self._see, boxes), (width, height))
        readings = self._readings(cut_out(pixels, box) for box in boxes)
        least, characters = self._options.threshold, self._options.characters
        return confident(
            ((text, score, box) for (text, score), box in zip(readings, boxes, strict=True)),
            picture.size,
            least=least,
            characters=characters,
            source="rapid",
        )

    def _see(self, pixels: Pixels) -> Map:
        network = pixels.transpose(2, 0, 1)[None] / np.float32(127.5) - 1
        probabilities: Map = self._run(self._finder, network)[0]
        return probabilities

    def _readings(self, lines: Iterable[Pixels]) -> Iterator[Reading]:
        """The text and confidence of each line.

        At first, and after ``ILLEGIBLE`` lines in a row that are not legible, long lines are tried by their beginnings:
        a page in a script that the model does not know is then not read from end to end.
        """
        illegible = ILLEGIBLE
        for line in lines:
            reading = self._either_way_up(line, self._whole if illegible < ILLEGIBLE else self._tried)
            illegible = 0 if reading[1] >= self._options.threshold else illegible + 1
            yield reading

    def _either_way_up(self, line: Pixels, read: Callable[[Network], Reading]) -> Reading:
        """What a line says; one that seems to stand on its head is read both ways, and the surer reading counts."""
        reading = read(prepared(line))
        if reading[1] < SURE and on_its_head(self._run(self._turner, prepared(line, DIRECTION))):
            return max(reading, read(prepared(np.rot90(line, 2))), key=itemgetter(1))
        return reading

    def _whole(self, line: Network) -> Reading:
        return decoded(self._run(self._reader, line), self._characters)

    def _tried(self, line: Network) -> Reading:
        """All of a line, unless it is long and its beginning is hopeless."""
        if line.shape[-1] >= LONG:
            beginning = self._whole(line[..., :BEGINNING])
            if beginning[1] < min(HOPELESS, self._options.threshold):
                return beginning
        return self._whole(line)

    @staticmethod
    def _run(session: Session, network: Network) -> Any:
        arrays = {session.get_inputs()[0].name: network}
        return session.run(None, arrays, release=network.size > LARGE)[0][0]


def _padded(picture: Image) -> Image:
    """The picture with white at its right or lower edge where it is longer than ``LONGEST`` shortest sides."""
    least = -(-max(picture.size) // LONGEST)
    if min(picture.size) >= least:
        return picture
    padded = new("RGB", (max(picture.width, least), max(picture.height, least)), "white")
    padded.paste(picture)
    return padded
