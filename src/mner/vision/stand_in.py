"""Captions of pictures -> object tags that stand in for a detector's, where there are no pictures at hand.

They say only what the captions say, in a detector's words: a row that reads them says "stand-in" beside its score.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from importlib.metadata import version

from mner.types import Caption, Tag, VisualContext
from mner.vision import nouns

VERSION = 1
SOURCE = "nouns"


def tags_of_captions(
    contexts: Iterable[VisualContext], *, captions: Collection[str] | None = None
) -> Iterator[VisualContext]:
    """The same rows, their tags replaced by the objects that captions name; captions and OCR stay.

    An object is there as often as the caption that counts most of it says at least. Its confidence is the share of
    the captions that name it; equal ones keep the order in which they are named.

    Args:
        contexts: Rows with captions.
        captions: Sources whose captions are read; None reads all.
    """
    for context in contexts:
        told = [one for one in context.captions if captions is None or one.source in captions]
        made = {"name": "mner-nouns", "version": version("mner"), "fingerprint": f"nouns-{VERSION}"}
        yield replace(context, tags=tuple(_tags(told)), extractor=made)


def _tags(captions: Collection[Caption]) -> list[Tag]:
    named = [nouns.objects(one.text) for one in captions]
    names = dict.fromkeys(name for one in named for name in one)
    tags = []
    for name in names:
        counts = [one[name][0] for one in named if name in one]
        confidence = round(len(counts) / len(named), 4)
        tags += [Tag(name, confidence=confidence, source=SOURCE)] * max(counts)
    return sorted(tags, key=lambda tag: -(tag.confidence or 0))
