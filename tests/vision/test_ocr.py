from __future__ import annotations

import logging
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pydantic import ValidationError

from mner.config import VisionConfig
from mner.errors import MissingExtraError, ModelError
from mner.types import OcrText
from mner.vision.extract import Extractor
from mner.vision.ocr import rapid, tesseract
from mner.vision.ocr._lines import in_reading_order


def poster() -> Image.Image:
    picture = Image.new("RGB", (640, 360), "white")
    pen = ImageDraw.Draw(picture)
    pen.text((60, 60), "GRAND OPENING", fill="black", font_size=60)
    pen.text((60, 200), "Lisbon", fill="navy", font_size=56)
    pen.text((400, 200), "Friday", fill="navy", font_size=56)
    return picture


@pytest.fixture(scope="module")
def reader() -> rapid.Reader:
    return rapid.Reader(rapid.Options())


def test_rapid_reads_drawn_text_in_reading_order(reader):
    lines = reader(poster())
    assert [line.text for line in lines] == ["GRAND OPENING", "Lisbon", "Friday"]
    left, top, right, bottom = lines[1].box
    assert 40 < left < 80 and 180 < top < 225 and 200 < right < 270 and 240 < bottom < 280
    assert all(line.confidence >= 0.8 and line.source == "rapid" for line in lines)


def test_rapid_finds_nothing_on_a_blank_picture(reader):
    assert reader(Image.new("RGB", (300, 300), "white")) == []


def test_rapid_reads_a_long_banner_with_boxes_inside_it(reader):
    banner = Image.new("RGB", (1500, 70), "white")
    ImageDraw.Draw(banner).text((30, 8), "WINTER FESTIVAL", fill="black", font_size=48)
    (line,) = reader(banner)
    assert line.text == "WINTER FESTIVAL"
    assert line.box[3] <= 70


@pytest.mark.parametrize("first_look", [True, False])
def test_rapid_reads_small_text_in_a_corner_of_a_large_picture(first_look):
    photo = Image.new("RGB", (1200, 900), "darkgreen")
    ImageDraw.Draw(photo).text((980, 850), "Photo by Ada Lovelace", fill="white", font_size=20)
    (line,) = rapid.Reader(rapid.Options(first_look=first_look))(photo)
    assert line.text.endswith("by Ada Lovelace")
    assert line.box[0] > 950 and line.box[1] > 820


def test_rapid_looks_once_and_small_at_a_picture_without_text(reader, monkeypatch):
    networks = []
    run = reader._run
    monkeypatch.setattr(
        reader, "_run", lambda session, network: networks.append(network.shape) or run(session, network)
    )
    assert reader(Image.linear_gradient("L").resize((736, 736)).convert("RGB")) == []
    assert networks == [(1, 3, 320, 320)]


@pytest.fixture
def seen(reader, monkeypatch):
    """The heights of what the detector sees."""
    heights = []
    see = reader._see
    monkeypatch.setattr(reader, "_see", lambda pixels: heights.append(pixels.shape[0]) or see(pixels))
    return heights


def test_rapid_looks_once_at_flat_shapes_that_fill_a_picture(reader, seen):
    """The detector takes such shapes for one giant letter."""
    dice = random.Random(2)
    picture = Image.new("RGB", (640, 800), "teal")
    for color in ("gold", "crimson", "navy", "white", "black", "orange") * 2:
        left, top = dice.randrange(640), dice.randrange(800)
        shape = (left, top, left + dice.randrange(20, 300), top + dice.randrange(20, 300))
        ImageDraw.Draw(picture).ellipse(shape, fill=color)
    assert reader(picture) == []
    assert seen == [416]


def test_rapid_reads_giant_letters_after_one_look(reader, seen):
    picture = Image.new("RGB", (900, 400), "white")
    ImageDraw.Draw(picture).text((60, 60), "GOAL", fill="black", font_size=260)
    assert [line.text for line in reader(picture)] == ["GOAL"]
    assert len(seen) == 1


def test_rapid_reads_small_letters_on_a_giant_shape(reader):
    picture = Image.new("RGB", (640, 640), "teal")
    ImageDraw.Draw(picture).ellipse((20, 20, 620, 620), fill="gold")
    ImageDraw.Draw(picture).text((190, 300), "Grand opening today", fill="black", font_size=26)
    assert [line.text for line in reader(picture)] == ["Grand opening today"]


def test_rapid_reads_a_picture_that_stands_on_its_head(reader):
    texts = [line.text for line in reader(poster().rotate(180))]
    assert sorted(texts) == ["Friday", "GRAND OPENING", "Lisbon"]


def test_rapid_reads_a_picture_that_lies_on_its_side(reader):
    assert "GRAND OPENING" in [line.text for line in reader(poster().rotate(90, expand=True))]


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (600, 1), (9, 1600), (1600, 8), (3000, 40), (2600, 1800)])
def test_rapid_survives_pictures_of_any_size(reader, size):
    assert reader(Image.new("RGB", size, "gray")) == []


@pytest.fixture
def widths(reader, monkeypatch):
    """The widths of the lines that are read, by a stand-in that is as sure as a line is bright; 0: its direction."""
    widths = []

    def run(session, network):
        widths.append(0 if session is reader._turner else network.shape[-1])
        if session is reader._turner:
            return np.array([1.0, 0.0])
        scores = np.zeros((2, len(reader._characters)), np.float32)
        scores[:, 1] = float(network.max())
        return scores

    monkeypatch.setattr(reader, "_run", run)
    return widths


def line(gray: int):
    return np.full((48, 960, 3), gray, np.uint8)


def test_rapid_leaves_a_long_line_that_begins_illegibly(reader, widths):
    """Of both dark lines only the beginning is read; after a line that is legible, all of the next one."""
    scores = [score for _, score in reader._readings([line(150), line(150), line(255), line(150)])]
    assert [width for width in widths if width] == [160, 160, 160, 960, 960]
    assert scores == pytest.approx([0.18, 0.18, 1.0, 0.18], abs=0.01)


def test_rapid_tries_beginnings_again_after_several_illegible_lines(reader, widths):
    list(reader._readings([line(255), *[line(150)] * 4, line(255), line(150)]))
    assert [width for width in widths if width] == [160, 960, 960, 960, 960, 160, 160, 960, 960]


def test_rapid_looks_at_the_direction_of_lines_that_are_not_sure(reader, widths):
    list(reader._readings([line(255), line(240)]))  # sure by 1 and by 0.88
    assert widths == [160, 960, 960, 0]


def test_rapid_reads_the_lines_beside_those_of_another_script(reader):
    """Scribbles as of a script that the model does not know, above one line that it knows."""
    picture = Image.new("RGB", (600, 800), "white")
    pen, dice = ImageDraw.Draw(picture), random.Random(0)
    for top in range(20, 680, 32):
        for left in range(20, 560, 8):
            x, y = left + dice.random() * 10, top + dice.random() * 14
            pen.arc((x, y, x + 9, y + 9), dice.randint(0, 180), dice.randint(181, 360), fill="black", width=2)
    pen.text((20, 730), "Photo by Ada Lovelace", fill="black", font_size=20)
    assert [line.text for line in reader(picture) if len(line.text) > 12] == ["Photo by Ada Lovelace"]


def test_rapid_reads_a_noisy_page(reader):
    rows = [f"Line {number} of a page with noise" for number in range(1, 19)]
    picture = Image.new("RGB", (420, 560), "white")
    for number, row in enumerate(rows):
        ImageDraw.Draw(picture).text((15, 12 + 30 * number), row, fill="black", font_size=18)
    noise = np.random.default_rng(0).normal(0, 20, (560, 420, 1))
    noisy = Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))
    assert [line.text for line in reader(noisy)] == rows


def test_rapid_reads_a_block_of_tiny_letters_in_a_large_picture(reader):
    """A first look shows it as one shape that cannot be read."""
    rows = ["Thanks to everyone who came to the Old Mill on Saturday"] * 6
    picture = Image.new("RGB", (1024, 1024), "#dde6ee")
    for number, row in enumerate(rows):
        ImageDraw.Draw(picture).text((300, 600 + 14 * number), row, fill="black", font_size=10)
    assert len(reader(picture)) == 6


def test_rapid_keeps_only_lines_long_enough():
    reader = rapid.Reader(rapid.Options(characters=7))
    assert [line.text for line in reader(poster())] == ["GRAND OPENING"]


def test_rapid_is_silent_and_leaves_other_loggers_alone(reader, capfd):
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    rapid.Reader(rapid.Options())(Image.new("RGB", (64, 64), "white"))
    assert capfd.readouterr() == ("", "")
    assert (root.level, list(root.handlers)) == before


def test_rapid_models_are_in_the_installed_package():
    assert all(model.is_file() and model.parts[-3] == "rapidocr" for model in rapid.MODELS)


@given(st.permutations([(row, column) for row in range(3) for column in range(3)]))
def test_reading_order_does_not_depend_on_the_order_of_detection(cells):
    lines = [OcrText(f"{r}{c}", box=(c * 50.0, r * 30.0 + c, c * 50.0 + 40, r * 30.0 + c + 20)) for r, c in cells]
    assert [line.text for line in in_reading_order(lines)] == [f"{r}{c}" for r in range(3) for c in range(3)]


TABLE = {
    "page_num": [1, 1, 1, 1, 1],
    "block_num": [1, 1, 1, 1, 2],
    "par_num": [1, 1, 1, 1, 1],
    "line_num": [0, 1, 1, 2, 1],
    "left": [0, 10, 60, 12, 5],
    "top": [0, 5, 4, 40, 90],
    "width": [200, 40, 30, 50, 9],
    "height": [100, 12, 14, 11, 8],
    "conf": [-1, 90.0, "80", 55.5, 99],
    "text": ["", "New", "York", "tonight", " "],
}


def test_tesseract_words_are_joined_by_line():
    first, second = tesseract.lines(TABLE)
    assert (first.text, first.confidence, first.box) == ("New York", 0.85, (10.0, 4.0, 90.0, 18.0))
    assert (second.text, second.confidence, second.box) == ("tonight", 0.555, (12.0, 40.0, 62.0, 51.0))


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")
def test_tesseract_reads_drawn_text():
    text = " ".join(line.text for line in tesseract.Reader(tesseract.Options())(poster()))
    assert "GRAND OPENING" in text


def program(folder: Path, version: str, listed: str) -> None:
    path = folder / "tesseract"
    path.write_text(f"#!/bin/sh\ncase $1 in --version) echo 'tesseract {version}';; *) echo '{listed}';; esac\n")
    path.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="the program is a shell script")
def test_tesseract_language_data_and_version_are_in_the_fingerprint(tmp_path: Path, monkeypatch):
    def fingerprint() -> str:
        options = {"tesseract": {"language": "eng+deu"}}
        return Extractor(VisionConfig(detector="", captioner="", ocr="tesseract", options=options)).fingerprint

    monkeypatch.setenv("PATH", str(tmp_path))
    fingerprints = [fingerprint()]  # without the program
    data = tmp_path / "data"
    data.mkdir()
    program(tmp_path, "5.3.0", f'List of available languages in "{data}/" (2):')
    for name in ("eng", "deu", "osd"):
        (data / f"{name}.traineddata").write_text("first")
    fingerprints.append(fingerprint())
    (data / "osd.traineddata").write_text("other")  # of a language that is not read
    assert fingerprint() == fingerprints[-1]
    (data / "deu.traineddata").write_text("second")
    fingerprints.append(fingerprint())
    program(tmp_path, "5.4.0", f'List of available languages in "{data}/" (2):')
    fingerprints.append(fingerprint())
    program(tmp_path, "4.1.1", "List of available languages (2):")  # says no folder
    fingerprints.append(fingerprint())
    monkeypatch.setenv("TESSDATA_PREFIX", str(data))
    fingerprints.append(fingerprint())
    assert len(set(fingerprints)) == len(fingerprints)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")
def test_tesseract_names_the_folder_of_its_language_data():
    (data,) = tesseract.models(tesseract.Options())
    assert data.name == "eng.traineddata" and data.is_file()
    assert tesseract.release(tesseract.Options())


def test_tesseract_without_its_package_says_what_to_type(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pytesseract", None)
    with pytest.raises(MissingExtraError, match=r'pip install "mner\[tesseract\]"'):
        tesseract.Reader(tesseract.Options())


def test_tesseract_without_its_program_says_what_to_type(monkeypatch):
    pytesseract = pytest.importorskip("pytesseract", reason="pytesseract is not installed")
    monkeypatch.setattr(pytesseract.pytesseract, "tesseract_cmd", "/nowhere/tesseract")
    pytesseract.get_languages.cache_clear() if hasattr(pytesseract.get_languages, "cache_clear") else None
    with pytest.raises(MissingExtraError, match="apt install tesseract-ocr"):
        tesseract.Reader(tesseract.Options())


def test_rapid_of_another_script_says_what_to_fetch_and_where_to_put_it(monkeypatch, tmp_path):
    monkeypatch.setenv("MNER_CACHE", str(tmp_path))
    with pytest.raises(ModelError) as caught:
        rapid.Reader(rapid.Options(language="korean"))
    said = str(caught.value)
    assert str(tmp_path / "rapidocr" / "korean_PP-OCRv5_rec_mobile.onnx") in said
    assert "https://" in said and said.endswith("/korean_PP-OCRv5_rec_mobile.onnx")


def test_rapid_reads_with_the_model_of_the_language(monkeypatch, tmp_path):
    """The packaged model stands for that of another script: what is read shows that the file is used."""
    monkeypatch.setenv("MNER_CACHE", str(tmp_path))
    (tmp_path / "rapidocr").mkdir()
    shutil.copy(rapid.MODELS[2], tmp_path / "rapidocr" / "el_PP-OCRv5_rec_mobile.onnx")
    assert rapid.models(rapid.Options(language="el"))[2].parent == tmp_path / "rapidocr"
    lines = rapid.Reader(rapid.Options(language="el"))(poster())
    assert [line.text for line in lines] == ["GRAND OPENING", "Lisbon", "Friday"]


def test_rapid_of_an_unknown_language_lists_those_there_are():
    with pytest.raises(ValidationError, match="'multi', 'arabic', 'cyrillic'"):
        rapid.Options(language="klingon")
