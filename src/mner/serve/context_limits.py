"""How large a context may be that stands for a post's pictures: as large as those of the service's own answers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mner.serve.faults import RequestError
from mner.serve.settings import Settings

MOST_ENTRIES = 500
"""Entries of a context for each picture that a post may have: tags, captions, lines of text."""

STRUCTURE = 10
"""Characters of a context as JSON, boxes and scores included, for each character that its text may have."""

KINDS = ("tags", "captions", "ocr", "texts")


def check(context: Any, settings: Settings, field: str) -> None:
    """Nothing, if a context is within the limits; whether it is faulty is not looked at.

    Args:
        context: A caption, or a row of the visual-context artefact.
        settings: The limits of one picture; those of a row are multiplied by the pictures that a post may have.
        field: The field of the request, for messages.

    Raises:
        RequestError: It is over a limit, neither a text nor an object, or holds a number that JSON does not have.
    """
    if isinstance(context, str):
        _within(len(context), settings.max_characters, "characters", field)
        return
    if not isinstance(context, dict):
        raise RequestError(422, "invalid_context", "expected a caption or an object", field=field)
    most = settings.max_characters * settings.max_pictures
    entries = [entry for kind in KINDS if isinstance(context.get(kind), list) for entry in context[kind]]
    _within(len(entries), MOST_ENTRIES * settings.max_pictures, "entries", field)
    _within(sum(len(text) for entry in entries for text in _texts(entry)), most, "characters in its entries", field)
    try:
        size = len(json.dumps(context, ensure_ascii=False, allow_nan=False))
    except ValueError:  # the answer has the context, and JSON has no infinity
        message = "holds a number beyond the range of JSON readers, such as 1e400; leave it out or write it as a text"
        raise RequestError(422, "invalid_context", message, field=field) from None
    _within(size, STRUCTURE * most, "characters as JSON", field)


def _texts(entry: Any) -> Iterator[str]:
    """The texts of an entry, which the model may read."""
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, Mapping):
        attributes = entry.get("attributes")
        texts = [entry.get("text"), entry.get("object"), *(attributes if isinstance(attributes, list) else ())]
        yield from (text for text in texts if isinstance(text, str))


def _within(size: int, limit: int, what: str, field: str) -> None:
    if size > limit:
        raise RequestError(422, "too_long", f"{size:,} {what}, the limit is {limit:,}", field=field)
