"""A file or stream -> its lines: unpacked where it is gzip, decoded as UTF-8 and split at line feeds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from mner.data.magic import GZIP, check_text, is_utf8, unpacked
from mner.errors import DataError
from mner.long_lines import bounded
from mner.safe_text import printable as printable

OnFault = Callable[[int, str], None]
"""Called with a line number (from 1) and what is wrong with that line."""

HEAD = 200
"""Lines that are looked at to tell a format."""

_HEAD_BYTES, _HEAD_LINES = 512, 8
_BEGINS = re.compile(r"\ufeff(?:\{|IMGID:)")


def clipped(text: str, limit: int = 40) -> str:
    """The beginning of a line or a value, for a message."""
    return text if len(text) <= limit else f"{text[:limit]}..."


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
    read once.

    Args:
        source: A path, or an open stream of text or bytes.
        on_fault: What to do about a line that is not UTF-8; None raises.

    Raises:
        DataError: While iterating: the file cannot be opened, is binary, or a line is not UTF-8.
    """

    def __init__(self, source: str | Path | IO[Any], *, on_fault: OnFault | None = None) -> None:
        self.name = str(source) if isinstance(source, str | Path) else str(getattr(source, "name", "<stream>"))
        self.on_fault = on_fault or raising(self.name)
        self._head: list[str] = []
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
        if self.repeatable:
            return self._from_file(Path(self.name))
        return chain(self._head, self._rest)

    def head(self, limit: int = HEAD) -> list[str]:
        """The first lines; a stream can still be read from its first line on."""
        if self.repeatable:
            return list(islice(self, limit))
        self._head += islice(self._rest, max(0, limit - len(self._head)))
        return self._head[:limit]

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
            line = line.removesuffix("\n").rstrip("\r")
            blank = not line.strip(" \t")
            yield line

    def _raw_lines(self, stream: Iterable[Any]) -> Iterator[Any]:
        """The lines as they come, bytes or text, with their line ends."""
        lines = bounded(stream, self.name)
        first = next(lines, None)
        if isinstance(first, bytes) and first.startswith(GZIP):
            lines = unpacked(chain([first], lines), self.name)
            first = next(lines, None)
        if first is None:
            return
        feed, cut = ("\n", "\r") if isinstance(first, str) else (b"\n", b"\r")
        if isinstance(first, bytes):
            # One line of text is enough to know it by; of another file take a few.
            more = [] if is_utf8(first[:_HEAD_BYTES]) else list(islice(lines, _HEAD_LINES))
            check_text(b"".join([first, *more])[:_HEAD_BYTES], self.name)
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
