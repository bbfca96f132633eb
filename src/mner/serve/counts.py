"""How many posts, words, pictures and fields a request may hold: counted before pydantic looks at each of them.

It takes time for each, and a kilobyte of memory for each that is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mner.serve.faults import RequestError, place
from mner.serve.settings import Settings

MOST_FIELDS = 64
"""Fields of a request, and of each of its posts; there are fewer, and the others are refused by name."""


def check(value: Mapping[str, Any], settings: Settings) -> None:
    """Nothing, if a request holds no more than it may; whether it is faulty is not looked at.

    Raises:
        RequestError: It holds more.
    """
    posts = value.get("posts")
    if isinstance(posts, list):
        _within(len(posts), settings.max_posts, "posts", "too_many_posts", "posts")
    most = (
        ("words", settings.max_words, "words", "too_long"),
        ("images", settings.max_pictures, "pictures", "too_many_pictures"),
    )
    for where, fields in _objects(value, posts):
        _within(len(fields), MOST_FIELDS, "fields", "invalid_request", where or None)
        for name, limit, what, code in most:
            given = fields.get(name)
            if isinstance(given, list):
                _within(len(given), limit, what, code, f"{where}.{name}" if where else name)


def _objects(value: Mapping[str, Any], posts: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The request and each of its posts, with their places; a post that is no object is left to the schema."""
    yield "", value
    for number, post in enumerate(posts if isinstance(posts, list) else ()):
        if isinstance(post, dict):
            yield place(("posts", number)), post


def _within(count: int, most: int, what: str, code: str, field: str | None) -> None:
    if count > most:
        raise RequestError(422, code, f"{count:,} {what}, the limit is {most:,}", field=field)
