"""Addresses are refused, data URIs are pictures with a short name, and only regular files are opened."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import pytest
from PIL import Image

from mner.errors import ImageError
from mner.picture_files import FOREIGN, Inline, Refused, kind_of, open_regular, short_name, unfiled
from mner.vision.images import Limits, open_image


def png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (7, 5), "navy").save(stream, "PNG")
    return stream.getvalue()


TEXT = base64.b64encode(png()).decode()


@pytest.mark.parametrize(
    "uri",
    [
        f"data:image/png;base64,{TEXT}",
        f"DATA:IMAGE/PNG;BASE64,{TEXT}",
        f"data:;base64,{TEXT}",
        f"data:image/png;charset=utf-8;base64,{TEXT.rstrip('=')}",
        f" data:image/png;base64,\n{TEXT[:30]}\r\n {TEXT[30:]}",
        "data:image/png;base64," + TEXT.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
        "data:image/png;base64," + base64.urlsafe_b64encode(png()).decode(),
    ],
)
def test_data_uri_is_a_picture_with_a_short_name(uri: str) -> None:
    place = unfiled(uri)
    assert isinstance(place, Inline)
    picture = open_image(place)
    assert (picture.width, picture.height) == (7, 5)
    name = short_name(uri)
    assert len(name) < 60 and name.endswith(f";sha256={picture.sha256[:12]}")
    assert short_name(name) == name
    assert name.startswith("data:image")


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("data:image/svg+xml,<svg/>", "must hold base64"),
        ("data:image/png;base64,@@@@", "is damaged"),
        ("data:image/png;base64,AAAAA", "is damaged"),
        ("data:image/png;base64,", "the file is empty"),
    ],
)
def test_data_uri_without_a_picture_is_unreadable(uri: str, reason: str) -> None:
    place = unfiled(uri)
    assert place is not None
    with pytest.raises(ImageError, match=reason) as caught:
        open_image(place)
    assert caught.value.status == "unreadable"
    assert len(short_name(uri)) < 60


def test_data_uri_over_the_limit_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Inline, "read", lambda self: pytest.fail("decoded"))
    with pytest.raises(ImageError, match="the limit is 5,000") as caught:
        open_image(Inline("data:image/png;base64," + "A" * 10_000), limits=Limits(bytes=5000))
    assert caught.value.status == "too_large"


@pytest.mark.parametrize(
    "name",
    ["https://example.org/1.jpg", "HTTP://x/1.jpg", "s3://b/1.png", "file:///etc/1.jpg", "https:/example.org/1.jpg"],
)
def test_address_is_refused_saying_that_nothing_is_fetched(name: str) -> None:
    place = unfiled(name)
    assert isinstance(place, Refused) and place.status == "skipped" and "addresses are not fetched" in place.reason
    assert short_name(name) == name


@pytest.mark.parametrize(
    "name", ["1.jpg", "C:\\pics\\1.jpg", "C:/pics/1.jpg", "IMGID:1", "a:b.jpg", "data.jpg", "database:1"]
)
def test_path_is_neither_address_nor_data(name: str) -> None:
    assert unfiled(name) is None and short_name(name) == name


def test_picture_without_a_head_is_named_shortly() -> None:
    name = "/9j/" + "A" * 200_000
    place = unfiled(name)
    assert isinstance(place, Refused) and len(place.reason) < 200
    assert len(short_name(name)) < 80 and short_name(name) != short_name(name + "A")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x1cftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\xff\x0a\0\0", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b'<?xml version="1.0"?>\n<svg width="1">', "SVG"),
        (b"8BPS\0\x01", "Photoshop"),
        (b"BMW is a firm in Munich", None),
        (b"<html><body>", None),
        (b"\0\0\0\x18ftypmp42", None),
    ],
)
def test_kind_of_a_picture_shows_in_its_head(head: bytes, kind: str | None) -> None:
    assert kind_of(head) == kind
    if kind in FOREIGN:
        with pytest.raises(ImageError, match=f"{kind} pictures are not decoded here; convert it to JPEG or PNG"):
            open_image(head)


def test_pipes_devices_and_folders_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="not a regular file"):
            open_regular(path)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc here")
def test_file_that_a_system_makes_up_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImageError, match="the file is empty"):
        open_image(Path("/proc/self/status"))


def test_growing_file_is_read_as_far_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "1.png"
    path.write_bytes(png())
    measure = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        status = measure(descriptor)
        with path.open("ab") as stream:
            stream.write(b"x" * 1000)
        return status

    monkeypatch.setattr(os, "fstat", fstat)
    assert len(open_image(path).sha256) == 64
    monkeypatch.undo()
    assert path.stat().st_size > len(png())
