"""What was read from a picture: its tags, captions and texts, and all of them as one context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mner.regions import Box

ContextStatus = Literal["ok", "placeholder", "unreadable", "missing", "too_large", "timeout", "skipped"]
"""What became of one picture when its context was made."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One detected object with the attributes that precede it, or a ready ``text`` instead of both.

    ``picture`` says, here and in the other entries, which of the post's pictures it was read from; 0 is the first one.

    >>> VisualContext("1.jpg", tags=(Tag("shirt", ("red",), confidence=0.9), Tag(text="two men"))).tags[0].attributes
    ('red',)
    """

    object: str = ""
    attributes: tuple[str, ...] = ()
    confidence: float | None = None
    box: Box | None = None
    text: str | None = None
    source: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    picture: int = 0


@dataclass(frozen=True, slots=True)
class Caption:
    """One sentence about the whole picture; ``score`` is the captioner's own, if it gives one.

    >>> VisualContext("1.jpg", captions=(Caption("two men on a stage", source="by hand"),)).captions[0].text
    'two men on a stage'
    """

    text: str
    score: float | None = None
    source: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    picture: int = 0


@dataclass(frozen=True, slots=True)
class OcrText:
    """One line or word that an OCR engine read.

    >>> OcrText("CLEVELAND", confidence=0.98, box=(10, 20, 210, 60)).box
    (10, 20, 210, 60)
    """

    text: str
    confidence: float | None = None
    box: Box | None = None
    source: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    picture: int = 0


@dataclass(frozen=True, slots=True)
class ContextText:
    """Retrieved or background text that belongs to a picture or a post.

    >>> VisualContext("1.jpg", texts=(ContextText("The Cavaliers play in Cleveland."),)).empty
    False
    """

    text: str
    source: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    picture: int = 0


@dataclass(frozen=True, slots=True)
class VisualContext:
    """Everything that was read from one picture, which is one row of the visual-context artefact, or from several.

    ``extractor`` has the keys name, version and fingerprint. ``extra`` holds unknown keys of the row,
    which are written back unchanged.

    >>> VisualContext("1.jpg", captions=(Caption("two men on a stage"),), ocr=(OcrText("CLEVELAND"),)).empty
    False
    """

    image: str
    tags: tuple[Tag, ...] = ()
    captions: tuple[Caption, ...] = ()
    ocr: tuple[OcrText, ...] = ()
    texts: tuple[ContextText, ...] = ()
    extractor: Mapping[str, str] | None = None
    sha256: str | None = None
    status: ContextStatus = "ok"
    reason: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """True when nothing at all was read."""
        return not (self.tags or self.captions or self.ocr or self.texts)
