"""A file or stream -> its lines: unpacked where it is gzip, decoded as UTF-8 and split at line feeds."""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, cast

from mner.bounded import GZIP, bounded
from mner.errors import DataError
from mner.picture_files import kind_of
from mner.safe_text import clipped as clipped
from mner.safe_text import printable as printable

OnFault = Callable[[int, str], None]
"""Called with a line number (from 1) and what is wrong with that line."""

HEAD = 200
"""Lines that are read to recognise a format."""

_HEAD_BYTES, _HEAD_LINES = 512, 8
_BEGINS = re.compile(r"\ufeff(?:\{|IMGID:)")

UNPACKED = 1 << 26
"""Most bytes of one line that is unpacked from gzip: a small file can unpack to far more than the memory holds."""

_UNPACK = "Unpack it, then name the file of posts inside"
_TABLE = "Save it as CSV or JSON lines in UTF-8"
_PDF = b"%PDF-"
_KINDS = (
    (GZIP, "a gzip archive", _UNPACK),
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


def without_end(line: str) -> str:
    """A line without its line feed and the carriage returns before it."""
    return line.removesuffix("\n").rstrip("\r")


def raising(name: str) -> OnFault:
    """A fault handler that raises ``DataError`` with the file, the line and how to list all such lines."""

    def on_fault(line: int, message: str) -> None:
        stop = "" if message.endswith((".", "?")) else "."
        hint = "" if name.startswith("<") else f" To list all such lines: mner data check {name}"
        raise DataError(f"{name}:{line}: {printable(message)}{stop}{hint}")

    return on_fault


class Lines:
    r"""The lines of a file or stream, each without its line feed and the carriage returns before it.

    Only "\n" ends a line: words may hold U+2028, U+0085, form feeds and whatever else other splitters cut at. In a file
    without any "\n" it is "\r". A byte order mark is skipped at the beginning, and where files were joined: after a
    blank line, and before an object or ``IMGID:``. Each iteration over a file opens it again; a stream or pipe can be
    read only once.

    Args:
        source: A path, or an open stream of text or bytes.
        on_fault: What to do about a line that is not UTF-8; None raises.

    Raises:
        DataError: While iterating: the file cannot be opened, is binary, or a line is not UTF-8.
    """

    def __init__(self, source: str | Path | IO[Any], *, on_fault: OnFault | None = None) -> None:
        self.name = str(source) if isinstance(source, str | Path) else str(getattr(source, "name", "<stream>"))
        self.on_fault = on_fault or raising(self.name)
        self._head: list[str] = []  # with line ends, as in _rest
        self._rest: Iterator[str]
        if isinstance(source, str | Path):
            # A pipe has a path too (/dev/stdin, <(command)), but what was read from it is gone.
            path = Path(source)
            self.repeatable = path.is_file() or path.is_dir() or not path.exists()
            self._rest = self._from_file(path)
            return
        self.repeatable = False
        # A text stream has translated its line ends; its buffer holds what was written.
        self._rest = self._decoded(getattr(source, "buffer", source))

    def __iter__(self) -> Iterator[str]:
        """The lines from the first on."""
        return map(without_end, self.whole())

    def whole(self) -> Iterator[str]:
        """The lines from the first on, each as it stands in the file, with its line end."""
        if self.repeatable:
            return self._from_file(Path(self.name))
        return chain(self._head, self._rest)

    def head(self, limit: int = HEAD) -> list[str]:
        """The first lines; a stream can still be read from its first line on."""
        if self.repeatable:
            return list(islice(self, limit))
        self._head += islice(self._rest, max(0, limit - len(self._head)))
        return [without_end(line) for line in self._head[:limit]]

    def _from_file(self, path: Path) -> Iterator[str]:
        try:
            stream = path.open("rb")
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
        with stream:
            yield from self._decoded(stream)

    def _decoded(self, stream: Iterable[Any]) -> Iterator[str]:
        begin, blank = 0, True
        for number, raw in enumerate(self._raw_lines(stream), 1):
            line = raw if isinstance(raw, str) else self._decode(raw, number, begin)
            begin += len(raw)
            if line.startswith("\ufeff") and (blank or _BEGINS.match(line)):
                line = line[1:]
            blank = not line.strip(" \t\r\n")
            yield line

    def _raw_lines(self, stream: Iterable[Any]) -> Iterator[Any]:
        """The lines as they come, bytes or text, with their line ends."""
        lines = bounded(stream, self.name)
        first = next(lines, None)
        if isinstance(first, bytes) and first.startswith(GZIP):
            lines = _unpacked(chain([first], lines), self.name)
            first = next(lines, None)
        if first is None:
            return
        feed, cut = ("\n", "\r") if isinstance(first, str) else (b"\n", b"\r")
        if isinstance(first, bytes):
            # One line of text is enough to know it by; of another file take a few.
            more = [] if _is_utf8(first[:_HEAD_BYTES]) else list(islice(lines, _HEAD_LINES))
            _check_text(b"".join([first, *more])[:_HEAD_BYTES], self.name)
            lines = chain(more, lines)
        if first.endswith(feed) or cut not in first:
            yield first
        else:
            yield from (piece + cut for piece in first.removesuffix(cut).split(cut))
        yield from lines

    def _decode(self, raw: bytes, number: int, begin: int) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            self.on_fault(
                number,
                f"not UTF-8: byte {raw[error.start]:#04x} at byte {begin + error.start} of the file. "
                + _way_out(raw, error, self.name),
            )
            return raw.decode(errors="replace")


def _way_out(raw: bytes, error: UnicodeDecodeError, name: str) -> str:
    rest = raw[error.start :]
    if rest[0] == 0xED and b"\xa0" <= rest[1:2] <= b"\xbf":
        return "It is half a surrogate pair, which is not Unicode text: take it out"
    if error.reason == "unexpected end of data" and len(rest) > 1:
        return "The character there is cut short: was the file cut?"
    try:
        raw.decode("cp1252")
    except UnicodeDecodeError:
        return f"It is in another encoding: iconv -f ENCODING -t UTF-8 {name}"
    return f"If it is WINDOWS-1252: iconv -f WINDOWS-1252 -t UTF-8 {name}"


def _is_utf8(head: bytes) -> bool:
    """Whether these first bytes of a file are UTF-8; their end may cut a character."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _check_text(head: bytes, name: str) -> None:
    """Refuse a file that begins with these bytes if it cannot be UTF-8 text, and say what it is."""
    if encoding := _encoding(head):
        raise DataError(
            f"{name}: written in {encoding}; expected UTF-8. Convert it: iconv -f {encoding} -t UTF-8 {name} > NEW"
        )
    # Text may begin with the letters of a magic number ("BMW"), but not go on with bytes that text does not have.
    binary = _CONTROL.search(head) is not None and (b"\0" in head or not _is_utf8(head))
    if binary and (picture := kind_of(head)):
        raise DataError(
            f"{name}: this is a {picture} picture, not text. "
            "Name a file of posts; a folder of pictures goes to --images"
        )
    for magic, kind, way_out in _KINDS:
        if head.startswith(magic) and (binary or magic == _PDF):
            raise DataError(f"{name}: this is {kind}, not text. {way_out}")
    if b"\0" in head and not _is_utf8(head):
        raise DataError(f"{name}: this is a binary file, not text. Expected a file of posts in UTF-8")


def _unpacked(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The lines of gzip data that comes in pieces, each with its line feed."""
    number = 0
    try:
        with gzip.GzipFile(fileobj=cast("IO[bytes]", _Pieces(pieces)), mode="rb") as archive:
            while line := archive.readline(UNPACKED + 1):
                number += 1
                if len(line) > UNPACKED:
                    raise DataError(
                        f"{name}:{number}: over {UNPACKED >> 20} MiB in one line. Unpack the file to look at it: "
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
