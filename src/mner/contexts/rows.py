"""One record of the visual-context artefact: JSON object <-> ``VisualContext``; faults name the place."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, get_args

from mner.errors import DataError
from mner.safe_text import excerpt
from mner.types import Caption, ContextStatus, ContextText, OcrText, Tag, VisualContext

STATUSES: tuple[str, ...] = get_args(ContextStatus)
_ENTRIES = {"tags": Tag, "captions": Caption, "ocr": OcrText, "texts": ContextText}
_KNOWN = (*_ENTRIES, "image", "extractor", "sha256", "status", "reason")
_NULLABLE = ("text", "score", "confidence", "box")


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
    for name in _ENTRIES:
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
        raise DataError(f"{where}: status: expected one of {', '.join(STATUSES)}, found {excerpt(status)}")
    for name in ("sha256", "reason"):
        if not isinstance(row.get(name), str | None):
            raise DataError(f"{where}: {name}: expected a text, found {excerpt(row[name])}")
    extractor = row.get("extractor")
    if extractor is not None and not isinstance(extractor, Mapping):
        raise DataError(f"{where}: extractor: expected an object, found {excerpt(extractor)}")
    return VisualContext(
        image=row["image"],
        **{name: _entries(row, name, where) for name in _ENTRIES},
        extractor=None if extractor is None else dict(extractor),
        sha256=row.get("sha256"),
        status=status,
        reason=row.get("reason"),
        extra={name: value for name, value in row.items() if name not in _KNOWN},
    )


def _entry(entry: Any) -> dict[str, Any]:
    """An entry as JSON: its fields that are not empty, then its unknown keys."""
    fields = {name: getattr(entry, name) for name in entry.__dataclass_fields__ if name not in ("extra", "picture")}
    row = {name: value for name, value in fields.items() if value not in (None, "", ())}
    if isinstance(entry, Caption | OcrText | ContextText):
        row["text"] = entry.text
    if entry.picture:
        row["picture"] = entry.picture
    return {**{name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}, **entry.extra}


def _entries(row: Mapping[str, Any], name: str, where: str) -> tuple[Any, ...]:
    entries = row.get(name)
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise DataError(f"{where}: {name}: expected a list, found {excerpt(entries)}")
    return tuple(_read(entry, _ENTRIES[name], f"{where}: {name}[{at}]") for at, entry in enumerate(entries))


def _read(entry: Any, kind: Any, where: str) -> Any:
    """An entry of one kind; keys that are not its fields are kept."""
    if isinstance(entry, str):
        entry = {"text": entry}
    if not isinstance(entry, Mapping):
        raise DataError(f"{where}: expected an object or a text, found {excerpt(entry)}")
    fields = [name for name in kind.__dataclass_fields__ if name != "extra"]
    if type(place := entry.get("picture")) is not int or place < 0:
        fields.remove("picture")  # somebody's own key
    present = [name for name in fields if name in entry and (entry[name] is not None or name not in _NULLABLE)]
    values = {name: _checked(entry[name], name, where) for name in present}
    if kind is Tag and not (values.get("text") or values.get("object")):
        raise DataError(f'{where}: expected "object" (with "attributes") or "text"')
    if kind is not Tag and "text" not in values:
        raise DataError(f'{where}: expected the key "text" with a text')
    return kind(**values, extra={name: value for name, value in entry.items() if name not in fields})


def _checked(value: Any, name: str, where: str) -> Any:
    """The value of one field of an entry."""
    if name in ("confidence", "score"):
        if not finite(value):
            raise DataError(f"{where}: {name}: expected a number, found {excerpt(value)}")
    elif name == "box":
        if not isinstance(value, list) or len(value) != 4 or not all(map(finite, value)):
            raise DataError(f"{where}: box: expected [left, top, right, bottom], found {excerpt(value)}")
        return tuple(value)
    elif name == "picture":
        return value
    elif name == "attributes":
        if not isinstance(value, list) or not all(isinstance(attribute, str) for attribute in value):
            raise DataError(f"{where}: attributes: expected a list of texts, found {excerpt(value)}")
        return tuple(value)
    elif not isinstance(value, str):
        raise DataError(f"{where}: {name}: expected a text, found {excerpt(value)}")
    return value


def finite(value: Any) -> bool:
    """Whether a JSON value is a number that a float can hold."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer of hundreds of digits
        return False
