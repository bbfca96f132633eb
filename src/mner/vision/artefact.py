"""The visual-context artefact: JSONL, one row per picture; unknown keys are kept, rows written by hand are legal."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, get_args

from mner.atomic import writing
from mner.errors import DataError
from mner.types import Box, Caption, ContextStatus, ContextText, OcrText, Tag, VisualContext

STATUSES: tuple[str, ...] = get_args(ContextStatus)
_ROW = ("image", "tags", "captions", "ocr", "texts", "extractor", "sha256", "status", "reason")
_T = TypeVar("_T")


def key(image: str) -> str:
    """The name a picture goes by: ``IMGID:x`` is ``x.jpg``; a path keeps its relative form.

    >>> key("IMGID:123"), key("./pics/a.png")
    ('123.jpg', 'pics/a.png')
    """
    if image.startswith("IMGID:"):
        return image.removeprefix("IMGID:") + ".jpg"
    return image.removeprefix("./")


class Contexts(Mapping[str, VisualContext]):
    """Contexts by picture name; ``get`` also finds a picture by the last part of its path.

    Where several pictures share that last part, only a path that ends like one of theirs finds it: no context is
    better than another picture's.
    """

    def __init__(self, rows: Iterable[VisualContext] = ()) -> None:
        self._rows: dict[str, VisualContext] = {}
        self._names: dict[str, list[str]] = {}  # last part of the path -> names
        for row in rows:
            self.add(row)

    def add(self, row: VisualContext) -> None:
        """Add a row; entries of a picture that is known already join the earlier ones, equal ones once.

        A placeholder stays one whatever else is said of the picture. Else a row that was read is worth more than
        one that was not.
        """
        name = key(row.image)
        known = self._rows.get(name)
        self._rows[name] = row if known is None else _joined(known, row)
        if known is None:
            self._names.setdefault(name.rpartition("/")[2], []).append(name)

    def __getitem__(self, image: str) -> VisualContext:
        name = key(image)
        if name not in self._rows:
            name = self._nearest(name)
        return self._rows[name]

    def _nearest(self, asked: str) -> str:
        names = self._names[asked.rpartition("/")[2]]
        if len(names) > 1:
            names = [name for name in names if f"/{asked}".endswith(f"/{name}") or f"/{name}".endswith(f"/{asked}")]
        if len(names) != 1:
            raise KeyError(asked)
        return names[0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def read_contexts(paths: str | Path | Sequence[str | Path]) -> Contexts:
    """The contexts of one or several files; later files add entries to earlier rows.

    Raises:
        DataError: A file is missing, or a line is no context; the message names file, line and what was expected.
    """
    contexts = Contexts()
    for path in [paths] if isinstance(paths, str | Path) else paths:
        for row in iter_contexts(Path(path)):
            contexts.add(row)
    return contexts


def iter_contexts(path: Path) -> Iterator[VisualContext]:
    """The rows of a file, one after the other."""
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as stream:  # some editors put a mark first
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                where = f"{path}:{number}"
                try:
                    row = json.loads(line)
                except (ValueError, RecursionError) as error:
                    raise DataError(f'{where}: expected a JSON object such as {{"image": "1.jpg"}}: {error}') from None
                yield from_row(row, where=where)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; make one from pictures: mner context build") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error}); write the file again in UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def write_contexts(rows: Iterable[VisualContext], path: Path) -> int:
    """Write rows into a file that appears when it is whole; the number of rows."""
    count = 0
    with writing(path) as stream:
        for row in rows:
            stream.write(to_line(row) + "\n")
            count += 1
    return count


def to_line(context: VisualContext) -> str:
    """A context as a line of the artefact, without its end; it can be written in UTF-8 whatever the texts hold.

    >>> to_line(VisualContext("1.jpg", captions=(Caption("a café"),)))
    '{"image": "1.jpg", "status": "ok", "captions": [{"text": "a café"}]}'
    """
    row = to_row(context)
    line = json.dumps(row, ensure_ascii=False).replace("\u2028", "\\u2028")
    try:
        line.encode()
    except UnicodeEncodeError:  # half a character, as a JSON escape can hold one
        return json.dumps(row)
    return line


def to_row(context: VisualContext) -> dict[str, Any]:
    """A context as a row of the artefact; what is empty is left out."""
    row: dict[str, Any] = {"image": context.image, "status": context.status}
    for name in ("sha256", "reason"):
        if getattr(context, name) is not None:
            row[name] = getattr(context, name)
    if context.extractor is not None:
        row["extractor"] = dict(context.extractor)
    for name in ("tags", "captions", "ocr", "texts"):
        if getattr(context, name):
            row[name] = [_entry(one) for one in getattr(context, name)]
    return {**row, **context.extra}


def from_row(row: Any, *, where: str = "context") -> VisualContext:
    """The context of a row.

    Raises:
        DataError: It is no object, lacks ``image``, or an entry is of the wrong form.
    """
    if not isinstance(row, Mapping) or not isinstance(row.get("image"), str) or not row["image"]:
        raise DataError(f'{where}: expected an object with the key "image", such as {{"image": "1.jpg"}}')
    status = row.get("status", "ok")
    if status not in STATUSES:
        raise DataError(f"{where}: status: expected one of {', '.join(STATUSES)}, found {status!r}")
    for name in ("sha256", "reason"):
        if not isinstance(row.get(name), str | None):
            raise DataError(f"{where}: {name}: expected a text, found {row[name]!r}")
    extractor = row.get("extractor")
    if extractor is not None and not isinstance(extractor, Mapping):
        raise DataError(f"{where}: extractor: expected an object, found {extractor!r}")
    return VisualContext(
        image=row["image"],
        tags=_entries(row, "tags", where, _tag),
        captions=_entries(row, "captions", where, _caption),
        ocr=_entries(row, "ocr", where, _ocr),
        texts=_entries(row, "texts", where, _text),
        extractor=None if extractor is None else dict(extractor),
        sha256=row.get("sha256"),
        status=status,
        reason=row.get("reason"),
        extra={name: value for name, value in row.items() if name not in _ROW},
    )


def _joined(one: VisualContext, other: VisualContext) -> VisualContext:
    """Both rows of a picture: new entries of the later one behind those of the earlier."""
    both = (one, other)
    first = next((row for status in ("placeholder", "ok") for row in both if row.status == status), one)
    return replace(
        first,
        tags=_added(one.tags, other.tags),
        captions=_added(one.captions, other.captions),
        ocr=_added(one.ocr, other.ocr),
        texts=_added(one.texts, other.texts),
        sha256=one.sha256 or other.sha256,
        extra={**one.extra, **other.extra},
    )


def _added(earlier: tuple[_T, ...], later: tuple[_T, ...]) -> tuple[_T, ...]:
    return earlier + tuple(entry for entry in later if entry not in earlier)


def _entry(one: Any) -> dict[str, Any]:
    """An entry as JSON: its fields that say something, then its unknown keys."""
    fields = {name: getattr(one, name) for name in one.__dataclass_fields__ if name != "extra"}
    row = {name: value for name, value in fields.items() if value not in (None, "", ())}
    if isinstance(one, Caption | OcrText | ContextText):
        row["text"] = one.text
    return {**{name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}, **one.extra}


def _entries(
    row: Mapping[str, Any], name: str, where: str, read: Callable[[Mapping[str, Any], str], _T]
) -> tuple[_T, ...]:
    entries = row.get(name)
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise DataError(f"{where}: {name}: expected a list, found {entries!r}")
    found = []
    for number, entry in enumerate(entries):
        place = f"{where}: {name}[{number}]"
        if isinstance(entry, str):
            entry = {"text": entry}
        if not isinstance(entry, Mapping):
            raise DataError(f"{place}: expected an object or a text, found {entry!r}")
        found.append(read(entry, place))
    return tuple(found)


def _tag(entry: Mapping[str, Any], where: str) -> Tag:
    text, named = entry.get("text"), entry.get("object", "")
    if not isinstance(text, str | None) or not isinstance(named, str) or not (text or named):
        raise DataError(f'{where}: expected "object" (with "attributes") or "text"')
    attributes = entry.get("attributes", [])
    if not isinstance(attributes, list) or not all(isinstance(one, str) for one in attributes):
        raise DataError(f"{where}: attributes: expected a list of texts, found {attributes!r}")
    return Tag(
        object=named,
        attributes=tuple(attributes),
        confidence=_number(entry, "confidence", where),
        box=_box(entry, where),
        text=text,
        source=_source(entry, where),
        extra=_extra(entry, "object", "attributes", "confidence", "box", "text"),
    )


def _caption(entry: Mapping[str, Any], where: str) -> Caption:
    text, source = _string(entry, where), _source(entry, where)
    return Caption(text, _number(entry, "score", where), source, _extra(entry, "text", "score"))


def _ocr(entry: Mapping[str, Any], where: str) -> OcrText:
    extra = _extra(entry, "text", "confidence", "box")
    confidence, box = _number(entry, "confidence", where), _box(entry, where)
    return OcrText(_string(entry, where), confidence, box, _source(entry, where), extra)


def _text(entry: Mapping[str, Any], where: str) -> ContextText:
    return ContextText(_string(entry, where), _source(entry, where), _extra(entry, "text"))


def _string(entry: Mapping[str, Any], where: str) -> str:
    if not isinstance(entry.get("text"), str):
        raise DataError(f'{where}: expected the key "text" with a text, found {entry.get("text")!r}')
    return str(entry["text"])


def _source(entry: Mapping[str, Any], where: str) -> str:
    source = entry.get("source", "")
    if not isinstance(source, str):
        raise DataError(f"{where}: source: expected a text, found {source!r}")
    return source


def _number(entry: Mapping[str, Any], name: str, where: str) -> float | None:
    value = entry.get(name)
    if value is not None and not _finite(value):
        raise DataError(f"{where}: {name}: expected a number, found {value!r}")
    return value


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _box(entry: Mapping[str, Any], where: str) -> Box | None:
    box = entry.get("box")
    if box is None:
        return None
    if not isinstance(box, list) or len(box) != 4 or not all(map(_finite, box)):
        raise DataError(f"{where}: box: expected [left, top, right, bottom], found {box!r}")
    left, top, right, bottom = box
    return (left, top, right, bottom)


def _extra(entry: Mapping[str, Any], *known: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in (*known, "source")}
