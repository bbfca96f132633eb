"""Real backends and pictures as bad as they come: tagged by the words alone, saying why."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import mner
from mner.tagger import Tagger

TEXT = "Kevin Love is back in Cleveland"


@pytest.fixture(scope="module")
def tagger(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Tagger:
    return mner.load(tiny_model, threads=1, store=tmp_path_factory.mktemp("store") / "contexts.sqlite")


def jpeg(size: tuple[int, int] = (64, 48)) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(stream, "JPEG")
    return stream.getvalue()


BAD: dict[str, Callable[[Path], Any]] = {
    "missing": lambda folder: folder / "none.jpg",
    "a name with a NUL": lambda folder: "a\0b.jpg",
    "a name that is too long": lambda folder: "x" * 5000,
    "a folder": lambda folder: folder,
    "no bytes": lambda folder: b"",
    "a page": lambda folder: b"<html>404 not found</html>",
    "zeros": lambda folder: bytes(1000),
    "a cut JPEG": lambda folder: jpeg()[:700],
    "a head alone": lambda folder: jpeg()[:20],
    "a broken PNG": lambda folder: b"\x89PNG\r\n\x1a\n" + bytes(50),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_picture_falls_back_and_says_why(tagger: Tagger, tmp_path: Path, kind: str) -> None:
    prediction = tagger(TEXT, image=BAD[kind](tmp_path))
    assert prediction.view == "T"
    assert prediction.image_status == ("missing" if kind.startswith("missing") else "unreadable")
    assert prediction.reason
    assert prediction.entities == tagger(TEXT).entities
    assert prediction.to_dict()["reason"] == prediction.reason


def test_bad_pictures_never_stop_a_stream(tagger: Tagger, tmp_path: Path) -> None:
    posts = [{"id": kind, "text": TEXT, "image": make(tmp_path)} for kind, make in BAD.items()]
    predictions = list(tagger.pipe([*posts, TEXT], look_ahead=3))
    assert [prediction.id for prediction in predictions] == [*BAD, ""]
    assert {prediction.view for prediction in predictions} == {"T"}
    assert all(prediction.reason for prediction in predictions[:-1])


def test_good_picture_is_read(tagger: Tagger, tmp_path: Path) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(jpeg((320, 240)))
    for source in (path, str(path), path.read_bytes(), Image.open(path)):
        prediction = tagger(TEXT, image=source)
        assert prediction.image_status in {"used", "empty"}, prediction.reason
        assert (prediction.view == "I+T") == (prediction.image_status == "used")
        assert (prediction.reason is None) == (prediction.image_status == "used")
        assert prediction.context is not None
