"""The limit on the tags of a picture: the surest, at most as many as in the paper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mner.types import Tag

MOST_TAGS = 100
"""Most objects and attributes together, as in the paper; tags over the limit are counted in the record's "cut"."""


def limit_tags(tags: Iterable[Tag]) -> tuple[tuple[Tag, ...], dict[str, Any]]:
    """The tags by confidence, descending, up to ``MOST_TAGS``, and the keys of ``extra`` that count those cut off.

    A tag without a confidence counts as certain.

    >>> limit_tags([Tag("dog", confidence=0.4), Tag("cat", confidence=0.9)])[0][0].object
    'cat'
    >>> len(limit_tags([Tag("dog", ("brown",))] * 60)[0]), limit_tags([Tag("dog", ("brown",))] * 60)[1]
    (50, {'cut': {'tags': 10}})
    """
    ordered = sorted(tags, key=lambda tag: -1.0 if tag.confidence is None else -tag.confidence)
    size, count = 0, 0
    for tag in ordered:
        count += 1 + len(tag.attributes)
        if count > MOST_TAGS:
            break
        size += 1
    cut = len(ordered) - size
    return tuple(ordered[:size]), {"cut": {"tags": cut}} if cut else {}
