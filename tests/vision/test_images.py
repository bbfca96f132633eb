"""Pictures as strangers send them: each is read, or refused with a status and a reason."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mner.errors import ImageError
from mner.picture_files import SUFFIXES
from mner.vision.headers import FORMATS, upright_size
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
    result = [open_image(source) for source in (tmp_path / "a.png", str(tmp_path / "a.png"), content, drawn)]
    assert {(each.width, each.height, each.pixels.mode, each.pixels.getpixel((3, 3))) for each in result} == {
        (30, 20, "RGB", (10, 200, 30))
    }
    assert result[0].sha256 == result[1].sha256 == result[2].sha256 != result[3].sha256


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


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_formats_that_are_decoded_whole_have_a_lower_limit(kind: str) -> None:
    content = file_of(Image.new("RGB", (50, 50)), kind)
    status, reason = refused(content, Limits(pixels=5000, whole=2499))
    assert (status, reason) == ("too_large", f"the picture has 50 x 50 pixels, the limit is 2,499 for {kind}")
    assert open_image(content, limits=Limits(pixels=5000, whole=2500)).width == 50
    assert open_image(Image.new("RGB", (50, 50)), limits=Limits(pixels=5000, whole=2499)).width == 50


def test_large_jpeg_is_decoded_smaller_and_keeps_its_size_in_name() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    drawn = Image.new("RGB", (8000, 4600), "navy")
    drawn.paste("yellow", (0, 0, 4000, 4600))
    for options, size in (({}, (8000, 4600)), ({"exif": exif}, (4600, 8000)), ({"progressive": True}, (8000, 4600))):
        result = open_image(file_of(drawn, "JPEG", **options))
        assert (result.width, result.height) == size
        assert result.pixels.size == (size[0] // 2, size[1] // 2)
    assert result.pixels.getpixel((100, 100))[0] > 200 > 50 > result.pixels.getpixel((3900, 100))[0]  # type: ignore[index]
    below = Image.new("RGB", (8000, 4500), "navy")
    assert open_image(file_of(below, "JPEG")).pixels.size == below.size


def test_callers_own_picture_is_left_as_it_is() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    own = Image.open(io.BytesIO(file_of(Image.new("RGB", (20, 10), "white"), "JPEG", exif=exif)))
    assert open_image(own).width == 10
    assert own.size == (20, 10) and own.getexif()[0x0112] == 6


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read as Linux counts it")
def test_small_file_of_many_pixels_takes_little_memory(tmp_path: Path) -> None:
    Image.new("RGBA", (9000, 9000), (1, 2, 3, 100)).save(tmp_path / "1.webp", method=0, quality=1)
    Image.new("RGB", (9000, 9000), "navy").save(tmp_path / "2.jpg")
    program = """
import resource, sys
from mner.errors import ImageError
from mner.vision.images import open_image
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        print(open_image(path).width)
    except ImageError as error:
        print(error.status)
assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 250_000  # kB; 1,600,000 and 650,000 at full size
"""
    command = [sys.executable, "-c", program, str(tmp_path / "1.webp"), str(tmp_path / "2.jpg")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["too_large", "9000"], "")


def test_place_that_says_it_is_too_large_is_not_read() -> None:
    class Huge:
        size = 60_000_000_000

        def read(self) -> bytes:
            pytest.fail("read")

    assert refused(Huge()) == ("too_large", "the file has 60,000,000,000 bytes, the limit is 52,428,800")


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
    result = open_image(file_of(image, "JPEG", exif=exif))
    assert (result.width, result.height) == (10, 20)


@pytest.mark.parametrize("options", [{}, {"compression": "tiff_lzw"}])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_that_lies_on_its_side_is_turned_once(orientation: int, options: dict[str, str]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    result = open_image(file_of(Image.new("RGB", (20, 10), "white"), "TIFF", exif=exif, **options))
    assert (result.width, result.height) == result.pixels.size == ((20, 10) if orientation < 5 else (10, 20))


def test_size_of_a_turned_picture_does_not_depend_on_whether_pillow_swaps_it_first() -> None:
    stored = Image.new("RGB", (20, 10))
    stored.getexif()[0x0112] = 6
    stored.tag_v2 = {0x0100: 20, 0x0101: 10}  # type: ignore[attr-defined]
    assert upright_size(stored) == (10, 20)  # as older versions open a TIFF
    stored.tag_v2 = {0x0100: 10, 0x0101: 20}  # type: ignore[attr-defined]
    assert upright_size(stored) == (20, 10)  # as newer ones do


def test_sixteen_bits_stay_dark_where_the_picture_is_dark() -> None:
    assert open_image(file_of(Image.fromarray(np.full((4, 4), 200, np.uint16)))).pixels.getpixel((0, 0)) == (0, 0, 0)


def test_floats_are_scaled_by_their_greatest_number() -> None:
    values = np.array([[0.0, 100.0, 200.0, np.nan, np.inf]], np.float32)
    pixels = open_image(file_of(Image.fromarray(values), "TIFF")).pixels
    assert [pixels.getpixel((x, 0))[0] for x in range(5)] == [0, 127, 255, 0, 0]  # type: ignore[index]


def test_huge_pictures_are_converted_strip_by_strip(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 300, (50, 40)).astype(np.float32)
    clear = Image.fromarray(rng.integers(0, 256, (50, 40, 4), dtype=np.uint8))
    palette = Image.fromarray(rng.integers(0, 256, (50, 40), dtype=np.uint8)).convert("P")
    files = [
        file_of(Image.fromarray(values), "TIFF"),
        file_of(Image.fromarray((10 * values).astype(np.int32)), "TIFF"),
        file_of(clear),
        file_of(clear.convert("LA")),
        file_of(palette, transparency=7),
    ]
    whole = [open_image(each).pixels.tobytes() for each in files]
    sizes: list[tuple[int, int]] = []
    composite = Image.alpha_composite
    monkeypatch.setattr(Image, "alpha_composite", lambda each, other: sizes.append(each.size) or composite(each, other))
    monkeypatch.setattr("mner.vision.images.STRIP", 300)
    assert [open_image(each).pixels.tobytes() for each in files] == whole
    assert sizes == [*[(40, 7)] * 7, (40, 1)] * 3
    assert len(set(whole)) == len(files)


def test_huge_floats_take_little_memory() -> None:
    content = file_of(Image.fromarray(np.zeros((2000, 2000), np.float32)), "TIFF", compression="tiff_adobe_deflate")
    tracemalloc.start()
    try:
        assert open_image(content).width == 2000
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 5 * 2000 * 2000  # bytes: the picture's own are four a pixel, those of a wider copy eight


def test_no_other_program_is_run_for_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*words: object, **options: object) -> None:
        raise AssertionError(f"runs {words}")

    monkeypatch.setattr("subprocess.Popen", run)
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    assert refused(program) == ("unreadable", "the file is not a picture of a known format")


@pytest.mark.parametrize("kind", sorted({*FORMATS} - {"MPO"}))  # a JPEG by its name
def test_what_can_be_decoded_is_found_by_its_suffix(kind: str) -> None:
    assert f".{kind.lower()}" in SUFFIXES


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_file_is_read_or_refused_but_never_breaks(kind: str) -> None:
    rng = np.random.default_rng(7)
    drawn = Image.fromarray(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8))
    try:
        whole = np.frombuffer(file_of(drawn, kind), np.uint8)
    except (KeyError, OSError) as error:
        pytest.skip(f"this Pillow cannot write {kind}: {error}")
    assert open_image(whole.tobytes()).width == 24
    statuses = set()
    for _ in range(150):
        damaged = whole[: rng.integers(1, len(whole) + 1)].copy() if rng.random() < 0.3 else whole.copy()
        places = rng.integers(0, min(len(damaged), rng.choice([30, 300, len(damaged)])), rng.choice([1, 4, 16]))
        damaged[places] = rng.integers(0, 256, len(places))
        try:
            open_image(damaged.tobytes(), limits=Limits(pixels=1_000_000))
        except ImageError as error:
            statuses.add(error.status)
    assert "unreadable" in statuses and statuses <= {"unreadable", "too_large"}


def test_threads_leave_the_filters_of_warnings_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700_000)  # above it Pillow warns; warnings are errors in these tests
    large = file_of(Image.new("RGB", (1000, 1000)))
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        result = list(pool.map(open_image, [large] * 60))
    assert {each.width for each in result} == {1000}
    assert list(warnings.filters) == before
    with pytest.raises(UserWarning):
        warnings.warn("still an error", UserWarning, stacklevel=1)
