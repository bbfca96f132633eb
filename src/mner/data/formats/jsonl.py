"""Posts as JSON lines: ``{"id", "text" or "words", "entities": [{"start", "end", "label"}], "image"}``.

Offsets are Python characters (code points) of the text, end exclusive. Everything but text or words is optional; a
row without entities has no labels, which is not the same as an empty list. The text of a row with words alone is its
words joined by one space. With both, the words are looked for in the text in order, or stand at ``"offsets"``
([[start, end], ...]). Other keys are kept and written back; other keys of an entity are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, TextIO

from mner.data.alignment import Offsets, align, joined, word_span
from mner.data.formats._columns import Losses, shown
from mner.data.lines import OnFault, raising
from mner.errors import DataError
from mner.tags import Reading, Scheme, from_spans
from mner.types import Post, Span
from mner.words import split

_KEYS = {"id", "text", "words", "offsets", "entities", "image"}


def sniff(lines: Sequence[str]) -> bool:
    """Whether the first line that is not blank begins an object.

    >>> sniff(['{"id": "1", "text": "Kevin"}'])
    True
    """
    first = next((line for line in lines if line.strip()), "").lstrip()
    return first.startswith("{") and first[1:].lstrip()[:1] in {'"', "}", ""}


def read(
    lines: Iterable[str], *, name: str, labels: Reading = "repair", on_fault: OnFault | None = None
) -> Iterator[Post]:
    """The posts, one after the other.

    Args:
        lines: Without their line feed; blank ones are skipped.
        name: The file, for messages.
        labels: Without effect: entities are given as spans.
        on_fault: What to do about a bad line; None raises ``DataError``. A bad line is left out.
    """
    fault = on_fault or raising(name)
    count = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        count += 1
        try:
            yield post_of(line, number=count, where=f"{name}:{number}")
        except DataError as error:
            fault(number, str(error))


def write(posts: Iterable[Post], stream: TextIO, *, scheme: Scheme = "IOB2", losses: Losses | None = None) -> int:
    """The number of posts written; nothing is lost. ``scheme`` has no effect."""
    count = 0
    for post in posts:
        count += 1
        row = to_row(post)
        line = json.dumps(row, ensure_ascii=False)
        if not line.isascii() and any("\ud800" <= char <= "\udfff" for char in line):
            line = json.dumps(row)  # half a surrogate pair is legal in JSON, escaped, but not in UTF-8
        stream.write(line + "\n")
    return count


def to_row(post: Post) -> dict[str, Any]:
    """The JSON object of a post: words and offsets only where the text does not give them.

    Raises:
        DataError: Spans overlap or leave the words.
    """
    row: dict[str, Any] = {"id": post.id, "text": post.text}
    if split(post.text) != (post.words, post.offsets):
        row["words"] = list(post.words)
        if align(post.text, post.words) != post.offsets:
            row["offsets"] = [list(pair) for pair in post.offsets]
    if post.spans is not None:
        try:
            from_spans(post.spans, len(post.words))
        except DataError as error:
            raise DataError(f'{post.where or "post"}: "{post.id}": {error}') from None
        row["entities"] = [
            {"start": post.offsets[span.start][0], "end": post.offsets[span.end - 1][1], "label": span.label}
            for span in post.spans
        ]
    if post.image is not None:
        row["image"] = post.image
    return {**row, **{key: value for key, value in post.extra.items() if key not in _KEYS}}


def post_of(line: str, *, number: int, where: str = "") -> Post:
    """The post of one line.

    Raises:
        DataError: The line is no such post; the message has no place.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f'not JSON: {error} ("{shown(line)}")') from None
    if not isinstance(row, dict):
        raise DataError(f'expected an object with "text" or "words", found {type(row).__name__} ("{shown(line)}")')
    text, words, offsets = _words(row)
    image = row.get("image")
    if image is not None and not (isinstance(image, str) and image):
        raise DataError(f'"image": expected a file name or null, found {image!r}')
    written = row.get("id")
    if written is not None and not isinstance(written, str | int):
        raise DataError(f'"id": expected a string, found {written!r}')
    entities = row.get("entities")
    return Post(
        id=str(number) if written is None else str(written),
        text=text,
        words=words,
        offsets=offsets,
        spans=None if entities is None else _spans(entities, text, offsets),
        image=image,
        where=where,
        extra={key: value for key, value in row.items() if key not in _KEYS},
    )


def _words(row: dict[str, Any]) -> tuple[str, tuple[str, ...], Offsets]:
    text, words, places = row.get("text"), row.get("words"), row.get("offsets")
    if text is None and words is None:
        raise DataError(f'expected "text" or "words", found the keys {", ".join(sorted(row)) or "none"}')
    if text is not None and not isinstance(text, str):
        raise DataError(f'"text": expected a string, found {text!r}')
    if words is None:
        return (text or "", *split(text or ""))
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise DataError('"words": expected a list of strings, none of them empty')
    if text is None:
        return joined(words)[0], tuple(words), joined(words)[1]
    offsets = align(text, words) if places is None else _places(places, text, words)
    if offsets is None:
        raise DataError('the words do not stand in the text in this order; give "words" without "text", or "offsets"')
    return text, tuple(words), offsets


def _places(places: Any, text: str, words: Sequence[str]) -> Offsets:
    pairs = places if isinstance(places, list) and len(places) == len(words) else []
    if len(pairs) != len(words) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(type(x) is int for x in pair) for pair in pairs
    ):
        raise DataError('"offsets": expected [start, end] for each word')
    end = 0
    for word, (start, stop) in zip(words, pairs, strict=True):
        if not end <= start < stop <= len(text) or text[start:stop] != word:
            raise DataError(f'"offsets": {start}-{stop} is not where "{word}" stands; offsets count characters')
        end = stop
    return tuple((start, stop) for start, stop in pairs)


def _spans(entities: Any, text: str, offsets: Offsets) -> tuple[Span, ...]:
    if not isinstance(entities, list):
        raise DataError('"entities": expected a list of {"start", "end", "label"}')
    spans = []
    for entity in entities:
        start, end, label = (
            (entity.get(k) for k in ("start", "end", "label")) if isinstance(entity, dict) else [None] * 3
        )
        if type(start) is not int or type(end) is not int or not isinstance(label, str) or not label:
            raise DataError(f'expected an entity {{"start", "end", "label"}}, found {shown(json.dumps(entity), 80)}')
        spans.append(word_span(start, end, label, offsets, text=text))
        surface = entity.get("text")
        if isinstance(surface, str) and surface != text[start:end]:
            raise DataError(
                f'entity {start}-{end} reads "{text[start:end]}" but says "{surface}"; '
                "offsets count characters (code points), not bytes or UTF-16 units"
            )
    spans.sort()
    for left, right in pairwise(spans):
        if right.start < left.end:
            raise DataError(
                f"two entities hold the same word: {left.label} words {left.start}-{left.end} and "
                f"{right.label} words {right.start}-{right.end}; one word has one label"
            )
    return tuple(spans)
