"""A path, bytes or a Pillow image -> an upright RGB picture, within limits, or the reason why not."""

from __future__ import annotations

import hashlib
import io
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from mner.errors import ImageError
from mner.picture_files import FOREIGN, HEAD, kind_of, open_regular, short_name
from mner.vision.headers import FORMATS, MOST_SCANS, SCALABLE, has_endless_scans, quiet, tile_size, upright_size


@runtime_checkable
class Located(Protocol):
    """A place that a picture's bytes are read from only when needed, such as a member of an archive.

    If it knows how many bytes there are, it has them as ``size``: what is over the limit is then not read.
    """

    def read(self) -> bytes:
        """The bytes of the picture's file; OSError where they cannot be had."""
        ...


Source = str | Path | bytes | Image.Image | Located
"""What a picture may be given as."""

Named = tuple[str, Source]
"""A picture's name and the picture."""

SCALED = 3200
"""Least pixels of the longest side of what is decoded at a part of its size: twice what the backends see."""

STRIP = 2**18
"""Pixels that are converted at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest file and picture that are read; of an animation always the first frame alone.

    Attributes:
        bytes: Of a file.
        pixels: Of a picture. A JPEG of more than ``whole`` is decoded at a half, a quarter or an eighth of its size.
        whole: Of a picture in a format that can only be decoded whole. The default is above a screen of 8K (33 million
            pixels) and what phones' cameras write; decoding that many takes half a gigabyte and two seconds.
    """

    bytes: int = 50 * 2**20
    pixels: int = 100_000_000
    whole: int = 36_000_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: RGB, upright (EXIF rotation applied), transparency laid on white.
        sha256: Of the file's bytes, or of size and pixels where there is no file.
        width: Pixels of the file's picture, upright; ``pixels`` has fewer where it was decoded smaller.
        height: As ``width``.
    """

    pixels: Image.Image
    sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Unopened:
    """A picture that is at hand and not decoded yet.

    Attributes:
        content: Its file's bytes, or a Pillow image, which has none.
        sha256: Of the bytes; None for a Pillow image, whose pixels must be decoded first.
    """

    content: bytes | Image.Image
    sha256: str | None = None


def status_of(error: ImageError) -> Literal["missing", "too_large", "skipped", "unreadable"]:
    """What became of a picture that cannot be used, as a context says it."""
    match error.status:
        case "missing" | "too_large" | "skipped" as status:
            return status
        case _:
            return "unreadable"


def open_image(source: Source, *, limits: Limits = Limits()) -> Picture:
    """The picture of a path, of a file's bytes or of a place where they are, or of a Pillow image.

    Raises:
        ImageError: With the status "missing" (no such file), "too_large" (over a limit; a picture's size is
            read from its header, before any pixel is decoded), "skipped" (a place that is not read, such as an address)
            or "unreadable" (anything else).
    """
    return decode(fetch(source, limits=limits), limits=limits)


def fetch(source: Source, *, limits: Limits = Limits()) -> Unopened:
    """The bytes of a picture's file, for ``decode``.

    Raises:
        ImageError: As ``open_image``, where the bytes cannot be had.
    """
    if isinstance(source, Image.Image):
        return Unopened(source)
    if isinstance(source, bytes):
        content = source
    else:
        content = _content(Path(source), limits) if isinstance(source, str | Path) else _fetched(source, limits)
    if not content:
        raise ImageError("unreadable", "the file is empty")
    _within(len(content), limits)
    return Unopened(content, hashlib.sha256(content).hexdigest())


def decode(file: Unopened, *, limits: Limits = Limits()) -> Picture:
    """The picture of what ``fetch`` gave.

    Raises:
        ImageError: As ``open_image``, where the bytes are no picture that can be used.
    """
    if isinstance(file.content, Image.Image):
        return _decoded(file.content, None, limits)
    try:
        with quiet():
            Image.init()
            known = [kind for kind in FORMATS if kind in Image.OPEN]  # older Pillow has no AVIF
            opened = Image.open(io.BytesIO(file.content), formats=known)
    except UnidentifiedImageError:
        kind = kind_of(file.content[:HEAD])
        if kind in FOREIGN or kind == "AVIF":
            reason = f"{kind} pictures are not decoded here; convert it to JPEG or PNG"
            raise ImageError("unreadable", reason) from None
        raise ImageError("unreadable", "the file is not a picture of a known format") from None
    except Image.DecompressionBombError as error:
        raise ImageError("too_large", f"the picture is too large: {error}") from None
    except Exception as error:  # a damaged file makes a decoder raise anything, RuntimeError and KeyError included
        raise ImageError("unreadable", f"the picture's header is damaged: {error}") from None
    if opened.format in SCALABLE and has_endless_scans(file.content):
        raise ImageError("unreadable", f"the JPEG goes over its picture more than {MOST_SCANS} times; save it again")
    with opened:
        return _decoded(opened, file.sha256, limits)


def _content(path: Path, limits: Limits) -> bytes:
    try:
        with open_regular(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            _within(size, limits)
            # No more than it had when it was opened: a file may grow, and what has no size (/proc) may have no end.
            return stream.read(size) or b""
    except (FileNotFoundError, NotADirectoryError):
        raise ImageError("missing", f"no such file: {short_name(path.name)}") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ImageError("unreadable", f"{short_name(path.name)} cannot be read: {why}") from None


def _within(size: int, limits: Limits) -> None:
    if size > limits.bytes:
        raise ImageError("too_large", f"the file has {size:,} bytes, the limit is {limits.bytes:,}")


def _fetched(place: Located, limits: Limits) -> bytes:
    _within(getattr(place, "size", 0), limits)
    try:
        return place.read()
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError("missing", f"no such file: {error.filename}") from None
    except Exception as error:  # a place may be anybody's code
        raise ImageError("unreadable", f"the picture cannot be read: {error}") from None


def _decoded(image: Image.Image, sha256: str | None, limits: Limits) -> Picture:
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageError("unreadable", f"the picture has no pixels ({width} x {height})")
    scalable = image.format in SCALABLE
    limit = limits.pixels if scalable or sha256 is None else min(limits.pixels, limits.whole)
    if width * height > limit:
        kind = "" if limit == limits.pixels else f" for {image.format}"
        raise ImageError("too_large", f"the picture has {width} x {height} pixels, the limit is {limit:,}{kind}")
    if math.prod(tile := tile_size(image)) > limits.whole:
        raise ImageError("too_large", f"its tiles have {tile[0]} x {tile[1]} pixels, the limit is {limits.whole:,}")
    try:
        with quiet():
            if sha256 is None:  # the caller's own picture stays as it is
                upright = ImageOps.exif_transpose(image)
            else:
                if image.format == "PNG":
                    image.load()  # which reads what is said behind the pixels
                size = upright_size(image)
                if scalable and width * height > limits.whole:
                    least = SCALED / max(width, height)
                    image.draft(image.mode, (max(1, int(width * least)), max(1, int(height * least))))
                width, height = size
                image.load()
                ImageOps.exif_transpose(image, in_place=True)
                upright = image
            pixels = _rgb(upright)
    except Image.DecompressionBombError as error:
        raise ImageError("too_large", f"the picture is too large: {error}") from None
    except Exception as error:  # as above
        raise ImageError("unreadable", f"the picture is damaged: {error}") from None
    if sha256 is None:
        digest = hashlib.sha256(f"{pixels.size}".encode())
        digest.update(pixels.tobytes())
        sha256 = digest.hexdigest()
        width, height = pixels.size
    return Picture(pixels, sha256, width, height)


def _rgb(image: Image.Image) -> Image.Image:
    """The picture in RGB: 16 and 32 bits scaled to 8, transparency laid on white."""
    clear = image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        return Image.fromarray(_eight_bits(image)).convert("RGB")
    if not clear:
        return image if image.mode == "RGB" else image.convert("RGB")
    rgb = Image.new("RGB", image.size)
    for strip, top in _strips(image):
        over = strip.convert("RGBA")
        rgb.paste(Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB"), (0, top))
    return rgb


def _strips(image: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    """Parts of a picture of ``STRIP`` pixels, as a wider copy of a huge one would fill memory; and their tops."""
    rows = max(1, STRIP // image.width)
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height))), top


def _eight_bits(image: Image.Image) -> NDArray[np.uint8]:
    """Gray values (row, column) of 16 bits, 32 bits or any float range as 8 bits.

    16 bits have a fixed range. 32 bits and floats have none that files keep to, so the greatest value decides: up to
    255 and up to 65535 are taken as 8 and 16 bits, anything else, and every float, reaches white at its greatest.
    """
    if image.mode.startswith("I;16"):
        return (np.asarray(image) // 257).astype(np.uint8)
    greatest = max(1.0, *(float(_finite(strip).max(initial=0)) for strip, _ in _strips(image)))
    limits = (255.0, 65535.0) if image.mode == "I" else ()
    top = next((limit for limit in limits if greatest <= limit), greatest)
    return np.concatenate(
        [np.clip(_finite(strip) * 255.0 / top, 0, 255).astype(np.uint8) for strip, _ in _strips(image)]
    )


def _finite(strip: Image.Image) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.asarray(strip).astype(np.float64)
    return np.nan_to_num(values, copy=False, posinf=0.0, neginf=0.0)
