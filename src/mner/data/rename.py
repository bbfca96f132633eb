"""Entity types of the files -> the types they are read as, so that data sets with other names can be joined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mner.errors import ConfigError
from mner.tags import check_type
from mner.types import Post


def rename(post: Post, types: Mapping[str, str]) -> Post:
    """The post with its gold entities' types renamed; a type that is not in ``types`` stays.

    Raises:
        ConfigError: A new name is no name of one type.

    >>> from mner.types import Span
    >>> post = Post("1", "Oscars", ("Oscars",), ((0, 6),), (Span(0, 1, "OTHER"),))
    >>> rename(post, {"OTHER": "MISC"}).spans
    (Span(start=0, end=1, label='MISC'),)
    """
    if not types or not post.spans:
        return post
    try:
        return replace(post, spans=tuple(replace(span, label=_name(span.label, types)) for span in post.spans))
    except ValueError as error:
        raise ConfigError(f"data.rename: {error}") from None


def _name(label: str, types: Mapping[str, str]) -> str:
    return check_type(types[label]) if label in types else label
