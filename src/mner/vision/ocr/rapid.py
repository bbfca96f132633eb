"""RapidOCR with the PP-OCR models: reads clean, slanted and coloured text in Latin, Chinese and Japanese script."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from PIL.Image import Image, new
from pydantic import Field

from mner import sessions
from mner.errors import MissingExtraError, ModelError
from mner.files import cache_folder
from mner.types import OcrText
from mner.vision.ocr._lines import LEGIBLE, confident, silence
from mner.vision.protocols import About, PluginOptions

LONGEST = 4
"""The longest side in shortest sides. The engine enlarges the shortest side to 736 pixels, however long the other."""

Language = Literal["multi", "arabic", "cyrillic", "devanagari", "el", "eslav", "korean", "ta", "te", "th"]
"""What can be read, as rapidocr names it. "multi" is Latin, Chinese and Japanese at once; "el" is Greek, "eslav"
Russian, Belarusian and Ukrainian, "ta" Tamil, "te" Telugu, "th" Thai."""


class Options(PluginOptions):
    """[vision.options.rapid]."""

    language: Language = "multi"  # all but "multi" need a file more
    threshold: float = Field(default=0.8, ge=0, le=1)  # least confidence of a line
    characters: int = Field(default=2, ge=1)  # least length of a line; single characters are mostly false


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


ABOUT = About(
    downloads=(
        "nothing; the models (about 32 MB) are inside the package rapidocr, which mner requires. Another "
        "script needs one more file (8 to 16 MB); where it is not in mner's cache, the message says from "
        "where to fetch it."
    ),
    licence="Apache-2.0, package and models.",
    speed="0.2 to 0.5 seconds a picture with little text, up to 3 seconds for a page of it, on one core.",
    models=models,
)


class Reader:
    """The lines of text of a picture, in reading order.

    Zero threads mean one: more gain little and take cores from the other backends.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        sessions.onnxruntime()  # before rapidocr imports it by itself
        try:
            import rapidocr
        except ImportError as error:
            raise MissingExtraError(f"OCR with rapidocr: {error}; pip install rapidocr") from error
        det, cls, rec = models(options)
        if options.language != "multi" and not rec.is_file():
            raise ModelError(
                f'vision.options.rapid.language: "{options.language}" needs {rec}, which is not there; download it '
                f"from {_address(rec.name)}"
            )
        for model in (det, cls, rec):
            if not model.is_file():
                raise ModelError(f'{model}: not in the installed rapidocr; pip install "rapidocr>=3.10"')
        silence("RapidOCR")
        self._options = options
        self._parameters = {
            "Global.log_level": "critical",
            "Global.text_score": 0.0,  # the threshold is applied here
            "EngineConfig.onnxruntime.intra_op_num_threads": max(threads, 1),
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.model_path": str(det),
            "Cls.model_path": str(cls),
            "Rec.model_path": str(rec),
        }
        self._open: Callable[..., Any] = rapidocr.RapidOCR
        self._engine: Any = self._open(params=dict(self._parameters))
        sessions.forget_after_fork(self)

    def after_fork(self) -> None:
        """Leave the parent's engine alone; the next picture opens one of this process."""
        sessions.never_free(self._engine)
        self._engine = None

    def __call__(self, picture: Image) -> list[OcrText]:
        """The lines of an upright RGB picture; boxes in its pixels."""
        if min(picture.size) < LEGIBLE:
            return []
        if self._engine is None:
            self._engine = self._open(params=dict(self._parameters))
        result = self._engine(np.ascontiguousarray(np.asarray(_padded(picture))[..., ::-1]))  # blue first
        if getattr(result, "boxes", None) is None or result.txts is None:
            return []
        readings = zip(result.txts, result.scores, result.boxes, strict=True)
        least, characters = self._options.threshold, self._options.characters
        return confident(readings, picture.size, least=least, characters=characters, source="rapid")


def _padded(picture: Image) -> Image:
    """The picture with white at its right or lower edge where it is longer than ``LONGEST`` shortest sides."""
    least = -(-max(picture.size) // LONGEST)
    if min(picture.size) >= least:
        return picture
    padded = new("RGB", (max(picture.width, least), max(picture.height, least)), "white")
    padded.paste(picture)
    return padded
