"""Captions and other texts that were published by picture or post: JSON, JSON lines or TSV -> one text after the other.

- JSON: a list such as ``[{"image_id": 123, "caption": "a dog"}]``, as evaluation servers of COCO take it;
- JSON lines: one such object in each line;
- TSV: a name, a TAB, and a text, or the JSON of a list such as ``[{"caption": "a dog", "conf": 0.9}]``.

An object may have a list of texts in place of a text; its other keys are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mner.bounded import text_lines
from mner.contexts.artefact import key
from mner.contexts.published.names import find
from mner.contexts.rows import finite, parsed
from mner.errors import DataError
from mner.safe_text import excerpt
from mner.types import Caption

LARGEST = 2**30
"""Bytes of a JSON file, at most, as it is read at once; JSON lines and TSV may have any size."""

NAMES = ("image", "image_id", "img_id", "post", "post_id", "id")
TEXTS = ("text", "caption", "knowledge", "sentence", "texts", "captions", "sentences")
SCORES = ("score", "conf", "confidence")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One text; ``name`` is the picture's or the post's as the file writes it, ``extra`` the other keys."""

    name: str
    text: str
    score: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class Captions:
    """Captions by picture name, in the order of the file.

    Args:
        path: A file of captions, in any of the forms above.
        source: The name of the source in each caption.
        most: Captions of a picture, at most; 0: all.

    Raises:
        DataError: The file is missing, damaged or holds no caption.
    """

    def __init__(self, path: Path, *, source: str, most: int = 0) -> None:
        self._path, self._most = path, most
        self._captions: dict[str, list[Caption]] = {}
        for sentence in sentences(path):
            captions = self._captions.setdefault(key(sentence.name), [])
            captions.append(Caption(sentence.text, sentence.score, source))
        if not self._captions:
            raise DataError(f"{path}: holds no caption")

    def find(self, image: str) -> list[Caption]:
        """The captions of one picture; a picture without captions is a ``DataError``."""
        return find(self._captions, image, file=self._path)[: self._most or None]


def sentences(path: Path) -> Iterator[Sentence]:
    """The texts of a file, in order.

    Raises:
        DataError: The file is missing, too large or not UTF-8, or a line is not a text with a name; with file and line.
    """
    if path.suffix.lower() == ".json":
        yield from _json(path)
        return
    for where, line in text_lines(path):
        if path.suffix.lower() == ".tsv":
            yield from _tsv(line, where)
        else:
            yield from _object(parsed(line, where), where)


def _json(path: Path) -> Iterator[Sentence]:
    if path.is_file() and path.stat().st_size > LARGEST:
        raise DataError(f"{path}: over {LARGEST:,} bytes; write it as JSON lines, which have no limit")
    entries = parsed("\n".join(line for _, line in text_lines(path)), str(path))
    if not isinstance(entries, list):
        raise DataError(f'{path}: expected a list such as [{{"image_id": 123, "caption": "a dog"}}]')
    for number, entry in enumerate(entries):
        yield from _object(entry, f"{path}: [{number}]")


def _tsv(line: str, where: str) -> Iterator[Sentence]:
    name, tab, rest = line.partition("\t")
    if not tab or not name.strip():
        raise DataError(f"{where}: expected a name, a TAB and a text")
    entries: Any = parsed(rest, where) if rest.lstrip().startswith("[{") else [{"text": rest}]
    for entry in entries:
        yield from _object(entry, where, name=name.strip())


def _object(entry: Any, where: str, *, name: str | None = None) -> Iterator[Sentence]:
    if not isinstance(entry, dict):
        raise DataError(f"{where}: expected an object, found {excerpt(entry)}")
    name_key = next((key for key in NAMES if key in entry), None) if name is None else None
    text_key = next((key for key in TEXTS if key in entry), None)
    score_key = next((key for key in SCORES if key in entry), None)
    owner = name if name_key is None else entry[name_key]
    if isinstance(owner, bool) or not isinstance(owner, str | int) or owner == "":
        raise DataError(f"{where}: expected whose text it is in one of {', '.join(NAMES)}")
    texts = entry.get(text_key or "")
    texts = texts if isinstance(texts, list) else [texts]
    if text_key is None or not all(isinstance(text, str) for text in texts):
        raise DataError(f"{where}: expected a text, or a list of texts, in one of {', '.join(TEXTS)}")
    score = entry.get(score_key or "")
    if score is not None and not finite(score):
        raise DataError(f"{where}: {score_key}: expected a number, found {excerpt(score)}")
    extra = {key: value for key, value in entry.items() if key not in {name_key, text_key, score_key, "source"}}
    for text in texts:
        yield Sentence(str(owner), text, score, extra)
