"""Objects that leave one choice, and objects by turns."""

from __future__ import annotations

import pytest

from mner.grounding import boxes, texts
from mner.grounding.objects import Choice, objects_of
from mner.grounding.settings import GroundingSettings
from mner.types import Box, Entity, Tag

OBJECTS = GroundingSettings().objects
MAN = Tag("person", confidence=0.8, box=(10, 10, 60, 90), source="nanodet")
WOMAN = Tag("person", confidence=0.7, box=(100, 10, 160, 90), source="nanodet")
DOG = Tag("dog", confidence=0.9, box=(0, 50, 40, 90), source="nanodet")


def entity(text: str, label: str = "PER") -> Entity:
    return Entity(0, len(text), text, label, 0.9)


def matched(entities: list[Entity], *tags: Tag) -> list[list[str]]:
    regions = objects_of(entities, tags, OBJECTS)
    return [[str(region) for region in regions.get(place, ())] for place in range(len(entities))]


def test_one_name_and_one_person_leave_one_choice() -> None:
    regions = objects_of([entity("Kevin Love"), entity("Cleveland", "LOC")], [DOG, MAN], OBJECTS)
    assert list(regions) == [0]
    (region,) = regions[0]
    assert (region.box, region.source, region.score, region.match) == (MAN.box, "nanodet", 0.8, "only person")
    assert (region.text, region.picture) == ("person", 0)


def test_two_names_or_two_people_leave_more() -> None:
    assert matched([entity("Kevin Love"), entity("LeBron")], MAN) == [[], []]
    assert matched([entity("Kevin Love")], MAN, WOMAN) == [[]]
    assert matched([entity("Kevin Love")]) == [[]]


def test_one_name_written_twice_is_one() -> None:
    assert [len(regions) for regions in matched([entity("Kevin Love"), entity("@KevinLove")], MAN)] == [1, 1]


def test_two_names_of_one_thing_are_one_object() -> None:
    player = Tag("baseball player", confidence=0.6, box=(12, 12, 60, 88), source="vinvl")
    assert matched([entity("Kevin")], MAN, player) == [['(10, 10, 60, 90) "person", only person 0.80']]
    assert matched([entity("Kevin")], player) == [['(12, 12, 60, 88) "baseball player", only player 0.60']]


def test_each_picture_is_counted_by_itself() -> None:
    other = Tag("person", confidence=0.6, box=(0, 0, 9, 9), picture=1)
    regions = objects_of([entity("Kevin")], [MAN, other], OBJECTS)[0]
    assert [(region.box, region.picture) for region in regions] == [(MAN.box, 0), (other.box, 1)]


def test_labels_and_objects_are_settings() -> None:
    animals = {"animal": ("Dog", "cat"), "breed": ("dog",)}
    assert objects_of([entity("Rex", "ANIMAL")], [DOG], animals)[0][0].match == "only dog"
    assert objects_of([entity("Rex")], [DOG], animals) == {}
    rivals = objects_of([entity("Rex", "animal"), entity("Spaniel", "breed")], [DOG], animals)
    assert rivals == {}


@pytest.mark.parametrize("box", [None, (1, 2, 3), (9, 9, 1, 1), (0, 0, float("nan"), 5)])
def test_objects_without_a_sound_box_are_none(box: object) -> None:
    assert matched([entity("Kevin")], Tag("person", box=box)) == [[]]  # type: ignore[arg-type]


def test_a_ready_text_is_a_name_too() -> None:
    assert matched([entity("Kevin")], Tag(text="tall man", box=(0, 0, 5, 5))) == [
        ['(0, 0, 5, 5) "tall man", only man 1.00']
    ]


def by_turns(entities: list[Entity], *tags: Tag) -> list[list[str]]:
    regions = objects_of(entities, tags, OBJECTS, "surest")
    return [[region.match for region in regions.get(place, ()) if region.box] for place in range(len(entities))]


def test_names_get_the_surest_objects_by_turns() -> None:
    love, james, city = entity("Kevin Love"), entity("LeBron"), entity("Cleveland", "LOC")
    regions = objects_of([love, city, james], [WOMAN, DOG, MAN], OBJECTS, "surest")
    assert {place: [region.box for region in chosen] for place, chosen in regions.items()} == {
        0: [MAN.box],
        2: [WOMAN.box],
    }
    assert by_turns([love, james], MAN) == [["surest person"], []]


def test_one_name_written_twice_gets_one_object_by_turns() -> None:
    regions = objects_of(
        [entity("Kevin Love"), entity("@KevinLove"), entity("LeBron")], [MAN, WOMAN], OBJECTS, "surest"
    )
    assert [regions[place][0].box for place in (0, 1, 2)] == [MAN.box, MAN.box, WOMAN.box]


def test_each_picture_takes_turns_by_itself() -> None:
    other = Tag("person", confidence=0.6, box=(0, 0, 9, 9), picture=1)
    regions = objects_of([entity("Kevin"), entity("LeBron")], [MAN, other], OBJECTS, "surest")
    assert [(region.box, region.picture) for region in regions[0]] == [(MAN.box, 0), (other.box, 1)]
    assert 1 not in regions


def test_nobody_gets_an_object_of_another_kind() -> None:
    assert by_turns([entity("Rex"), entity("Cleveland", "LOC")], DOG) == [[], []]


@pytest.mark.parametrize(("choice", "most"), [("only", 1), ("surest", 440 * 439 // 2)])
def test_objects_are_compared_once_however_many_names_there_are(
    choice: Choice, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared, named = 0, 0

    def overlap(box: Box, other: Box) -> float:
        nonlocal compared
        compared += 1
        return boxes.overlap(box, other)

    def letters_of(word: str) -> str:
        nonlocal named
        named += 1
        return texts.letters_of(word)

    monkeypatch.setattr("mner.grounding.objects.overlap", overlap)
    monkeypatch.setattr("mner.grounding.objects.letters_of", letters_of)
    people = [Tag("person", box=(2 * at, 0, 2 * at + 1, 1)) for at in range(440)]
    regions = objects_of([entity("Kevin")] * 1_000, people, OBJECTS, choice)
    assert (compared, named) == (most, 1_000)
    shown = [people[0].box] if choice == "surest" else []
    assert [[region.box for region in regions[place]] for place in range(1_000)] == [shown] * 1_000
