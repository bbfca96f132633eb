"""PaddleOCR, the second OCR engine of the paper, in its version 3: the PP-OCR models in Paddle's own runtime.

The same models as in ``rapid``, or larger ones, for about 80 languages.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import Field, model_validator

from mner.errors import MissingExtraError, ModelError
from mner.types import OcrText
from mner.vision.ocr._lines import LEGIBLE, confident, silence
from mner.vision.protocols import About, PluginOptions

FILES = ("inference.yml", "inference.pdiparams")
"""Files of an exported model beside its network: its settings and its weights."""


class Options(PluginOptions):
    """[vision.options.paddle]."""

    language: str = "en"  # as PaddleOCR names it: "ch", "en", "korean", "ru", "ar", "hi", ...; of downloaded models
    threshold: float = Field(default=0.8, ge=0, le=1)  # least confidence of a line
    characters: int = Field(default=2, ge=1)  # least length of a line
    turned: bool = False  # also read lines that stand on their head; one model more where it downloads
    detection: str = ""  # folder of the model that finds lines
    recognition: str = ""  # folder of the model that reads them; it decides the language
    download: bool = False  # whether PaddleOCR may fetch its models for the language
    device: str = "cpu"  # as Paddle names it: "cpu", "gpu:0"

    @model_validator(mode="after")
    def _models_known(self) -> Options:
        if bool(self.detection) != bool(self.recognition):
            raise ValueError("detection and recognition: name both folders, or neither")
        return self


def models(options: Options) -> list[Path]:
    """The files that the output depends on; those of downloaded models are not known beforehand."""
    named = [Path(name).expanduser() for name in (options.detection, options.recognition) if name]
    return [path for folder in named for path in (*(folder / name for name in FILES), _network(folder))]


def _network(folder: Path) -> Path:
    """The file of an exported network; Paddle before version 3 wrote it otherwise."""
    network, former = folder / "inference.json", folder / "inference.pdmodel"
    return former if former.is_file() and not network.exists() else network


def release(options: Options) -> str:
    """The version of the package where it downloads its models: it chooses them for the language."""
    if options.detection or not options.download:
        return ""
    try:
        return version("paddleocr")
    except PackageNotFoundError:
        return ""


def lacking(options: Options) -> str | None:
    """Which models are missing; None where they are named or may be downloaded."""
    return None if options.detection or options.download else f"models: {_no_models(options)}"


ABOUT = About(
    downloads=(
        "with `download = true` the package fetches the two models of the language with the first picture and "
        "keeps them (16 to 170 MB). Else nothing: `detection` and `recognition` name folders that hold an "
        "exported model each (`inference.json`, `inference.pdiparams`, `inference.yml`). It needs `pip "
        'install "mner[paddle]"` in an environment of its own: the package wants a numpy below 2.4, and an '
        "OpenCV that replaces the one mner installs."
    ),
    licence="Apache-2.0, package and models.",
    speed="an estimate is 0.5 to 5 seconds a picture on one core, by the size of the models.",
    needs=("paddleocr", "paddle"),
    models=models,
    release=release,
    lacking=lacking,
)


class Reader:
    """The lines of text of a picture, in reading order."""

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        chosen = _models(options)
        try:
            import paddleocr
        except ImportError as error:
            raise MissingExtraError(f'OCR with paddle: {error}; pip install "mner[paddle]"') from error
        silence("paddlex", "paddleocr")
        if threads and options.device == "cpu":
            chosen["cpu_threads"] = threads
        self._options = options
        try:
            self._engine: Any = paddleocr.PaddleOCR(
                use_doc_orientation_classify=False,
                use_doc_unwarping=False,
                use_textline_orientation=options.turned,
                text_rec_score_thresh=0.0,  # the threshold is applied here
                device=options.device,
                **chosen,
            )
        except Exception as error:  # Paddle raises classes of its own for each fault
            raise ModelError(f"OCR with paddle: PaddleOCR cannot start with {chosen}: {error}") from error

    def __call__(self, picture: Image.Image) -> list[OcrText]:
        """The lines of an upright RGB picture; boxes in its pixels."""
        if min(picture.size) < LEGIBLE:
            return []
        pixels = np.ascontiguousarray(np.asarray(picture)[..., ::-1])  # blue first
        readings = [
            reading
            for result in self._engine.predict(pixels)
            for reading in zip(result["rec_texts"], result["rec_scores"], result["rec_polys"], strict=True)
        ]
        least, characters = self._options.threshold, self._options.characters
        return confident(readings, picture.size, least=least, characters=characters, source="paddle")


def _models(options: Options) -> dict[str, Any]:
    """The models as arguments of PaddleOCR: two folders and the names in them, or a language."""
    if options.detection:
        arguments: dict[str, Any] = {}
        for kind, name in {"detection": options.detection, "recognition": options.recognition}.items():
            folder = Path(name).expanduser()
            arguments[f"text_{kind}_model_dir"] = str(folder)
            arguments[f"text_{kind}_model_name"] = _name(folder, f"vision.options.paddle.{kind}")
        return arguments
    if options.download:
        return {"lang": options.language}
    raise ModelError(f"OCR with paddle has no models: {_no_models(options)}")


def _no_models(options: Options) -> str:
    return (
        "set vision.options.paddle.download = true, and PaddleOCR fetches those of "
        f'"{options.language}" from the network once; or name the folders of two models that are here: '
        'detection = "./PP-OCRv5_mobile_det", recognition = "./en_PP-OCRv5_mobile_rec"'
    )


def _name(folder: Path, option: str) -> str:
    """The name of the model in a folder, by its ``inference.yml``; PaddleOCR refuses one that goes by another."""
    path = folder / "inference.yml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{option}: {path} cannot be read ({error}); it belongs to an exported model") from None
    name = re.search(r"^\s*model_name:\s*[\"']?([\w.-]+)", text, re.MULTILINE)
    if name is None:
        raise ModelError(f'{option}: {path}: expected a line "model_name: ..." under "Global"')
    return name[1]
