"""What a picture's file says before a pixel is decoded: its size, which side is up, what decoding would take."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from mner.vision.quiet import Shared

FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
"""What is decoded, as Pillow names it. Left out are formats that run other programs (EPS) or that nobody posts."""

SCALABLE = ("JPEG", "MPO")
"""What can be decoded at a part of its size."""

ORIENTATION, TURNED = 0x0112, (5, 6, 7, 8)
"""The EXIF tag of a picture's orientation, and its values for one that lies on its side."""

WIDTH, HEIGHT = 0x0100, 0x0101
"""The tags of a TIFF's width and height as they are stored."""

TILE_WIDTH, TILE_HEIGHT = 0x0142, 0x0143
"""The tags of the size of a TIFF's tiles, which are decoded whole however small the picture is."""

MOST_SCANS = 100
"""Times that a progressive JPEG may go over its picture; usual ones do so about ten times."""

MOST_MARKERS = 10_000
"""Segments that a JPEG may have; those of 64 KB that metadata are cut into are hundreds."""

_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
"""What parts a JPEG: neither a byte of the picture that is 255 nor a restart within it."""


@contextmanager
def _unwarned() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.|mner\.vision\.(images|headers)")
        yield


quiet = Shared(_unwarned)
"""Ignores what Pillow warns of: large pictures, whose limit here is ours, and damaged metadata."""


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Width and height that a picture has once it is upright; of one that was just opened, from its header."""
    width, height = image.size
    # A PNG's own method decodes the pixels, behind which there may be more of it; by then `load` has read that.
    exif = Image.Image.getexif(image) if image.format == "PNG" else image.getexif()
    if exif.get(ORIENTATION) not in TURNED:
        return width, height
    # Newer versions of Pillow say the upright size of a TIFF as soon as it is opened; its tags have the stored one.
    tags = getattr(image, "tag_v2", {})
    stored = (tags.get(WIDTH, width), tags.get(HEIGHT, height))
    return (height, width) if stored == (width, height) else (width, height)


def tile_size(image: Image.Image) -> tuple[int, int]:
    """Width and height of a TIFF's tiles; 0 where it has none, and of any other picture."""
    tags = getattr(image, "tag_v2", {})
    return _largest(tags.get(TILE_WIDTH)), _largest(tags.get(TILE_HEIGHT))


def _largest(value: Any) -> int:
    """The largest whole number of a tag, which a damaged file may have several times, or as something else."""
    return max((each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, int)), default=0)


def header_size(content: bytes | Image.Image) -> tuple[int, int]:
    """Width and height of a picture once it is upright, without decoding a pixel; raises what Pillow does."""
    with quiet():
        if not isinstance(content, bytes):
            return upright_size(content)
        Image.init()
        with Image.open(io.BytesIO(content), formats=[kind for kind in FORMATS if kind in Image.OPEN]) as image:
            if image.format == "PNG" and "exif" not in image.info:
                image.info["exif"] = _exif_behind(content)
            return upright_size(image)


def _exif_behind(content: bytes) -> bytes:
    """The EXIF data of a PNG wherever they stand, behind the pixels too; b"" where there are none."""
    at = 8
    for _ in range(MOST_MARKERS):
        size, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if kind == b"eXIf":
            return b"Exif\0\0" + content[at + 8 : at + 8 + size]
        if kind in (b"", b"IEND"):
            break
        at += size + 12
    return b""


def has_endless_scans(content: bytes) -> bool:
    """Whether a JPEG goes over its picture more often than any that was not made to take time."""
    return content.count(b"\xff\xda") > MOST_SCANS and scans(content) > MOST_SCANS  # the first takes no time


def scans(content: bytes) -> int:
    r"""How many scans a JPEG's picture has, each of which goes over all of it; counted no further than decides.

    >>> scans(b"\xff\xd8\xff\xda\x00\x02\x01\xff\x00\xff\xda\x00\x02\xff\xd9\xff\xda")
    2
    """
    count, at = 0, 2
    for _ in range(MOST_MARKERS):
        marker = _MARKER.search(content, at)
        if marker is None or marker[1] == b"\xd9" or count > MOST_SCANS:
            return count
        count += marker[1] == b"\xda"
        at = marker.end()
        if marker[1] not in (b"\x01", b"\xd8"):  # these have no length
            at += int.from_bytes(content[at : at + 2], "big")
    return MOST_SCANS + 1
