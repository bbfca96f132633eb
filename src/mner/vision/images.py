"""A path, bytes or a Pillow image -> an upright RGB picture, within limits, or the reason why not."""

from __future__ import annotations

import hashlib
import io
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from mner.errors import ImageError

Source = str | Path | bytes | Image.Image
"""What a picture may be given as."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read at most: bytes of a file, pixels of a picture (before it is decoded), frames: always the first."""

    bytes: int = 50 * 2**20
    pixels: int = 100_000_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: RGB, upright (EXIF rotation applied), transparency laid on white.
        sha256: Of the file's bytes, or of size and pixels where there is no file.
        width: Pixels.
        height: Pixels.
    """

    pixels: Image.Image
    sha256: str
    width: int
    height: int


def open_image(source: Source, *, limits: Limits = Limits()) -> Picture:
    """The picture of a path, of a file's bytes, or of a Pillow image.

    Raises:
        ImageError: With the status "missing" (no such file), "too_large" (over a limit; a picture's size is
            read from its header, before any pixel is decoded) or "unreadable" (anything else).
    """
    if isinstance(source, Image.Image):
        return _decoded(source, None, limits)
    content = source if isinstance(source, bytes) else _content(Path(source), limits)
    if not content:
        raise ImageError("unreadable", "the file is empty")
    if len(content) > limits.bytes:
        raise ImageError("too_large", f"the file has {len(content):,} bytes, the limit is {limits.bytes:,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own warning of large pictures; the limit here is ours
            opened = Image.open(io.BytesIO(content))
    except UnidentifiedImageError:
        raise ImageError("unreadable", "the file is not a picture of a known format") from None
    except Image.DecompressionBombError as error:
        raise ImageError("too_large", f"the picture is too large: {error}") from None
    except (OSError, ValueError, SyntaxError, OverflowError, MemoryError) as error:
        raise ImageError("unreadable", f"the picture's header is damaged: {error}") from None
    with opened:
        return _decoded(opened, content, limits)


def _content(path: Path, limits: Limits) -> bytes:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise ImageError("unreadable", f"{path.name} is not a file")
        if found.st_size > limits.bytes:
            raise ImageError("too_large", f"the file has {found.st_size:,} bytes, the limit is {limits.bytes:,}")
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ImageError("missing", f"no such file: {path.name}") from None
    except (OSError, ValueError) as error:
        raise ImageError("unreadable", f"{path.name} cannot be read: {error}") from None


def _decoded(image: Image.Image, content: bytes | None, limits: Limits) -> Picture:
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageError("unreadable", f"the picture has no pixels ({width} x {height})")
    if width * height > limits.pixels:
        raise ImageError("too_large", f"the picture has {width} x {height} pixels, the limit is {limits.pixels:,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged metadata, which a picture can do without
            image.load()
            pixels = _rgb(ImageOps.exif_transpose(image))
    except (OSError, ValueError, SyntaxError, OverflowError, MemoryError, EOFError) as error:
        raise ImageError("unreadable", f"the picture is damaged: {error}") from None
    digest = hashlib.sha256(content) if content is not None else hashlib.sha256(f"{pixels.size}".encode())
    if content is None:
        digest.update(pixels.tobytes())
    return Picture(pixels, digest.hexdigest(), pixels.width, pixels.height)


def _rgb(image: Image.Image) -> Image.Image:
    """The picture in RGB: 16 and 32 bits scaled to 8, transparency laid on white."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if values.max(initial=0) > 255 and image.mode != "F" else max(float(values.max(initial=0)), 1.0)
        if image.mode != "F" and values.max(initial=0) <= 255:
            top = 255.0
        eight = np.clip(np.nan_to_num(values) * (255.0 / top), 0, 255).astype(np.uint8)
        return Image.fromarray(eight).convert("RGB")
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        return Image.alpha_composite(white, over).convert("RGB")
    return image.convert("RGB")
