"""A file or stream -> its lines: decoded as UTF-8 and split at line feeds only."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from mner.errors import DataError

OnFault = Callable[[int, str], None]
"""Called with a line number (from 1) and what is wrong with that line."""

HEAD = 200
"""Lines that are looked at to tell a format."""


def printable(text: str) -> str:
    r"""The text with each character that shows nothing, or could steer a terminal, written as an escape.

    >>> printable("a\xa0b\x1b[2J")
    'a\\xa0b\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def raising(name: str) -> OnFault:
    """A fault handler that raises ``DataError`` with the file, the line and how to list all such lines."""

    def on_fault(line: int, message: str) -> None:
        stop = "" if message.endswith((".", "?")) else "."
        hint = "" if name.startswith("<") else f" To list all such lines: mner data check {name}"
        raise DataError(f"{name}:{line}: {printable(message)}{stop}{hint}")

    return on_fault


class Lines:
    r"""The lines of a file or stream, each without its line feed and the carriage return before it.

    Only "\n" ends a line: words may hold U+2028, U+0085, form feeds and whatever else other splitters cut at.
    A byte order mark is skipped. Each iteration over a file opens it anew; a stream or pipe can be read once.

    Args:
        source: A path, or an open stream of text or bytes.
        on_fault: What to do about a line that is not UTF-8; None raises.

    Raises:
        DataError: While iterating: the file cannot be opened, or a line is not UTF-8.
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

    def _decoded(self, stream: Iterable[str | bytes]) -> Iterator[str]:
        begin = 0
        for number, raw in enumerate(stream, 1):
            if isinstance(raw, str):
                line = raw.removeprefix("\ufeff") if number == 1 else raw
            else:
                line = self._decode(raw, number, begin)
                begin += len(raw)
            yield line.removesuffix("\n").removesuffix("\r")

    def _decode(self, raw: bytes, number: int, begin: int) -> str:
        text = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            at = begin + len(raw) - len(text) + error.start
            utf16 = number == 1 and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            guess = "UTF-16" if utf16 else "WINDOWS-1252"
            self.on_fault(
                number,
                f"not UTF-8: byte {text[error.start]:#04x} at byte {at} of the file. "
                f"If it is {guess}: iconv -f {guess} -t UTF-8 {self.name}",
            )
            return text.decode(errors="replace")
