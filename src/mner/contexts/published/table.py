"""A TSV of one picture a line, its name first -> the line of a picture, without holding the file in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mner.contexts.artefact import key
from mner.contexts.published.names import find
from mner.errors import DataError

LONGEST = 64 * 2**20
"""Bytes of a line, at most; a picture of 100 boxes with its features takes about 2 MB."""


class Table:
    """The lines of a TSV by picture name; where a name occurs twice the first line counts.

    It reads the file once to learn where each line begins, and keeps that.

    Raises:
        DataError: The file cannot be read, or a line is too long or has no TAB.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, tuple[int, int]] = {}  # name -> offset in bytes, line number
        if path.exists() and not path.is_file():
            raise DataError(f"{path}: is a folder, a pipe or a device; expected a file, as it is read more than once")
        try:
            with path.open("rb") as stream:
                offset, number = 0, 0
                while line := stream.readline(LONGEST + 1):
                    number += 1
                    if len(line) > LONGEST:
                        raise DataError(f"{path}:{number}: a line of more than {LONGEST:,} bytes")
                    if line.strip():
                        self._places.setdefault(self._name(line, number), (offset, number))
                    offset += len(line)
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None
        if not self._places:
            raise DataError(f"{path}: holds no line")

    def _name(self, line: bytes, number: int) -> str:
        name, tab, _ = line.partition(b"\t")
        if not tab:
            raise DataError(f"{self.path}:{number}: expected the picture's name, a TAB and what was found in it")
        return key(_decoded(name.strip(), f"{self.path}:{number}"))

    def find(self, image: str) -> tuple[list[str], str]:
        """The columns of a picture's line, and ``file:line`` for messages.

        Raises:
            DataError: The picture has no line, or the file has changed.
        """
        offset, number = find(self._places, image, file=self.path)
        try:
            with self.path.open("rb") as stream:
                stream.seek(offset)
                line = stream.readline(LONGEST)
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read: {error.strerror or error}") from None
        where = f"{self.path}:{number}"
        return _decoded(line, where).rstrip("\r\n").split("\t"), where

    def __iter__(self) -> Iterator[str]:
        """The names, in order of their lines."""
        return iter(self._places)


def _decoded(text: bytes, where: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: not UTF-8 text ({error})") from None
