"""PaddleOCR through a module that takes what version 3 takes and answers in its form."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from mner.config import VisionConfig
from mner.errors import MissingExtraError, ModelError
from mner.vision.extract import Extractor
from mner.vision.listing import backends
from mner.vision.ocr import paddle
from tests.vision.paddle import answer, corners

PICTURE = Image.new("RGB", (200, 100), (255, 0, 0))


def test_lines_come_in_reading_order_with_boxes(paddleocr):
    paddleocr.answers = [
        answer(
            ("EXIT", 0.97, corners(120, 12, 180, 30)),
            ("below", 0.9, corners(10, 60, 80, 80)),
            (" this way ", 0.99, [(10, 10), (100, 14), (99, 34), (-3, 30)]),
            ("unsure", 0.79, corners(10, 85, 80, 95)),
            ("x", 0.99, corners(150, 85, 160, 95)),
        )
    ]
    lines = paddle.Reader(paddle.Options(download=True))(PICTURE)
    assert [(line.text, line.confidence, line.source) for line in lines] == [
        ("this way", 0.99, "paddle"),
        ("EXIT", 0.97, "paddle"),
        ("below", 0.9, "paddle"),
    ]
    assert lines[0].box == (0, 10, 100, 34)


def test_picture_goes_in_blue_first(paddleocr):
    paddleocr.answers = [answer()]
    assert paddle.Reader(paddle.Options(download=True))(PICTURE) == []
    (pixels,) = paddleocr.seen
    assert pixels.shape == (100, 200, 3) and pixels.dtype == np.uint8 and pixels[0, 0].tolist() == [0, 0, 255]


def test_picture_too_small_for_text_is_not_read(paddleocr):
    assert paddle.Reader(paddle.Options(download=True))(Image.new("RGB", (300, 7))) == [] and paddleocr.seen == []


def test_language_device_and_threads_reach_the_engine(paddleocr):
    paddle.Reader(paddle.Options(download=True, language="korean", turned=True), threads=2)
    assert paddleocr.given["lang"] == "korean" and paddleocr.given["cpu_threads"] == 2
    assert paddleocr.given["device"] == "cpu" and paddleocr.given["use_textline_orientation"] is True
    assert paddleocr.given["use_doc_unwarping"] is False


def test_engine_writes_nothing_to_the_terminal(paddleocr):
    logger = logging.getLogger("paddlex")
    logger.addHandler(logging.StreamHandler())
    paddle.Reader(paddle.Options(download=True))
    assert all(isinstance(handler, logging.NullHandler) for handler in logger.handlers)


def test_unknown_language_is_named(paddleocr):
    with pytest.raises(ModelError, match="klingon"):
        paddle.Reader(paddle.Options(download=True, language="klingon"))


def exported(folder: Path, name: str) -> Path:
    folder.mkdir()
    (folder / "inference.yml").write_text(f"Global:\n  model_name: {name}\nPreProcess:\n  x: 1\n")
    (folder / "inference.pdiparams").write_bytes(name.encode())
    return folder


def test_models_in_folders_are_named_as_they_call_themselves(paddleocr, tmp_path):
    result, read = exported(tmp_path / "a", "PP-OCRv5_mobile_det"), exported(tmp_path / "b", "en_PP-OCRv5_mobile_rec")
    options = paddle.Options(detection=str(result), recognition=str(read))
    paddle.Reader(options)
    assert paddleocr.given["text_detection_model_name"] == "PP-OCRv5_mobile_det"
    assert paddleocr.given["text_detection_model_dir"] == str(result)
    assert paddleocr.given["text_recognition_model_name"] == "en_PP-OCRv5_mobile_rec"
    assert paddleocr.given["text_recognition_model_dir"] == str(read) and "lang" not in paddleocr.given
    given = {"paddle": {"detection": str(result), "recognition": str(read)}}
    config = VisionConfig(detector="", captioner="", ocr="paddle", options=given)
    before = Extractor(config).fingerprint
    (read / "inference.pdiparams").write_bytes(b"another model")
    assert Extractor(config).fingerprint != before


def test_nothing_is_downloaded_unasked(paddleocr):
    with pytest.raises(ModelError, match=r"download = true.*name the folders"):
        paddle.Reader(paddle.Options())
    assert paddleocr.given is None


def test_list_of_backends_says_that_models_are_lacking(tmp_path):
    def missing(**given: Any) -> list[str]:
        (each,) = [each for each in backends(VisionConfig(options={"paddle": given})) if each.name == "paddle"]
        return [line for line in each.missing if "package" not in line]

    (given,) = missing()
    assert given.startswith("models: set vision.options.paddle.download = true")
    assert missing(download=True) == []
    result, read = exported(tmp_path / "a", "x_det"), exported(tmp_path / "b", "x_rec")
    assert missing(detection=str(result), recognition=str(read)) == []


def test_folder_without_a_model_is_named(paddleocr, tmp_path):
    good = exported(tmp_path / "a", "x_det")
    with pytest.raises(ModelError, match=r"paddle\.recognition: .*inference\.yml cannot be read"):
        paddle.Reader(paddle.Options(detection=str(good), recognition=str(tmp_path)))
    (tmp_path / "inference.yml").write_text("nothing: here\n")
    with pytest.raises(ModelError, match='expected a line "model_name'):
        paddle.Reader(paddle.Options(detection=str(good), recognition=str(tmp_path)))
    with pytest.raises(ValidationError, match="name both folders"):
        paddle.Options(detection=str(good))


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "paddleocr", None)
    with pytest.raises(MissingExtraError, match=r'pip install "mner\[paddle\]"'):
        paddle.Reader(paddle.Options(download=True))


def test_network_settings_and_weights_are_in_the_fingerprint(tmp_path):
    files = ("inference.yml", "inference.json", "inference.pdiparams")
    names = [tmp_path / model / file for model in ("find", "read") for file in files]
    options = {"paddle": {"detection": str(tmp_path / "find"), "recognition": str(tmp_path / "read")}}
    config = VisionConfig(detector="", captioner="", ocr="paddle", options=options)
    fingerprints = [Extractor(config).fingerprint]
    for path in names:
        path.parent.mkdir(exist_ok=True)
        path.write_text("content")
        fingerprints.append(Extractor(config).fingerprint)
    assert len(set(fingerprints)) == 7
    for network in tmp_path.glob("*/inference.json"):  # as Paddle before version 3 exports it
        network.rename(network.with_suffix(".pdmodel"))
    assert Extractor(config).fingerprint == fingerprints[-1]
    assert {path.name for path in paddle.models(paddle.Options(**options["paddle"]))} == {
        "inference.yml", "inference.pdmodel", "inference.pdiparams"
    }  # fmt: skip


def test_version_of_the_package_counts_where_it_chooses_the_models(monkeypatch):
    def fingerprint(installed: str, **options: object) -> str:
        monkeypatch.setattr(paddle, "version", lambda name: installed)
        return Extractor(VisionConfig(detector="", captioner="", ocr="paddle", options={"paddle": options})).fingerprint

    assert fingerprint("3.0.0", download=True) != fingerprint("3.1.0", download=True)
    assert fingerprint("3.0.0") == fingerprint("3.1.0")
