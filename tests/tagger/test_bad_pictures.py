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
    found = tagger(TEXT, image=BAD[kind](tmp_path))
    assert found.view == "T"
    assert found.image_status == ("missing" if kind.startswith("missing") else "unreadable")
    assert found.reason
    assert found.entities == tagger(TEXT).entities
    assert found.to_dict()["reason"] == found.reason


def test_bad_pictures_never_stop_a_stream(tagger: Tagger, tmp_path: Path) -> None:
    posts = [{"id": kind, "text": TEXT, "image": make(tmp_path)} for kind, make in BAD.items()]
    found = list(tagger.pipe([*posts, TEXT], look_ahead=3))
    assert [one.id for one in found] == [*BAD, ""]
    assert {one.view for one in found} == {"T"}
    assert all(one.reason for one in found[:-1])


def test_good_picture_is_read(tagger: Tagger, tmp_path: Path) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(jpeg((320, 240)))
    for source in (path, str(path), path.read_bytes(), Image.open(path)):
        found = tagger(TEXT, image=source)
        assert found.image_status in {"used", "empty"}, found.reason
        assert (found.view == "I+T") == (found.image_status == "used")
        assert (found.reason is None) == (found.image_status == "used")
        assert found.context is not None
