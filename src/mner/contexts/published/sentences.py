"""Captions and other texts that were published by picture or post: JSON, JSON lines or TSV -> one text after the other.

- JSON: a list such as ``[{"image_id": 123, "caption": "a dog"}]``, as evaluation servers of COCO take it;
- JSON lines: one such object a line;
- TSV: a name, a TAB, and a text, or the JSON of a list such as ``[{"caption": "a dog", "conf": 0.9}]``.

An object may have a list of texts in place of one; what else it says is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mner.contexts.rows import finite
from mner.errors import DataError
from mner.long_lines import bounded

LARGEST = 2**30
"""Bytes of a JSON file, at most, as it is read at once; JSON lines and TSV may have any size."""

NAMES = ("image", "image_id", "img_id", "post", "post_id", "id")
TEXTS = ("text", "caption", "knowledge", "sentence", "texts", "captions", "sentences")
SCORES = ("score", "conf", "confidence")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One text; ``name`` is the picture's or the post's as the file writes it, ``extra`` what else was said."""

    name: str
    text: str
    score: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def sentences(path: Path) -> Iterator[Sentence]:
    """The texts of a file, in order.

    Raises:
        DataError: The file is missing, too large or not UTF-8, or a line is no text with a name; with file and line.
    """
    try:
        if path.suffix == ".json":
            yield from _json(path)
            return
        with path.open(encoding="utf-8-sig", newline="\n") as stream:
            for number, line in enumerate(bounded(stream, str(path)), 1):
                if line.strip():
                    where = f"{path}:{number}"
                    yield from (_tsv if path.suffix == ".tsv" else _jsonl)(line.rstrip("\r\n"), where)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error}); write the file again in UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from None


def _json(path: Path) -> Iterator[Sentence]:
    if path.stat().st_size > LARGEST:
        raise DataError(f"{path}: over {LARGEST:,} bytes; write it as JSON lines, which have no limit")
    entries = _parsed(path.read_text(encoding="utf-8-sig"), str(path))
    if not isinstance(entries, list):
        raise DataError(f'{path}: expected a list such as [{{"image_id": 123, "caption": "a dog"}}]')
    for number, entry in enumerate(entries):
        yield from _object(entry, f"{path}: [{number}]")


def _jsonl(line: str, where: str) -> Iterator[Sentence]:
    yield from _object(_parsed(line, where), where)


def _tsv(line: str, where: str) -> Iterator[Sentence]:
    name, tab, rest = line.partition("\t")
    if not tab or not name.strip():
        raise DataError(f"{where}: expected a name, a TAB and a text")
    told: Any = _parsed(rest, where) if rest.lstrip().startswith("[{") else [{"text": rest}]
    for entry in told:
        yield from _object(entry, where, name=name.strip())


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: expected JSON: {error}") from None


def _object(entry: Any, where: str, *, name: str | None = None) -> Iterator[Sentence]:
    if not isinstance(entry, dict):
        raise DataError(f"{where}: expected an object, found {entry!r}")
    named = next((key for key in NAMES if key in entry), None) if name is None else None
    told = next((key for key in TEXTS if key in entry), None)
    sure = next((key for key in SCORES if key in entry), None)
    whose = name if named is None else entry[named]
    if isinstance(whose, bool) or not isinstance(whose, str | int) or whose == "":
        raise DataError(f"{where}: expected whose text it is in one of {', '.join(NAMES)}")
    texts = [] if told is None else entry[told] if isinstance(entry[told], list) else [entry[told]]
    if told is None or not all(isinstance(text, str) for text in texts):
        raise DataError(f"{where}: expected a text, or a list of texts, in one of {', '.join(TEXTS)}")
    score = None if sure is None else entry[sure]
    if score is not None and not finite(score):
        raise DataError(f"{where}: {sure}: expected a number, found {score!r}")
    extra = {key: value for key, value in entry.items() if key not in {named, told, sure, "source"}}
    for text in texts:
        yield Sentence(str(whose), text, score, extra)
