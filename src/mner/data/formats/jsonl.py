"""Posts as JSON lines: ``{"id", "text" or "words", "entities": [{"start", "end", "label"}], "image"}``.

Of several pictures it is ``"images": ["1.jpg", "2.jpg"]``.

Offsets are Python characters (code points) of the text, end exclusive. Everything but text or words is optional; a
record without entities has no labels, which is not the same as an empty list. The text of a record with words alone is
its words joined by one space. With both, the words are looked for in the text in order, or are at ``"offsets"``
([[start, end], ...]). Records of labelling tools are read as they are (``mner.data.gold``). Other keys are kept and
written back; other keys of an entity are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any, TextIO
from uuid import UUID

from mner.data.formats._columns import Losses
from mner.data.lines import OnFault, printable
from mner.data.records import parse, post_of, to_row
from mner.errors import DataError
from mner.tags import Labels, Scheme
from mner.types import Post


def sniff(lines: Sequence[str]) -> bool:
    """Whether the first line that is not blank begins an object, or is a pair of a text and an object.

    >>> sniff(['{"id": "1", "text": "Kevin"}']), sniff(['["Kevin", {"entities": []}]'])
    (True, True)
    """
    first = next((line for line in lines if line.strip()), "").strip()
    if first.startswith('["'):
        try:
            pair = parse(first)
        except DataError:
            return False
        return len(pair) == 2 and isinstance(pair[1], dict)
    return first.startswith("{") and first[1:].lstrip()[:1] in {'"', "}"} and not first.startswith('{"classes"')


def read(lines: Iterable[str], *, name: str, labels: Labels, on_fault: OnFault) -> Iterator[Post]:
    """The posts, one after the other; blank lines are skipped."""
    written = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    for count, (number, line) in enumerate(written, 1):
        try:
            yield post_of(parse(line), number=count, where=f"{name}:{number}", labels=labels)
        except DataError as error:
            on_fault(number, str(error))


def write(posts: Iterable[Post], stream: TextIO, *, scheme: Scheme, losses: Losses) -> None:
    """Write posts; nothing is lost, and there is no scheme."""
    for post in posts:
        stream.write(line_of(to_row(post)) + "\n")


def line_of(row: Mapping[str, Any]) -> str:
    r"""A record as one line of JSON; half a surrogate pair is legal in JSON, escaped, but not in UTF-8.

    Values of tables that JSON lacks are written as it can: dates and times as ISO 8601 does, NaN and infinities as
    null, arrays as lists.

    Raises:
        DataError: There is no way to write a value; the message names the record and the key.

    >>> line_of({"id": "7", "day": date(2026, 1, 31), "price": float("nan")})
    '{"id": "7", "day": "2026-01-31", "price": null}'
    """
    try:
        line = json.dumps(row, ensure_ascii=False, allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        row = {key: _writable(row, key) for key in row}
        line = json.dumps(row, ensure_ascii=False)
    broken = not line.isascii() and any("\ud800" <= char <= "\udfff" for char in line)
    return json.dumps(row, default=_plain) if broken else line


def _writable(row: Mapping[str, Any], key: str) -> Any:
    """The value of a key in a form that JSON can hold."""
    try:
        return json.loads(json.dumps(row[key], default=_plain), parse_constant=lambda name: None)
    except (TypeError, ValueError, RecursionError) as error:
        post = printable(str(row.get("id", "")))
        raise DataError(f'post "{post}": "{key}" cannot be written as JSON: {error}; leave that key out') from None


def _plain(value: Any) -> Any:
    """A value of a type that JSON lacks as one that it has."""
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal | timedelta | UUID | PurePath):
        return str(value)
    if hasattr(value, "tolist"):  # an array or a number of numpy
        return value.tolist()
    raise TypeError(f"it holds {type(value).__name__}")
