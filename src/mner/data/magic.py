"""The first bytes of a file -> what it is, where it is no UTF-8 text; gzip -> the lines that it holds."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, cast

from mner.errors import DataError

GZIP = b"\x1f\x8b"
LONGEST = 1 << 26
"""Most bytes of one line that is unpacked from gzip: a small file can unpack to far more than the memory holds."""

_UNPACK = "Unpack it, then name the file of posts inside"
_PICTURE = "Name a file of posts; a folder of pictures goes to --images"
_TABLE = "Save it as CSV or JSON lines in UTF-8"
_PDF = b"%PDF-"
_KINDS = (
    (GZIP, "a gzip archive", _UNPACK),
    (b"\xff\xd8\xff", "a JPEG picture", _PICTURE),
    (b"\x89PNG\r\n", "a PNG picture", _PICTURE),
    (b"GIF8", "a GIF picture", _PICTURE),
    (b"BM", "a BMP picture", _PICTURE),
    (b"II*\0", "a TIFF picture", _PICTURE),
    (b"MM\0*", "a TIFF picture", _PICTURE),
    (b"RIFF", "a WebP picture or another RIFF file", _PICTURE),
    (b"PK\x03\x04", "a ZIP archive (or a file of Office, which is one)", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\xfd7zXZ\0", "an xz archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (_PDF, "a PDF document", "Export its text in UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old file of Office", _TABLE),
    (b"PAR1", "a Parquet table", _TABLE),
    (b"ARROW1", "an Arrow table", _TABLE),
    (b"SQLite format 3\0", "an SQLite database", _TABLE),
    (b"\x89HDF\r\n", "an HDF5 file", _TABLE),
    (b"\x93NUMPY", "a NumPy array", _TABLE),
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_UNICODE = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def is_utf8(head: bytes) -> bool:
    """Whether these first bytes of a file are UTF-8; their end may cut a character."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def check_text(head: bytes, name: str) -> None:
    """Nothing, if a file that begins with these bytes may be UTF-8 text.

    Raises:
        DataError: It is UTF-16, a picture, an archive or another binary file; the message says which.
    """
    if encoding := _encoding(head):
        raise DataError(
            f"{name}: written in {encoding}; expected UTF-8. Convert it: iconv -f {encoding} -t UTF-8 {name} > NEW"
        )
    # Text may begin with the letters of a magic number ("BMW"), but not go on with bytes that text does not have.
    binary = _CONTROL.search(head) is not None and (b"\0" in head or not is_utf8(head))
    for magic, kind, way_out in _KINDS:
        if head.startswith(magic) and (binary or magic == _PDF):
            raise DataError(f"{name}: this is {kind}, not text. {way_out}")
    if b"\0" in head and not is_utf8(head):
        raise DataError(f"{name}: this is a binary file, not text. Expected a file of posts in UTF-8")


def unpacked(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The lines of gzip data that comes in pieces, each with its line feed.

    Raises:
        DataError: While iterating: the archive is damaged or cut short, or a line is longer than ``LONGEST``.
    """
    number = 0
    try:
        with gzip.GzipFile(fileobj=cast("IO[bytes]", _Pieces(pieces)), mode="rb") as archive:
            while line := archive.readline(LONGEST + 1):
                number += 1
                if len(line) > LONGEST:
                    raise DataError(
                        f"{name}:{number}: over {LONGEST >> 20} MiB in one line. Unpack the file to look at it: "
                        f"gzip -dc {name} | head -c 1000"
                    )
                yield line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{name}: a gzip file that is damaged or cut short, after line {number}: {error}") from None


class _Pieces:
    """Bytes in pieces as something to read from."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = b""

    def read(self, size: int) -> bytes:
        while len(self._left) < size and (piece := next(self._pieces, b"")):
            self._left += piece
        head, self._left = self._left[:size], self._left[size:]
        return head


def _encoding(head: bytes) -> str:
    for mark, encoding in _UNICODE:
        if head.startswith(mark):
            return encoding
    # Without a mark, English in UTF-16 shows as a NUL in every second byte.
    for first, encoding in ((1, "UTF-16LE"), (0, "UTF-16BE")):
        nuls, others = head[first::2], head[1 - first :: 2]
        if len(nuls) > 3 and nuls.count(0) > 0.7 * len(nuls) and others.count(0) < 0.1 * len(others):
            return encoding
    return ""
