"""The contexts of a post's several pictures <-> one context whose entries say which picture they are from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mner.types import Caption, ContextText, OcrText, Tag, VisualContext

MOST_PICTURES = 16
"""Pictures of one post, unless a caller allows more."""

UNNAMED = "picture"
"""What a picture is called that came without a name."""


def together(contexts: Sequence[VisualContext]) -> VisualContext:
    """One context of a post's pictures; that of a single picture is as it was.

    Its entries carry the place of their picture in ``picture``, from 0. It is "ok" if any of them is, and else what
    became of the first. Its name is all their names, and ``reason`` says of each picture that lacks something why.

    >>> from mner.types import Caption
    >>> read = VisualContext("2.jpg", captions=(Caption("two men"),))
    >>> both = together([VisualContext("1.jpg", status="missing", reason="there is no such picture"), read])
    >>> both.status, both.captions[0].picture, both.reason
    ('ok', 1, 'picture 1 (1.jpg): there is no such picture')
    """
    if len(contexts) == 1:
        return contexts[0]
    read = [(place, context) for place, context in enumerate(contexts) if context.status == "ok"]
    reasons = [
        reason_of(number, context.image, context.reason or context.status)
        for number, context in enumerate(contexts, 1)
        if context.reason is not None or context.status != "ok"
    ]
    return VisualContext(
        ", ".join(context.image for context in contexts),
        tags=tuple(replace(entry, picture=place) for place, context in read for entry in context.tags),
        captions=tuple(replace(entry, picture=place) for place, context in read for entry in context.captions),
        ocr=tuple(replace(entry, picture=place) for place, context in read for entry in context.ocr),
        texts=tuple(replace(entry, picture=place) for place, context in read for entry in context.texts),
        status="ok" if read else contexts[0].status,
        reason="; ".join(reasons) or None,
    )


def reason_of(number: int, image: str | None, reason: str) -> str:
    """Why one of several pictures was not used.

    >>> reason_of(2, "2.jpg", "the picture cannot be read")
    'picture 2 (2.jpg): the picture cannot be read'
    """
    return f"picture {number}: {reason}" if image in (None, UNNAMED) else f"picture {number} ({image}): {reason}"


def apart(context: VisualContext) -> dict[int, VisualContext]:
    """The entries of each picture, as contexts by the picture's place; all of them where there is a single one.

    >>> from mner.types import Caption
    >>> both = VisualContext("1.jpg", captions=(Caption("a dog"), Caption("two men", picture=1)))
    >>> [(place, part.captions[0].text) for place, part in apart(both).items()]
    [(0, 'a dog'), (1, 'two men')]
    """
    entries: tuple[Tag | Caption | OcrText | ContextText, ...]
    entries = (*context.tags, *context.captions, *context.ocr, *context.texts)
    places = sorted({entry.picture for entry in entries})
    if len(places) < 2:
        return dict.fromkeys(places or [0], context)
    return {
        place: replace(
            context,
            tags=tuple(entry for entry in context.tags if entry.picture == place),
            captions=tuple(entry for entry in context.captions if entry.picture == place),
            ocr=tuple(entry for entry in context.ocr if entry.picture == place),
            texts=tuple(entry for entry in context.texts if entry.picture == place),
        )
        for place in places
    }
