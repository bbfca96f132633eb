from __future__ import annotations

from mner.types import Caption, OcrText, Tag, VisualContext
from mner.vision.stand_in import SOURCE, tags_of_captions


def row(*told: tuple[str, str]) -> VisualContext:
    captions = tuple(Caption(text, source=source) for source, text in told)
    return VisualContext("1.jpg", tags=(Tag("boat"),), captions=captions, ocr=(OcrText("SALE"),))


def names(context: VisualContext) -> list[tuple[str, float | None]]:
    return [(tag.object, tag.confidence) for tag in context.tags]


def test_objects_stand_as_often_as_counted_and_the_surest_first() -> None:
    given = row(("a", "a dog near two men"), ("b", "a man and a woman and another woman"))
    (found,) = tags_of_captions([given])
    assert names(found) == [("person", 1.0), ("person", 1.0), ("person", 1.0), ("dog", 0.5)]
    assert {tag.source for tag in found.tags} == {SOURCE}
    assert (found.captions, found.ocr) == (given.captions, given.ocr)


def test_only_the_chosen_captions_are_read() -> None:
    (found,) = tags_of_captions([row(("a", "a dog"), ("b", "a car"))], captions=["b"])
    assert names(found) == [("car", 1.0)]


def test_nothing_comes_of_captions_that_name_no_object() -> None:
    assert [one.tags for one in tags_of_captions([row(("a", "Kevin Love at Wembley")), row()])] == [(), ()]
