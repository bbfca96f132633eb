"""Captions that were published by picture name."""

from __future__ import annotations

from pathlib import Path

from mner.contexts.artefact import key
from mner.contexts.published.names import find
from mner.contexts.published.sentences import sentences
from mner.errors import DataError
from mner.types import Caption


class Captions:
    """Captions by picture name, in the order of the file.

    Args:
        path: A file of captions; ``mner.contexts.published.sentences`` says in which forms.
        source: The name that each caption carries.
        most: Captions of a picture, at most; 0: all.

    Raises:
        DataError: The file is missing, damaged or holds no caption.
    """

    def __init__(self, path: Path, *, source: str, most: int = 0) -> None:
        self._path, self._most = path, most
        self._captions: dict[str, list[Caption]] = {}
        for one in sentences(path):
            self._captions.setdefault(key(one.name), []).append(Caption(one.text, one.score, source))
        if not self._captions:
            raise DataError(f"{path}: holds no caption")

    def find(self, image: str) -> list[Caption]:
        """The captions of one picture.

        Raises:
            DataError: There is none.
        """
        return find(self._captions, image, file=self._path)[: self._most or None]
