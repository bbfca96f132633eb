"""RapidOCR with the PP-OCR models: reads clean, slanted and coloured text in Latin and Chinese script.

Downloads: nothing; the models (about 32 MB) are inside the package rapidocr, which mner requires.
Licence: Apache-2.0, package and models.
Speed: 0.2 to 0.5 seconds a picture with little text, up to 3 seconds for a page of it, on one core.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL.Image import Image, new
from pydantic import BaseModel, ConfigDict, Field

from mner.errors import MissingExtraError, ModelError
from mner.types import OcrText

VERSION = 1


LEGIBLE = 8
"""Pixels of the shortest side of a picture that can hold text."""

LONGEST = 4
"""The longest side in shortest sides. The engine enlarges the shortest side to 736 pixels, however long the other."""


class Options(BaseModel):
    """[vision.options.rapid]."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: float = Field(default=0.8, ge=0, le=1)  # least confidence of a line
    characters: int = Field(default=2, ge=1)  # least length of a line; single characters are mostly false


def _folder() -> Path:
    found = importlib.util.find_spec("rapidocr")  # does not import it
    if found is None or found.origin is None:
        return Path("rapidocr/models")
    return Path(found.origin).parent / "models"


def _model(kind: str) -> Path:
    """The newest model of one kind, "det", "cls" or "rec", in the package."""
    return max(_folder().glob(f"*_{kind}_*.onnx"), default=_folder() / f"{kind}.onnx")


MODELS = tuple(_model(kind) for kind in ("det", "cls", "rec"))


class Reader:
    """The lines of text of a picture, in reading order.

    Args:
        options: Which lines are kept.
        threads: Most CPU threads of one picture; 0 is 1: more gain little and take cores from the other backends.

    Raises:
        MissingExtraError: The package is not installed.
        ModelError: The installed package does not carry the models.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        try:
            import rapidocr
        except ImportError as error:
            raise MissingExtraError(f"OCR with rapidocr: {error}; pip install rapidocr") from error
        for model in MODELS:
            if not model.is_file():
                raise ModelError(f'{model}: not in the installed rapidocr; pip install "rapidocr>=3.10"')
        _silence()
        det, cls, rec = MODELS
        self._options = options
        self._engine: Any = rapidocr.RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.text_score": 0.0,  # the threshold is applied here
                "EngineConfig.onnxruntime.intra_op_num_threads": max(threads, 1),
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.model_path": str(det),
                "Cls.model_path": str(cls),
                "Rec.model_path": str(rec),
            }
        )

    def __call__(self, picture: Image) -> list[OcrText]:
        """The lines of an upright RGB picture; boxes in its pixels."""
        if min(picture.size) < LEGIBLE:
            return []
        result = self._engine(np.ascontiguousarray(np.asarray(_padded(picture))[..., ::-1]))  # blue first
        if getattr(result, "boxes", None) is None or result.txts is None:
            return []
        lines = [
            _line(text, score, np.clip(corners, 0, picture.size))
            for text, score, corners in zip(result.txts, result.scores, result.boxes, strict=True)
            if score >= self._options.threshold and len(text.strip()) >= self._options.characters
        ]
        return in_reading_order(lines)


def in_reading_order(lines: Sequence[OcrText]) -> list[OcrText]:
    """Lines from top to bottom, those that share a row from left to right.

    A line is in the row of the line above it where its middle is above that row's lower edge.

    >>> a, b = OcrText("b", box=(50, 2, 90, 20)), OcrText("a", box=(0, 5, 40, 22))
    >>> [line.text for line in in_reading_order([a, b])]
    ['a', 'b']
    """
    rows: list[list[OcrText]] = []
    edge = float("-inf")  # the middle of the row's first line, lower edge included
    for line in sorted(lines, key=lambda line: _middle(line)):
        if _middle(line) > edge:
            rows.append([])
            _, top, _, bottom = line.box or (0, 0, 0, 0)
            edge = _middle(line) + (bottom - top) / 2
        rows[-1].append(line)
    return [line for row in rows for line in sorted(row, key=lambda line: (line.box or (0,))[0])]


def _middle(line: OcrText) -> float:
    _, top, _, bottom = line.box or (0, 0, 0, 0)
    return (top + bottom) / 2


def _line(text: str, score: float, corners: Any) -> OcrText:
    """A line whose box is the upright one around the four corners (corner, 2)."""
    (left, top), (right, bottom) = np.min(corners, axis=0), np.max(corners, axis=0)
    box = (round(float(left), 1), round(float(top), 1), round(float(right), 1), round(float(bottom), 1))
    return OcrText(text.strip(), round(float(score), 4), box, "rapid")


def _padded(picture: Image) -> Image:
    """The picture with white at its right or lower edge where it is longer than ``LONGEST`` shortest sides."""
    least = -(-max(picture.size) // LONGEST)
    if min(picture.size) >= least:
        return picture
    padded = new("RGB", (max(picture.width, least), max(picture.height, least)), "white")
    padded.paste(picture)
    return padded


def _silence() -> None:
    """Take away what rapidocr's own logger writes to stderr; no other logger is touched."""
    logger = logging.getLogger("RapidOCR")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.addHandler(logging.NullHandler())
