"""Visual context -> the pieces of text that follow a post's words, in the configured order."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from mner.config import ContextConfig, Source
from mner.several import apart
from mner.types import Tag, VisualContext

ATTRIBUTES = 3
"""Most attributes written before an object (ITA, section 3.1)."""

_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_UNKNOWN = re.compile(r"\s*<unk>")


class Piece(NamedTuple):
    """One stretch of context; a separator stands before each.

    Attributes:
        kind: The list of the artefact it comes from.
        source: Names of the backends that made it, joined by "+".
        text: What it says, on one line, without blanks around it; never empty.
        picture: Which of the post's pictures it is from, from 0.
    """

    kind: Source
    source: str
    text: str
    picture: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The piece as a JSON object; with the picture's place if that is not the first one.

        >>> Piece("ocr", "rapid", "CLEVELAND").to_dict()
        {'kind': 'ocr', 'source': 'rapid', 'text': 'CLEVELAND'}
        """
        row: dict[str, Any] = {"kind": self.kind, "source": self.source, "text": self.text}
        return row | {"picture": self.picture} if self.picture else row


class _Entry(Protocol):
    """Anything in a context that names the backend it comes from."""

    @property
    def source(self) -> str: ...


_Sourced = TypeVar("_Sourced", bound=_Entry)


def compose(context: VisualContext, options: ContextConfig) -> tuple[Piece, ...]:
    """The pieces of context beside a post's words: ``c1, ..., ck, "a1 o1 a2 o2", "ocr ocr", t1, ...`` (ITA, section 3).

    Each caption and each retrieved text is a piece of its own; all tags make one piece (each its own with
    ``tags_apart``), all OCR texts another.
    What is empty drops out. A context whose status is not "ok" has no pieces at all. Of several pictures each has its
    own pieces: captions of the first, captions of the second, ..., tags of the first, and so on.

    >>> from mner.types import Caption
    >>> row = VisualContext(image="1.jpg", captions=(Caption("a man  with a <unk>."),), tags=(Tag("dog", ("brown",)),))
    >>> [piece.text for piece in compose(row, ContextConfig())]
    ['a man with a.', 'brown dog']
    """
    if context.status != "ok":
        return ()
    pictures = apart(context)
    return tuple(
        piece._replace(picture=place) if place else piece
        for kind in options.order
        for place, picture in pictures.items()
        for piece in _COMPOSERS[kind](picture, options)
    )


def _captions(context: VisualContext, options: ContextConfig) -> list[Piece]:
    """A captioner writes ``<unk>`` where it had no word; that is no text."""
    chosen = _chosen(context.captions, options.captions)
    return _each("captions", [(caption.source, _UNKNOWN.sub("", caption.text)) for caption in chosen])


def _tags(context: VisualContext, options: ContextConfig) -> list[Piece]:
    sources = options.tags if options.tags is not None else (None,)
    ordered: list[Tag] = []
    for source in sources:  # confidences of two detectors do not compare
        ordered += sorted((tag for tag in context.tags if source in (None, tag.source)), key=_doubt)
    gathered = _each if options.tags_apart else _joined
    return gathered("tags", [(tag.source, _words(tag)) for tag in ordered])


def _ocr(context: VisualContext, options: ContextConfig) -> list[Piece]:
    return _joined("ocr", [(entry.source, entry.text) for entry in _chosen(context.ocr, options.ocr)])


def _texts(context: VisualContext, options: ContextConfig) -> list[Piece]:
    return _each("texts", [(entry.source, entry.text) for entry in _chosen(context.texts, options.texts)])


_COMPOSERS: dict[Source, Callable[[VisualContext, ContextConfig], list[Piece]]] = {
    "captions": _captions,
    "tags": _tags,
    "ocr": _ocr,
    "texts": _texts,
}


def _chosen(entries: Sequence[_Sourced], sources: Sequence[str] | None) -> list[_Sourced]:
    if sources is None:
        return list(entries)
    return [entry for source in sources for entry in entries if entry.source == source]


def _doubt(tag: Tag) -> float:
    """Sorts by confidence, descending; a tag without one was written by hand and counts as certain."""
    return -1.0 if tag.confidence is None else -tag.confidence


def _words(tag: Tag) -> str:
    return tag.text if tag.text is not None else " ".join((*tag.attributes[:ATTRIBUTES], tag.object))


def _each(kind: Source, entries: Sequence[tuple[str, str]]) -> list[Piece]:
    cleaned = [(source, _BLANK.sub(" ", text).strip()) for source, text in entries]
    return [Piece(kind, source, text) for source, text in cleaned if text]


def _joined(kind: Source, entries: Sequence[tuple[str, str]]) -> list[Piece]:
    parts = _each(kind, entries)
    if not parts:
        return []
    sources = "+".join(dict.fromkeys(part.source for part in parts if part.source))
    return [Piece(kind, sources, " ".join(part.text for part in parts))]
