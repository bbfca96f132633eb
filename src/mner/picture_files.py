"""What a picture's name and first bytes say before anything is decoded, and how its file is opened."""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote_to_bytes

from mner.errors import ImageError

SUFFIXES = (
    *(".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif"),
    *(".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".mpo", ".apng", ".dib"),
)
"""Endings that make a name a picture's file name."""

UNDECODED = (".heic", ".heif", ".hif", ".jxl", ".jp2", ".svg", ".psd")
"""Endings of pictures that nothing here decodes: each gets a status that says so."""

TEXTS = (".json", ".jsonl", ".txt", ".cls", ".csv", ".tsv", ".xml", ".html", ".md")
"""Endings of other files among pictures in a folder or an archive; their first bytes are not read."""

FOREIGN = ("HEIC", "JPEG XL", "JPEG 2000", "SVG", "Photoshop")
"""What ``kind_of`` calls the pictures that nothing here decodes."""

HEAD = 64
"""Bytes of a file that show what it is."""

LONGEST_NAME = 4096
"""Characters that a file's path can have on common systems; what is longer is not looked for and not written out."""

_HEADS: tuple[tuple[str, bytes], ...] = (
    ("JPEG", rb"\xff\xd8\xff"),
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("GIF", rb"GIF8[79]a"),
    ("WEBP", rb"RIFF....WEBP"),
    ("BMP", rb"BM....\0\0\0\0"),
    ("TIFF", rb"II[*+]\0|MM\0[*+]"),
    ("AVIF", rb"....ftypavi[fs]|....ftypmi[af][f1].*avif"),
    ("HEIC", rb"....ftyp(?:he[iv][cmsx]|mif1|msf1)"),
    ("JPEG XL", rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"),
    ("JPEG 2000", rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"),
    ("Photoshop", rb"8BPS\0\x01"),
    ("SVG", rb"\s*<(?:svg\b|(?:\?xml|!--|!DOCTYPE svg).*<svg\b)"),
)
_DATA = re.compile(r"\s*data:([^,]{0,200}),", re.IGNORECASE)
_ADDRESS = re.compile(r"\s*(?:data:|[a-z][a-z0-9+.-]+:/)", re.IGNORECASE)  # a letter alone is a drive
_MEDIA = re.compile(r"[a-z]+/[a-z0-9.+-]{1,40}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refused:
    """The place of a picture that is not read; to read it gives the status and the reason."""

    status: str
    reason: str

    def read(self) -> bytes:
        """Raise ``ImageError`` with the status and the reason."""
        raise ImageError(self.status, self.reason)


@dataclass(frozen=True, slots=True)
class Inline:
    """A picture that is written out in its own name, as ``data:image/png;base64,...``."""

    uri: str

    @property
    def size(self) -> int:
        """Bytes of the picture, at most a few too few."""
        return len(self.uri) * 3 // 4 - 200

    def read(self) -> bytes:
        """The bytes of the picture's file; ``ImageError`` if the text is not base64."""
        head = _DATA.match(self.uri)
        if head is None or not head[1].lower().rstrip().endswith("base64"):
            raise ImageError("unreadable", "a data URI must hold base64: data:image/png;base64,...")
        try:
            text = b"".join(unquote_to_bytes(self.uri[head.end() :]).split()).rstrip(b"=")
            return base64.b64decode(text.translate(_STANDARD) + b"=" * (-len(text) % 4), validate=True)
        except binascii.Error as error:
            raise ImageError("unreadable", f"the base64 of the data URI is damaged: {error}") from None


_STANDARD = bytes.maketrans(b"-_", b"+/")  # the alphabet of addresses -> the usual one


def unfiled(image: str) -> Inline | Refused | None:
    """The place of a picture whose name is not a path: a data URI, an address, too long a name; None for a path.

    >>> unfiled("https://example.org/1.jpg").status, unfiled("photos/1.jpg")
    ('skipped', None)
    """
    if _DATA.match(image):
        return Inline(image)
    if _ADDRESS.match(image):
        reason = "addresses are not fetched; download the picture and give the name of its file"
        return Refused("skipped", reason)
    if len(image) > LONGEST_NAME:
        return Refused("unreadable", f"the picture's name has {len(image):,} characters, too many for a file's name")
    return None


def short_name(image: str) -> str:
    """What a picture is called in records, pages and messages: its name, or a digest of what is given instead.

    >>> short_name("photos/1.jpg"), short_name("data:image/png;base64,AAAA")
    ('photos/1.jpg', 'data:image/png;sha256=709e80c88487')
    """
    if len(image) <= LONGEST_NAME and not (image[:20].lstrip()[:5].lower() == "data:" and ";sha256=" not in image[:80]):
        return image
    head = _DATA.match(image)
    content = image.encode("utf-8", "surrogatepass")
    if head is not None:
        with suppress(ImageError):  # what is not base64 goes by the text itself
            content = Inline(image).read()
    digest = hashlib.sha256(content).hexdigest()[:12]
    if head is None:
        return f"{image[:40]}...;sha256={digest}"
    media = _MEDIA.match(head[1])
    return f"data:{media[0].lower() if media else 'image'};sha256={digest}"


def kind_of(head: bytes) -> str | None:
    r"""Which kind of picture begins with these bytes (``HEAD`` of them suffice); None for anything else.

    >>> kind_of(b"\xff\xd8\xff\xe0"), kind_of(b"\0\0\0\x18ftypheic"), kind_of(b"hello")
    ('JPEG', 'HEIC', None)
    """
    return next((kind for kind, pattern in _PATTERNS if pattern.match(head)), None)


_PATTERNS = [(kind, re.compile(pattern, re.DOTALL)) for kind, pattern in _HEADS]


def is_picture(path: Path) -> bool:
    """Whether a file is a picture, by its suffix or, where that says nothing, by its first bytes."""
    named = is_picture_name(path.name)
    if named is not None:
        return named
    try:
        with open_regular(path) as stream:
            return kind_of(stream.read(HEAD)) is not None
    except (OSError, ValueError):
        return False


def is_picture_name(name: str) -> bool | None:
    """Whether a name is a picture's by its suffix; None where the suffix says nothing, or there is none.

    >>> is_picture_name("1.JPG"), is_picture_name("1.json"), is_picture_name("1"), is_picture_name("1.jpg_large")
    (True, False, None, None)
    """
    suffix = Path(name).suffix.lower()
    return True if suffix in (*SUFFIXES, *UNDECODED) else False if suffix in TEXTS else None


def open_regular(path: Path) -> IO[bytes]:
    """A regular file, opened for reading; a pipe or a device is neither waited for nor read.

    Raises:
        OSError: It cannot be opened, or is not a regular file.
        ValueError: The name cannot be a file's.
    """
    _require_regular(path.stat())  # before it is opened: who writes into a pipe would notice
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        _require_regular(os.fstat(descriptor))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
