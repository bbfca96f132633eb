"""One record of the visual-context artefact: JSON object <-> ``VisualContext``; faults name the place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

from mner.errors import DataError
from mner.types import Box, Caption, ContextStatus, ContextText, OcrText, Tag, VisualContext

STATUSES: tuple[str, ...] = get_args(ContextStatus)
_ROW = ("image", "tags", "captions", "ocr", "texts", "extractor", "sha256", "status", "reason")
_T = TypeVar("_T")


def parsed(text: str, where: str, expected: str = "JSON") -> Any:
    """The value of a JSON text; any other text is a ``DataError``."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: expected {expected}: {error}") from None


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
    """A context as a record of the artefact; what is empty is left out."""
    row: dict[str, Any] = {"image": context.image, "status": context.status}
    for name in ("sha256", "reason"):
        if getattr(context, name) is not None:
            row[name] = getattr(context, name)
    if context.extractor is not None:
        row["extractor"] = dict(context.extractor)
    for name in ("tags", "captions", "ocr", "texts"):
        if getattr(context, name):
            row[name] = [_entry(entry) for entry in getattr(context, name)]
    return {**row, **context.extra}


def from_row(row: Any, *, where: str = "context") -> VisualContext:
    """The context of a record.

    Raises:
        DataError: It is not an object, lacks ``image``, or an entry is of the wrong form.
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


def _entry(entry: Any) -> dict[str, Any]:
    """An entry as JSON: its fields that are not empty, then its unknown keys."""
    fields = {name: getattr(entry, name) for name in entry.__dataclass_fields__ if name != "extra"}
    row = {name: value for name, value in fields.items() if value not in (None, "", ())}
    if isinstance(entry, Caption | OcrText | ContextText):
        row["text"] = entry.text
    return {**{name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}, **entry.extra}


def _entries(
    row: Mapping[str, Any], name: str, where: str, read: Callable[[Mapping[str, Any], str], _T]
) -> tuple[_T, ...]:
    entries = row.get(name)
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise DataError(f"{where}: {name}: expected a list, found {entries!r}")
    read_entries = []
    for number, entry in enumerate(entries):
        place = f"{where}: {name}[{number}]"
        if isinstance(entry, str):
            entry = {"text": entry}
        if not isinstance(entry, Mapping):
            raise DataError(f"{place}: expected an object or a text, found {entry!r}")
        read_entries.append(read(entry, place))
    return tuple(read_entries)


def _tag(entry: Mapping[str, Any], where: str) -> Tag:
    text, named = entry.get("text"), entry.get("object", "")
    if not isinstance(text, str | None) or not isinstance(named, str) or not (text or named):
        raise DataError(f'{where}: expected "object" (with "attributes") or "text"')
    attributes = entry.get("attributes", [])
    if not isinstance(attributes, list) or not all(isinstance(name, str) for name in attributes):
        raise DataError(f"{where}: attributes: expected a list of texts, found {attributes!r}")
    confidence, box, source = _number(entry, "confidence", where), _box(entry, where), _source(entry, where)
    extra = _extra(entry, "object", "attributes", "confidence", "box", "text")
    return Tag(named, tuple(attributes), confidence, box, text, source, extra)


def _caption(entry: Mapping[str, Any], where: str) -> Caption:
    score, source = _number(entry, "score", where), _source(entry, where)
    return Caption(_string(entry, where), score, source, _extra(entry, "text", "score"))


def _ocr(entry: Mapping[str, Any], where: str) -> OcrText:
    confidence, box, source = _number(entry, "confidence", where), _box(entry, where), _source(entry, where)
    return OcrText(_string(entry, where), confidence, box, source, _extra(entry, "text", "confidence", "box"))


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
    if value is not None and not finite(value):
        raise DataError(f"{where}: {name}: expected a number, found {value!r}")
    return value


def finite(value: Any) -> bool:
    """Whether a JSON value is a number that a float can hold."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False


def _box(entry: Mapping[str, Any], where: str) -> Box | None:
    box = entry.get("box")
    if box is None:
        return None
    if not isinstance(box, list) or len(box) != 4 or not all(map(finite, box)):
        raise DataError(f"{where}: box: expected [left, top, right, bottom], found {box!r}")
    left, top, right, bottom = box
    return (left, top, right, bottom)


def _extra(entry: Mapping[str, Any], *known: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in (*known, "source")}
