"""Entities -> the detected objects that they may be: where there is one choice only, or by turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from mner.grounding.boxes import overlap, sound
from mner.grounding.texts import letters_of
from mner.regions import Box, Region
from mner.types import Entity, Tag

SAME = 0.5
"""Least intersection over union of two boxes around one thing, such as "man" and "player"."""


Choice = Literal["only", "surest"]
"""Which object an entity gets: the only one that it can be, or the surest that no earlier name has."""


def objects_of(
    entities: Sequence[Entity], tags: Sequence[Tag], objects: Mapping[str, Sequence[str]], choice: Choice = "only"
) -> dict[int, list[Region]]:
    """The regions of entities, by place, among the objects in each picture.

    "only": an entity gets an object if no other name in the post could be one of its kind, and no other object in that
    picture is. "surest": each name, in the order of the post, gets the surest object of its kind that no earlier name
    has; a guess. Two entities with the same letters are one name, and two boxes that overlap by half one object.

    Args:
        entities: Of one post.
        tags: The detected objects.
        objects: By label, the names of objects that an entity of that type can be.
        choice: Which object an entity gets.

    >>> man = Tag("person", confidence=0.8, box=(10, 10, 60, 90), source="nanodet")
    >>> print(objects_of([Entity(0, 5, "Kevin", "PER", 0.9)], [man], {"PER": ["person"]})[0][0])
    (10, 10, 60, 90) "person", only person 0.80
    """
    kinds = {label.casefold(): {name.casefold() for name in names} for label, names in objects.items()}
    classes = [kinds.get(entity.label.casefold(), set()) for entity in entities]
    return _only(entities, classes, tags) if choice == "only" else _surest(entities, classes, tags)


def _only(entities: Sequence[Entity], classes: Sequence[set[str]], tags: Sequence[Tag]) -> dict[int, list[Region]]:
    regions: dict[int, list[Region]] = {}
    for place, own in enumerate(classes):
        rivals = {_name(entity) for entity, others in zip(entities, classes, strict=True) if own & others}
        if len(rivals) == 1:
            things = _things([tag for tag in tags if own & _called(tag)])
            chosen = [(picture, alike[0]) for picture, alike in things.items() if len(alike) == 1]
            regions[place] = [_region(tag, box, own, picture, "only") for picture, (tag, box) in chosen]
    return regions


def _surest(entities: Sequence[Entity], classes: Sequence[set[str]], tags: Sequence[Tag]) -> dict[int, list[Region]]:
    regions: dict[int, list[Region]] = {}
    for picture, things in _things([tag for tag in tags if any(own & _called(tag) for own in classes)]).items():
        free = list(things)
        taken: dict[str, tuple[Tag, Box]] = {}
        for place, (entity, own) in enumerate(zip(entities, classes, strict=True)):
            thing = taken.get(name := _name(entity)) or next((each for each in free if own & _called(each[0])), None)
            if thing is not None and own & _called(thing[0]):
                taken[name] = thing
                free = [each for each in free if each is not thing]
                regions.setdefault(place, []).append(_region(*thing, own, picture, "surest"))
    return regions


def _name(entity: Entity) -> str:
    return letters_of("".join(entity.text.split())).casefold()


def _called(tag: Tag) -> set[str]:
    """An object's name, and the noun that ends it: "baseball player" is a player."""
    name = (tag.object or tag.text or "").casefold().split()
    return {" ".join(name), *name[-1:]}


def _things(tags: Sequence[Tag]) -> dict[int, list[tuple[Tag, Box]]]:
    """The objects in each picture with their boxes, without the less certain of two names for one thing."""
    things: dict[int, list[tuple[Tag, Box]]] = {}
    for tag in sorted(tags, key=lambda tag: -_confidence(tag)):
        others = things.setdefault(tag.picture, [])
        box = sound(tag.box)
        if box is not None and all(overlap(box, other) < SAME for _, other in others):
            others.append((tag, box))
    return things


def _confidence(tag: Tag) -> float:
    return 1.0 if tag.confidence is None else min(max(tag.confidence, 0.0), 1.0)


def _region(tag: Tag, box: Box, own: set[str], picture: int, choice: Choice) -> Region:
    kind = min(own & _called(tag), key=len)
    words = tag.object or tag.text or ""
    return Region(box, tag.source, _confidence(tag), f"{choice} {kind}", words, picture)
