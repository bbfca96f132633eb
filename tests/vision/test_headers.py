"""Sizes are read from headers, and what a small file would make a decoder do is seen before it does it."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from mner.errors import ImageError
from mner.grounding.boxes import size_of
from mner.vision.headers import MOST_MARKERS, MOST_SCANS, header_size, scans, tile_size
from mner.vision.images import Limits, open_image


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_size_is_that_of_the_decoded_picture(kind: str, tmp_path: Path) -> None:
    for options, size in (({}, (20, 10)), ({"exif": turned()}, (10, 20))):
        content = file_of(Image.new("RGB", (20, 10)), kind, **options)
        assert header_size(content) == open_image(content).pixels.size == size
        (tmp_path / "picture").write_bytes(content)
        assert size_of(tmp_path / "picture") == size


def test_no_pixel_of_a_png_is_decoded_for_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    content = file_of(Image.new("RGB", (20, 10)), "PNG")
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda self: pytest.fail("it was decoded"))
    assert header_size(content) == (20, 10)


def test_orientation_of_a_png_may_stand_behind_its_pixels() -> None:
    content = file_of(Image.new("RGB", (20, 10)), "PNG")
    end = chunk(b"IEND", b"")
    late = content.removesuffix(end) + chunk(b"eXIf", turned().tobytes().removeprefix(b"Exif\0\0")) + end
    picture = open_image(late)
    assert header_size(late) == (picture.width, picture.height) == picture.pixels.size == (10, 20)
    assert header_size(content + b"\0" * 100) == (20, 10)


def progressive(more: int) -> bytes:
    """A progressive JPEG that goes over its picture some more times."""
    content = file_of(Image.new("L", (32, 32), 128), "JPEG", progressive=True)
    start = content.rindex(b"\xff\xda")
    last = content[start : content.rindex(b"\xff\xd9")]
    return content[:start] + last * (more + 1) + b"\xff\xd9"


def test_jpeg_that_goes_over_its_picture_without_end_is_refused() -> None:
    usual = scans(progressive(0))
    assert 1 < usual < 20
    assert scans(progressive(5)) == usual + 5
    assert scans(file_of(Image.new("RGB", (32, 32)), "JPEG")) == 1
    assert open_image(progressive(0)).width == 32
    with pytest.raises(ImageError, match="goes over its picture more than 100 times; save it again") as caught:
        open_image(progressive(MOST_SCANS))
    assert caught.value.status == "unreadable"


def test_what_stands_behind_a_jpeg_or_in_its_metadata_is_no_scan() -> None:
    content = file_of(Image.new("RGB", (32, 32)), "JPEG", comment=b"\xff\xda" * 200)
    assert scans(content) == scans(content + b"\xff\xda\0\2" * 200) == 1
    assert open_image(content + b"\xff\xda\0\2" * 200).width == 32


def test_counting_scans_ends() -> None:
    content = file_of(Image.new("RGB", (32, 32)), "JPEG")
    assert scans(content[:2] + b"\xff\xfe\0\2" * MOST_MARKERS + content[2:]) > MOST_SCANS


@pytest.mark.parametrize("values", [("64", "64"), ((64, 9), 64), (0.5, None), ((), (2, "x"))])
def test_tiles_of_damaged_tags_have_a_size(values: tuple[Any, Any]) -> None:
    picture = Image.new("L", (1, 1))
    picture.tag_v2 = dict(zip((322, 323), values, strict=True))  # type: ignore[attr-defined]
    assert tile_size(picture) in {(0, 0), (64, 64), (0, 2)}


def test_tiles_are_limited_as_the_picture_is() -> None:
    content = file_of(Image.new("L", (16, 16)), "TIFF")
    with Image.open(io.BytesIO(content)) as opened:
        assert not opened.tag_v2.get(322)  # type: ignore[attr-defined]
    tags = {256: 10, 257: 10, 258: 8, 259: 8, 262: 1, 277: 1, 322: 64, 323: 64}
    pixels = zlib.compress(b"\0" * 64 * 64)
    entries = {**tags, 324: 8 + 2 + 12 * (len(tags) + 2) + 4, 325: len(pixels)}
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    tiled = b"II*\0" + struct.pack("<IH", 8, len(entries)) + table + b"\0\0\0\0" + pixels
    assert open_image(tiled).pixels.size == (10, 10)
    with pytest.raises(ImageError, match="its tiles have 64 x 64 pixels, the limit is 4,095") as caught:
        open_image(tiled, limits=Limits(whole=4095))
    assert caught.value.status == "too_large"
