"""Changes by hand to the record of one picture in an artefact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, cast

from mner.config import Source
from mner.contexts.artefact import iter_contexts, key, write_contexts
from mner.contexts.entry_text import KINDS, Entry, entries
from mner.contexts.rows import STATUSES
from mner.errors import DataError
from mner.types import Caption, ContextStatus, ContextText, OcrText, Tag, VisualContext

MARK = "edited"
"""Key of a record that was changed by hand; it is true."""

_T = TypeVar("_T", bound=Entry)


@dataclass(frozen=True, slots=True)
class Change:
    """What to do to a record: first drop, then add.

    Attributes:
        captions: Added after the existing ones, like the next three.
        tags: Ready texts, such as "brown dog".
        ocr: Lines of text in the picture.
        texts: Retrieved or background text.
        drop: Lists to empty, "tags", or to clear of one source, "tags:vinvl".
        status: The new status; None leaves it.
        source: The source of added entries.
    """

    captions: Sequence[str] = ()
    tags: Sequence[str] = ()
    ocr: Sequence[str] = ()
    texts: Sequence[str] = ()
    drop: Sequence[str] = ()
    status: str | None = None
    source: str = "hand"


def edit(path: Path, image: str, change: Change) -> VisualContext:
    """Change the record of one picture in an artefact, a single file, and return the record as it is now.

    The file is replaced when the new one is whole; all other records, and unknown keys, stay. If a picture has several
    records, all lose what is dropped, and what is new goes to the first.

    Raises:
        DataError: The picture has no record, ``change`` is empty or names an unknown list, source or status, or the
            file cannot be read or written.
    """
    if path.is_dir():
        raise DataError(f"{path}: a folder of shards; name the shard that holds {image}")
    drops = [_drop(text) for text in change.drop]
    _check(change)
    wanted = key(image)
    rows = [row for row in iter_contexts(path) if key(row.image) == wanted]
    if not rows:
        raise DataError(f'{path}: no record of "{wanted}"; {_hint(path, wanted)}')
    for kind, source in drops:
        if not any(source in (None, entry.source) for row in rows for entry in entries(row, kind)):
            name = kind if source is None else f"{kind}:{source}"
            raise DataError(f'{path}: "{wanted}" has nothing to drop of {name}')
    write_contexts(_rewritten(path, wanted, change), path)
    return changed(rows[0], change)


def _rewritten(path: Path, wanted: str, change: Change) -> Iterator[VisualContext]:
    later = replace(change, captions=(), tags=(), ocr=(), texts=())
    for row in iter_contexts(path):
        if key(row.image) == wanted:
            row, change = changed(row, change), later
        yield row


def _hint(path: Path, wanted: str) -> str:
    last = wanted.rpartition("/")[2]
    near = next((row.image for row in iter_contexts(path) if row.image.rpartition("/")[2] == last), None)
    return f'did you mean "{near}"?' if near else f"to see its pictures: mner context show {path}"


def changed(row: VisualContext, change: Change) -> VisualContext:
    """A record with a change made, and marked as edited.

    >>> row = VisualContext("1.jpg", captions=(Caption("a dog", source="catr"),))
    >>> [caption.text for caption in changed(row, Change(captions=["a cat"], drop=["captions:catr"])).captions]
    ['a cat']
    """
    drops = [_drop(text) for text in change.drop]
    by = change.source
    return replace(
        row,
        captions=(*_left(row.captions, "captions", drops), *(Caption(text, source=by) for text in change.captions)),
        tags=(*_left(row.tags, "tags", drops), *(Tag(text=text, source=by) for text in change.tags)),
        ocr=(*_left(row.ocr, "ocr", drops), *(OcrText(text, source=by) for text in change.ocr)),
        texts=(*_left(row.texts, "texts", drops), *(ContextText(text, by) for text in change.texts)),
        status=row.status if change.status is None else cast(ContextStatus, change.status),
        reason=row.reason if change.status is None else None,
        extra={**row.extra, MARK: True},
    )


def _left(old: tuple[_T, ...], kind: Source, drops: Sequence[tuple[Source, str | None]]) -> tuple[_T, ...]:
    dropped = [source for dropped, source in drops if dropped == kind]
    return tuple(entry for entry in old if None not in dropped and entry.source not in dropped)


def _check(change: Change) -> None:
    added = (*change.captions, *change.tags, *change.ocr, *change.texts)
    if not (added or change.drop or change.status):
        raise DataError("nothing to change: name a caption, tag, line of text or status to set, or a list to drop")
    if any(not text.strip() for text in added):
        raise DataError("an added text is empty; to remove entries, drop their list or their source")
    if change.status is not None and change.status not in STATUSES:
        raise DataError(f"status: expected one of {', '.join(STATUSES)}, found {change.status!r}")


def _drop(text: str) -> tuple[Source, str | None]:
    kind, colon, source = text.partition(":")
    for name in KINDS:
        if kind == name:
            return name, source if colon else None
    raise DataError(
        f'drop: expected one of {", ".join(KINDS)}, perhaps with a source as in "tags:vinvl", found {text!r}'
    )
