"""Entities get the regions that show them; nothing read means that nobody looked."""

from __future__ import annotations

from mner.grounding import GroundingSettings, ground
from mner.grounding.ground import MOST
from mner.types import Caption, Entity, OcrText, Tag, VisualContext

CITY = Entity(0, 9, "Cleveland", "LOC", 0.9)
MAN = Entity(13, 23, "Kevin Love", "PER", 0.9)
SIGN = OcrText("CLEVELAND", confidence=0.9, box=(10, 20, 210, 60), source="rapid")
PERSON = Tag("person", confidence=0.8, box=(0, 0, 50, 90), source="nanodet")
ON = GroundingSettings()


def test_regions_come_from_texts_and_objects() -> None:
    context = VisualContext("1.jpg", tags=(PERSON,), ocr=(SIGN, OcrText("LOVE 42", box=(5, 5, 40, 20), source="rapid")))
    city, man = ground([CITY, MAN], context, ON)
    assert city.regions is not None and man.regions is not None
    assert [(region.match, region.source, region.score) for region in city.regions] == [("case", "rapid", 0.9)]
    assert [region.match for region in man.regions] == ["only person"]  # of LOVE 42 the name is not all
    assert (city.text, city.score) == (CITY.text, CITY.score)


def test_an_entity_that_is_not_in_the_picture_has_an_empty_list() -> None:
    (man,) = ground([MAN], VisualContext("1.jpg", ocr=(SIGN,)), ON)
    assert man.regions == ()


def test_nobody_looked_where_nothing_has_a_place() -> None:
    for context in (
        None,
        VisualContext("1.jpg", captions=(Caption("a man in Cleveland"),)),
        VisualContext("1.jpg", ocr=(OcrText("CLEVELAND"),)),
        VisualContext("1.jpg", ocr=(OcrText("CLEVELAND", box=(9, 9, 1, 1)),)),
        VisualContext("1.jpg", ocr=(SIGN,), status="placeholder"),
    ):
        assert ground([CITY], context, ON)[0].regions is None


def test_sources_may_be_left_out() -> None:
    context = VisualContext("1.jpg", tags=(PERSON,), ocr=(SIGN,))
    city, man = ground([CITY, MAN], context, GroundingSettings(sources=("text",)))
    assert city.regions and man.regions == ()
    city, man = ground([CITY, MAN], context, GroundingSettings(sources=("objects",)))
    assert man.regions and city.regions == ()
    assert ground([CITY], context, GroundingSettings(sources=()))[0].regions is None


def test_score_is_the_readings_confidence_times_the_likeness() -> None:
    misread = OcrText("CLEVELANO", confidence=0.9, box=(10, 20, 210, 60), source="rapid")
    (city,) = ground([CITY], VisualContext("1.jpg", ocr=(misread,)), ON)
    assert city.regions is not None
    assert city.regions[0].score == 0.9 * (8 / 9)
    over = OcrText("CLEVELAND", confidence=99.0, box=(10, 20, 210, 60))
    (city,) = ground([CITY], VisualContext("1.jpg", ocr=(over,)), ON)
    assert city.regions is not None and city.regions[0].score == 1.0


def test_lines_are_joined_in_one_box() -> None:
    lines = (
        OcrText("KEVIN", confidence=0.9, box=(10, 10, 60, 20), source="rapid"),
        OcrText("LOVE", confidence=0.8, box=(12, 22, 70, 34), source="rapid"),
    )
    (man,) = ground([MAN], VisualContext("1.jpg", ocr=lines), ON)
    assert man.regions is not None
    assert [(region.box, region.text, region.score) for region in man.regions] == [
        ((10, 10, 70, 34), "KEVIN LOVE", 0.8)
    ]


def test_boxes_outside_the_picture_are_cut_or_dropped() -> None:
    lines = (SIGN, OcrText("Cleveland", box=(500, 500, 600, 600)))
    (city,) = ground([CITY], VisualContext("1.jpg", ocr=lines), ON, size=lambda picture: (100, 50))
    assert city.regions is not None and [region.box for region in city.regions] == [(10, 20, 100, 50)]


def test_each_picture_has_its_size_and_is_measured_once() -> None:
    measured = []

    def size(picture: int) -> tuple[int, int]:
        measured.append(picture)
        return ((100, 50), (400, 400))[picture]

    other = OcrText("CLEVELAND", box=(10, 20, 210, 60), picture=1)
    cities = ground([CITY, CITY], VisualContext("1.jpg", ocr=(SIGN, other)), ON, size=size)
    assert measured == [1, 0] or measured == [0, 1]
    for city in cities:
        assert city.regions is not None
        assert {region.picture: region.box[2] for region in city.regions} == {0: 100, 1: 210}


def test_pictures_are_not_measured_where_nothing_matches() -> None:
    def size(picture: int) -> None:
        raise AssertionError("the picture was opened")

    assert ground([MAN], VisualContext("1.jpg", ocr=(SIGN,)), ON, size=size)[0].regions == ()


def test_an_entity_has_the_best_regions_where_there_are_very_many() -> None:
    lines = tuple(OcrText("CLEVELAND", confidence=at / 100, box=(0, at, 9, at + 1)) for at in range(100))
    people = tuple(Tag("person", confidence=at / 100, box=(0, 0, 9, 9), picture=at) for at in range(100))
    context = VisualContext("1.jpg", ocr=lines, tags=people)
    city, man = ground([CITY, MAN], context, ON)
    assert city.regions is not None and len(city.regions) == MOST
    assert [region.score for region in man.regions or ()] == [at / 100 for at in range(99, 99 - MOST, -1)]
