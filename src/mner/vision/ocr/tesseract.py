"""Tesseract, the OCR engine of the paper, through pytesseract."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL.Image import Image
from pydantic import Field

from mner.errors import MissingExtraError
from mner.types import OcrText
from mner.vision.protocols import About, PluginOptions


class Options(PluginOptions):
    """[vision.options.tesseract]."""

    language: str = "eng"  # as Tesseract names them; several: "eng+deu"
    confidence: float = Field(default=0.6, ge=0, le=1)  # least mean confidence of a line's words
    characters: int = Field(default=2, ge=1)  # least length of a line
    timeout: float = Field(default=60.0, gt=0)  # seconds for one picture


def models(options: Options) -> list[Path]:
    """The language data that the program reads, in the folder that it names; none where it is not here."""
    quoted = re.search(r'languages in "(.+)"', _said("--list-langs"))
    folder = quoted[1] if quoted else os.environ.get("TESSDATA_PREFIX")  # before version 5 it names no folder
    return [Path(folder) / f"{name}.traineddata" for name in options.language.split("+")] if folder else []


def release(options: Options) -> str:
    """The program's version; "" where it is not here."""
    version = re.search(r"^tesseract v?(\S+)", _said("--version"), re.MULTILINE)
    return version[1] if version else ""


def _said(option: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 (fixed arguments)
            ["tesseract", option],  # noqa: S607 (found as pytesseract finds it)
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # where older versions write it
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace")


ABOUT = About(
    downloads=(
        'nothing by itself. It needs `pip install "mner[tesseract]"` and the program: on Debian and Ubuntu '
        "`apt install tesseract-ocr` (about 20 MB with English; other languages are packages such as "
        "tesseract-ocr-deu)."
    ),
    licence="Apache-2.0, program, package and models.",
    speed="0.1 to 0.3 seconds a photograph on one core, more for a page of text.",
    needs=("pytesseract",),
    programs=("tesseract",),
    models=models,
    release=release,
)


class Reader:
    """The lines of text of a picture, in Tesseract's own order.

    ``threads`` has no effect: Tesseract is a process of its own, whose threads OMP_THREAD_LIMIT sets.
    """

    def __init__(self, options: Options, *, threads: int = 0) -> None:
        try:
            import pytesseract
        except ImportError as error:
            raise MissingExtraError('OCR with tesseract needs a package: pip install "mner[tesseract]"') from error
        try:
            known = pytesseract.get_languages()
        except (pytesseract.TesseractNotFoundError, OSError) as error:
            raise MissingExtraError(
                "OCR with tesseract needs the program of that name: apt install tesseract-ocr"
            ) from error
        for language in options.language.split("+"):
            if language not in known:
                raise MissingExtraError(
                    f'tesseract has no language "{language}" (it has {", ".join(known)}): '
                    f"apt install tesseract-ocr-{language.replace('_', '-')}"
                )
        self._options, self._engine = options, pytesseract

    def __call__(self, picture: Image) -> list[OcrText]:
        """The lines of an upright RGB picture; boxes in its pixels."""
        table = self._engine.image_to_data(
            picture,
            lang=self._options.language,
            timeout=self._options.timeout,
            output_type=self._engine.Output.DICT,
        )
        return [
            line
            for line in lines(table)
            if (line.confidence or 0) >= self._options.confidence and len(line.text) >= self._options.characters
        ]


def lines(table: Mapping[str, Sequence[Any]]) -> list[OcrText]:
    """The lines of Tesseract's table of words; a line's confidence is the mean of its words'."""
    words: dict[tuple[int, ...], list[int]] = {}
    for row, text in enumerate(table["text"]):
        if str(text).strip() and float(table["conf"][row]) >= 0:  # -1: a block or line, not a word
            place = tuple(int(table[name][row]) for name in ("page_num", "block_num", "par_num", "line_num"))
            words.setdefault(place, []).append(row)
    return [_line(table, rows) for rows in words.values()]


def _line(table: Mapping[str, Sequence[Any]], rows: Sequence[int]) -> OcrText:
    lefts, tops = [table["left"][row] for row in rows], [table["top"][row] for row in rows]
    right = max(table["left"][row] + table["width"][row] for row in rows)
    bottom = max(table["top"][row] + table["height"][row] for row in rows)
    confidence = sum(float(table["conf"][row]) for row in rows) / len(rows) / 100
    text = " ".join(str(table["text"][row]).strip() for row in rows)
    return OcrText(
        text, round(confidence, 4), (float(min(lefts)), float(min(tops)), float(right), float(bottom)), "tesseract"
    )
