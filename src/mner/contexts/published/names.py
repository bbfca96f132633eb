"""The name of a picture -> its entry in a file that may spell it otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TypeVar

from mner.contexts.artefact import key
from mner.errors import DataError

_T = TypeVar("_T")


def spellings(image: str) -> list[str]:
    """What a picture may be called, nearest first: its path, its file name, each also without suffix.

    >>> spellings("IMGID:12")
    ['12.jpg', '12']
    """
    path = PurePosixPath(key(image))
    found = [str(path), str(path.with_suffix("")) if path.name else "", path.name, path.stem]
    return list(dict.fromkeys(name for name in found if name))


def find(entries: Mapping[str, _T], image: str, *, file: object) -> _T:
    """The entry of a picture.

    Raises:
        DataError: There is none under any spelling.
    """
    for name in spellings(image):
        if name in entries:
            return entries[name]
    raise DataError(f'{file}: holds nothing of "{image}"' + _such_as(entries))


def _such_as(entries: Iterable[str]) -> str:
    known = next(iter(entries), None)
    return "" if known is None else f"; its pictures are called like this: {known!r}"
