"""The name of a picture -> its entry in a file that may spell it otherwise, or its line of a TSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

from mner.contexts.artefact import key
from mner.errors import DataError

LONGEST = 64 * 2**20
"""Bytes of a line of a TSV, at most; a picture of 100 boxes with its features takes about 2 MB."""

_T = TypeVar("_T")


def spellings(image: str) -> list[str]:
    """What a picture may be called, nearest first: its path, its file name, each also without suffix.

    >>> spellings("IMGID:12")
    ['12.jpg', '12']
    """
    path = PurePosixPath(key(image))
    names = [str(path), str(path.with_suffix("")) if path.name else "", path.name, path.stem]
    return list(dict.fromkeys(name for name in names if name))


def find(entries: Mapping[str, _T], image: str, *, file: object) -> _T:
    """The entry of a picture; one without an entry under any spelling is a ``DataError`` that names the file."""
    for name in spellings(image):
        if name in entries:
            return entries[name]
    known = next(iter(entries), None)
    hint = "" if known is None else f"; its pictures are called like this: {known!r}"
    raise DataError(f'{file}: holds nothing of "{image}"{hint}')


class Table:
    """The lines of a TSV by the picture name that each begins with; of several with one name the first counts.

    It reads the file once to learn where each line begins, and does not keep it in memory.

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
        if self._places.get(self._name(line, number)) != (offset, number):
            raise DataError(f'{where}: "{image}" stood here; the file has changed while it was read')
        return _decoded(line, where).rstrip("\r\n").split("\t"), where

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)


def _decoded(text: bytes, where: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: not UTF-8 text ({error})") from None
