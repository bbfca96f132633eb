"""Pictures as strangers send them: each is read, or refused with a status and a reason."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mner.errors import ImageError
from mner.vision.images import Limits, open_image


def file_of(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def refused(source: object, limits: Limits | None = None) -> tuple[str, str]:
    with pytest.raises(ImageError) as caught:
        open_image(source, limits=limits or Limits())  # type: ignore[arg-type]
    return caught.value.status, caught.value.reason


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header promises a huge picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def test_path_bytes_and_image_are_the_same_picture(tmp_path: Path) -> None:
    drawn = Image.new("RGB", (30, 20), (10, 200, 30))
    content = file_of(drawn)
    (tmp_path / "a.png").write_bytes(content)
    found = [open_image(source) for source in (tmp_path / "a.png", str(tmp_path / "a.png"), content, drawn)]
    assert {(one.width, one.height, one.pixels.mode, one.pixels.getpixel((3, 3))) for one in found} == {
        (30, 20, "RGB", (10, 200, 30))
    }
    assert found[0].sha256 == found[1].sha256 == found[2].sha256 != found[3].sha256


def test_missing_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.jpg") == ("missing", "no such file: gone.jpg")


def test_empty_and_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("hello, I am text")
    assert refused(tmp_path / "empty.jpg")[0] == "unreadable"
    assert refused(tmp_path / "text.jpg") == ("unreadable", "the file is not a picture of a known format")
    assert refused(b"") == ("unreadable", "the file is empty")


def test_folder_pipe_and_odd_names_are_no_pictures(tmp_path: Path) -> None:
    assert refused(tmp_path)[0] == "unreadable"
    os.mkfifo(tmp_path / "pipe.jpg")
    assert refused(tmp_path / "pipe.jpg")[0] == "unreadable"
    assert refused("a\0b.jpg")[0] == "unreadable"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_truncated_file_is_unreadable(kind: str) -> None:
    rng = np.random.default_rng(0)
    content = file_of(Image.fromarray(rng.integers(0, 255, (200, 200, 3), dtype=np.uint8)), kind)
    assert refused(content[: len(content) // 2])[0] == "unreadable"


def test_bomb_is_refused_from_its_header() -> None:
    status, reason = refused(bomb(20_000, 20_000))
    assert status == "too_large" and "400000000" in reason
    assert refused(bomb(60_000, 60_000))[0] == "too_large"


def test_limits_of_bytes_and_pixels(tmp_path: Path) -> None:
    content = file_of(Image.new("RGB", (50, 50)))
    (tmp_path / "a.png").write_bytes(content)
    assert refused(tmp_path / "a.png", Limits(bytes=10))[0] == "too_large"
    assert refused(content, Limits(bytes=10))[0] == "too_large"
    assert refused(content, Limits(pixels=2499))[0] == "too_large"
    assert open_image(content, limits=Limits(pixels=2500)).width == 50


def test_picture_without_pixels_is_unreadable() -> None:
    assert refused(bomb(0, 10))[0] == "unreadable"
    assert refused(Image.new("RGB", (0, 10)))[0] == "unreadable"


def test_one_pixel_wide_picture_is_read() -> None:
    assert open_image(file_of(Image.new("RGB", (1, 500), "red"))).height == 500


def test_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    content = file_of(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert open_image(content).pixels.getpixel((4, 4)) == (255, 0, 0)


def test_cmyk_becomes_rgb() -> None:
    content = file_of(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")
    red, green, blue = open_image(content).pixels.getpixel((4, 4))  # type: ignore[misc]
    assert red > 200 and green < 60 and blue < 60


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    values = np.array([[0, 32768, 65535]], dtype=np.uint16)
    pixels = open_image(file_of(Image.fromarray(values))).pixels
    assert [pixels.getpixel((x, 0))[0] for x in range(3)] == [0, 127, 255]  # type: ignore[index]


def test_transparency_lies_on_white() -> None:
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    palette = clear.convert("P")
    for image in (clear, palette):
        options = {"transparency": 0} if image.mode == "P" else {}
        assert open_image(file_of(image, **options)).pixels.getpixel((1, 1)) == (255, 255, 255)


def test_exif_rotation_is_applied() -> None:
    image = Image.new("RGB", (20, 10), "white")
    exif = Image.Exif()
    exif[0x0112] = 6
    found = open_image(file_of(image, "JPEG", exif=exif))
    assert (found.width, found.height) == (10, 20)
