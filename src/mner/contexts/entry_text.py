"""The words of each entry of a context, as a reader says them."""

from __future__ import annotations

from mner.config import Source
from mner.types import Caption, ContextText, OcrText, Tag, VisualContext

KINDS: tuple[Source, ...] = ("captions", "tags", "ocr", "texts")
"""The lists of a record."""

Entry = Tag | Caption | OcrText | ContextText
"""An entry of any of these lists."""


def entries(context: VisualContext, kind: Source) -> tuple[Entry, ...]:
    """The entries of one list of a record."""
    listed: tuple[Entry, ...] = getattr(context, kind)
    return listed


def words_of(entry: Entry) -> str:
    """What an entry says: a tag's attributes before its object, or its ready text.

    >>> words_of(Tag("dog", ("brown",))), words_of(Tag(text="red ball")), words_of(Caption("a dog"))
    ('brown dog', 'red ball', 'a dog')
    """
    if isinstance(entry, Tag):
        return entry.text or " ".join((*entry.attributes, entry.object))
    return entry.text


def entry_texts(context: VisualContext, kind: Source) -> tuple[str, ...]:
    """The words of all entries of one list of a record."""
    return tuple(words_of(entry) for entry in entries(context, kind))
