"""Backends that look results up by a picture's name, inside the extractor and its store."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mner.config import VisionConfig
from mner.contexts.entry_text import entry_texts
from mner.contexts.store import Store
from mner.errors import ConfigError, DataError
from mner.types import VisualContext
from mner.vision.extract import Extractor


def picture(size: tuple[int, int] = (80, 40)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, "red").save(stream, "PNG")
    return stream.getvalue()


def config(folder: Path, **names: str) -> VisionConfig:
    options = {"detections": str(folder / "d.tsv"), "captions": str(folder / "c.tsv")}
    return VisionConfig(**{"detector": "vinvl", "captioner": "vinvl", "ocr": "", **names}, options={"vinvl": options})


@pytest.fixture
def published(tmp_path: Path) -> Path:
    rows = {name: {"image_w": 40, "image_h": 20, "objects": [{"class": name, "conf": 0.9, "rect": [0, 0, 40, 10]}]}
            for name in ("one", "two")}  # fmt: skip
    (tmp_path / "d.tsv").write_text("".join(f"{name}.png\t{json.dumps(row)}\n" for name, row in rows.items()))
    (tmp_path / "c.tsv").write_text("one.png\tfirst\ntwo.png\tsecond\n")
    return tmp_path


def test_results_are_taken_as_they_were_published(published: Path) -> None:
    context = Extractor(config(published)).read(picture((3200, 1600)), image="one.png")
    (tag,) = context.tags  # no measured attribute, though the object is large and red
    assert (tag.object, tag.attributes, tag.box, tag.source) == ("one", (), (0.0, 0.0, 3200.0, 800.0), "vinvl")
    assert [(each.text, each.source) for each in context.captions] == [("first", "vinvl")]
    assert context.reason is None


def test_boxes_published_without_a_size_count_the_pixels_of_the_file(published: Path) -> None:
    objects = [{"class": "dog", "rect": [2000, 1000, 3000, 2000]}, {"class": "cat", "rect": [100, 100, 700, 700]}]
    (published / "d.tsv").write_text(f"3.png\t{json.dumps(objects)}\n")
    (published / "c.tsv").write_text("3.png\tfirst\n")
    context = Extractor(config(published)).read(picture((4000, 3000)), image="3.png")
    assert [tag.box for tag in context.tags] == [(2000.0, 1000.0, 3000.0, 2000.0), (100.0, 100.0, 700.0, 700.0)]


def test_bottom_up_row_without_a_size_counts_the_pixels_of_the_file(published: Path) -> None:
    def coded(*numbers: float, kind: str) -> str:
        return base64.b64encode(np.array(numbers, kind).tobytes()).decode()

    columns = ("1.png", "0", "0", coded(0, kind="<i8"), coded(0.9, kind="<f4"), coded(0, kind="<i8"),
               coded(0.9, kind="<f4"), "1", coded(2000, 1000, 3000, 2000, kind="<f4"), "")  # fmt: skip
    (published / "b.tsv").write_text("\t".join(columns) + "\n")
    for name in ("objects", "attributes"):
        (published / f"{name}_vocab.txt").write_text("dog\n")
    options = {"bottomup": {"detections": str(published / "b.tsv")}}
    config = VisionConfig(detector="bottomup", captioner="", ocr="", options=options)
    (tag,) = Extractor(config).read(picture((4000, 3000)), image="1.png").tags
    assert tag.box == (2000.0, 1000.0, 3000.0, 2000.0)


def test_template_speaks_of_published_objects(published: Path) -> None:
    context = Extractor(config(published, captioner="template")).read(picture(), image="one.png")
    assert [each.text for each in context.captions] == ["a photo of a one"]


def test_equal_pictures_of_two_names_keep_their_own_results(published: Path) -> None:
    items = [("one.png", picture()), ("two.png", picture())]
    with Store(published / "s.sqlite") as store:
        for _ in range(2):
            rows = list(Extractor(config(published)).stream(iter(items), store=store))
            assert [entry_texts(row, "tags") for row in rows] == [("one",), ("two",)]
        assert len(store) == 2


def test_file_that_changed_is_read_anew(published: Path) -> None:
    def read() -> VisualContext:
        with Store(published / "s.sqlite") as store:
            return next(iter(Extractor(config(published)).stream([("one.png", picture())], store=store)))

    assert entry_texts(read(), "captions") == ("first",)
    (published / "c.tsv").write_text("one.png\tother\n")
    assert entry_texts(read(), "captions") == ("other",)


def test_picture_that_was_not_published_says_so_and_keeps_the_rest(published: Path) -> None:
    (published / "c.tsv").write_text("two.png\tsecond\n")
    context = Extractor(config(published)).read(picture(), image="one.png")
    assert entry_texts(context, "tags") == ("one",)
    assert context.reason is not None
    assert context.reason.startswith(f'the captioner failed: {published}/c.tsv: holds nothing of "one.png"')


def test_file_that_is_not_there_ends_the_run(published: Path) -> None:
    with pytest.raises(ConfigError, match=r"detector vinvl needs the published output: name it in vision\.options"):
        Extractor(VisionConfig(detector="vinvl", captioner="", ocr="")).read(picture(), image="one.png")
    (published / "d.tsv").unlink()
    with pytest.raises(DataError, match=r"d\.tsv: cannot be read"):
        Extractor(config(published)).read(picture(), image="one.png")
