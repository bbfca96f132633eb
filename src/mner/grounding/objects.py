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

_Kinds = frozenset[str]
"""The names of objects that an entity can be."""


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
    kinds = {label.casefold(): frozenset(name.casefold() for name in names) for label, names in objects.items()}
    classes = [kinds.get(entity.label.casefold(), frozenset()) for entity in entities]
    return _only(entities, classes, tags) if choice == "only" else _surest(entities, classes, tags)


def _only(entities: Sequence[Entity], classes: Sequence[_Kinds], tags: Sequence[Tag]) -> dict[int, list[Region]]:
    rivals: dict[_Kinds, set[str]] = {own: set() for own in classes}
    for name, others in set(zip(map(_name, entities), classes, strict=True)):
        for own, names in rivals.items():
            if own & others:
                names.add(name)
    regions: dict[_Kinds, list[Region]] = {}
    for own, names in rivals.items():
        if len(names) == 1:
            things = _things([tag for tag in tags if own & _called(tag)], most=2)
            alone = [(picture, alike[0]) for picture, alike in things.items() if len(alike) == 1]
            regions[own] = [_region(tag, box, own, picture, "only") for picture, (tag, box) in alone]
    return {place: regions[own] for place, own in enumerate(classes) if own in regions}


def _surest(entities: Sequence[Entity], classes: Sequence[_Kinds], tags: Sequence[Tag]) -> dict[int, list[Region]]:
    names = list(zip(map(_name, entities), classes, strict=True))
    distinct = dict.fromkeys(names)
    regions: dict[tuple[str, _Kinds], list[Region]] = {}
    wanted = frozenset[str]().union(*classes)
    for picture, things in _things([tag for tag in tags if wanted & _called(tag)]).items():
        free = [(thing, _called(thing[0])) for thing in things]
        taken: dict[str, tuple[tuple[Tag, Box], set[str]]] = {}
        for name, own in distinct:
            thing = taken.get(name) or next((each for each in free if own & each[1]), None)
            if thing is not None and own & thing[1]:
                taken[name] = thing
                free = [each for each in free if each is not thing]
                regions.setdefault((name, own), []).append(_region(*thing[0], own, picture, "surest"))
    return {place: regions[name] for place, name in enumerate(names) if name in regions}


def _name(entity: Entity) -> str:
    return letters_of("".join(entity.text.split())).casefold()


def _called(tag: Tag) -> set[str]:
    """An object's name, and the noun that ends it: "baseball player" is a player."""
    name = (tag.object or tag.text or "").casefold().split()
    return {" ".join(name), *name[-1:]}


def _things(tags: Sequence[Tag], *, most: int | None = None) -> dict[int, list[tuple[Tag, Box]]]:
    """The ``most`` surest objects in each picture, or all, with their boxes; of two names for one thing the surer."""
    things: dict[int, list[tuple[Tag, Box]]] = {}
    for tag in sorted(tags, key=lambda tag: -_confidence(tag)):
        others = things.setdefault(tag.picture, [])
        if len(others) == most:
            continue
        box = sound(tag.box)
        if box is not None and all(overlap(box, other) < SAME for _, other in others):
            others.append((tag, box))
    return things


def _confidence(tag: Tag) -> float:
    return 1.0 if tag.confidence is None else min(max(tag.confidence, 0.0), 1.0)


def _region(tag: Tag, box: Box, own: _Kinds, picture: int, choice: Choice) -> Region:
    kind = min(own & _called(tag), key=len)
    words = tag.object or tag.text or ""
    return Region(box, tag.source, _confidence(tag), f"{choice} {kind}", words, picture)
