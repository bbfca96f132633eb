"""Entities -> the same with their regions, from what was read from the post's pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from mner.grounding.boxes import Size, inside, sound, union
from mner.grounding.objects import objects_of
from mner.grounding.settings import GroundingSettings
from mner.grounding.texts import PictureTexts
from mner.regions import Region
from mner.types import Entity, OcrText, Tag, VisualContext

MOST = 32
"""Regions of an entity, at most: the best ones."""


def ground(
    entities: Sequence[Entity],
    context: VisualContext | None,
    settings: GroundingSettings,
    *,
    size: Callable[[int], Size | None] = lambda picture: None,
) -> tuple[Entity, ...]:
    """The entities of a post with the regions of its pictures that show them, the best first.

    Regions stay None where nothing was read that has a place: there was nothing to look at.

    Args:
        entities: Of one post.
        context: What was read from its pictures.
        settings: Where to look.
        size: The size of each of the pictures, None where it is not known; boxes are cut to it.

    >>> sign = OcrText("CLEVELAND", confidence=0.98, box=(10, 20, 210, 60), source="rapid")
    >>> city, read = Entity(0, 9, "Cleveland", "LOC", 0.9), VisualContext("1.jpg", ocr=(sign,))
    >>> print(ground([city], read, GroundingSettings())[0].regions[0])
    (10, 20, 210, 60) "CLEVELAND", case 0.98
    """
    if context is None or context.status != "ok" or not _placed(context, settings):
        return tuple(entities)
    sizes: dict[int, Size | None] = {}
    objects = (
        objects_of(entities, context.tags, settings.objects, settings.choice) if "objects" in settings.sources else {}
    )
    texts = PictureTexts(context.ocr, least=settings.least) if "text" in settings.sources else None
    grounded = []
    for place, entity in enumerate(entities):
        regions = list(objects.get(place, ()))
        if texts is not None:
            regions += _texts(entity, context.ocr, texts)
        grounded.append(replace(entity, regions=tuple(islice(_cut(regions, sizes, size), MOST))))
    return tuple(grounded)


def _placed(context: VisualContext, settings: GroundingSettings) -> bool:
    """Whether anything was read that has a place in a picture, from the sources that count."""
    parts: dict[str, Sequence[OcrText | Tag]] = {"text": context.ocr, "objects": context.tags}
    return any(sound(entry.box) is not None for source in settings.sources for entry in parts[source])


def _texts(entity: Entity, lines: Sequence[OcrText], texts: PictureTexts) -> Iterator[Region]:
    for entry in texts.shared(entity.text):
        read = [lines[line] for line in entry.lines]
        boxes = [box for line in read if (box := sound(line.box)) is not None]
        if boxes:
            sure = min(1.0 if line.confidence is None else min(max(line.confidence, 0.0), 1.0) for line in read)
            words = " ".join(line.text for line in read)
            yield Region(union(boxes), read[0].source, sure * entry.likeness, entry.match, words, read[0].picture)


def _cut(
    regions: Sequence[Region], sizes: dict[int, Size | None], size: Callable[[int], Size | None]
) -> Iterator[Region]:
    """The parts of regions that lie in their pictures, the best first; each picture is measured once."""
    for region in sorted(regions, key=lambda region: -region.score):
        if region.picture not in sizes:
            sizes[region.picture] = size(region.picture)
        if (box := inside(region.box, sizes[region.picture])) is not None:
            yield replace(region, box=box)
