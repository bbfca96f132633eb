"""Pictures inside of pages: small, and with boxes that stay inside of them."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from mner.evidence import Explanation
from mner.regions import Region
from mner.show.picture import BOXES, Embedded, boxes, embed, embed_all
from mner.types import Prediction, Tag, VisualContext


@pytest.mark.parametrize("source", [None, b"no picture", "nowhere.jpg"])
def test_unusable_picture_is_left_out(source: Any) -> None:
    assert embed(source) is None


def test_small_picture_is_not_blown_up() -> None:
    embedded = embed(Image.new("RGB", (30, 20)))
    assert embedded is not None
    assert (embedded.width, embedded.height) == (30, 20)
    assert Image.open(io.BytesIO(base64.b64decode(embedded.uri.partition(",")[2]))).size == (30, 20)


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((-5, -5, 50, 50), (0, 0, 50, 50)),
        ((90, 90, 500, 500), (90, 90, 10, 10)),
        ((50, 50, 50, 80), None),
        ((60, 60, 50, 80), None),
        ((200, 200, 300, 300), None),
        ((float("nan"), 0, 1, 1), None),
        ((0, 0, float("inf"), 1), None),
    ],
)
def test_box_is_kept_inside_the_picture(box: Any, expected: Any) -> None:
    context = VisualContext("x", tags=(Tag("dog", box=box),))
    explanation = Explanation(Prediction("", "", (), "I+T", "used", None, context), ())
    drawn, left_out = boxes(explanation, Embedded("", 100, 100))
    assert left_out == 0
    assert [(b.x, b.y, b.width, b.height) for b in drawn] == ([expected] if expected else [])


def test_most_certain_boxes_are_drawn_and_the_rest_counted() -> None:
    tags = tuple(Tag(str(n), confidence=n / 100, box=(0, 0, 9, 9)) for n in range(BOXES + 5))
    explanation = Explanation(Prediction("", "", (), "I+T", "used", None, VisualContext("x", tags=tags)), ())
    drawn, left_out = boxes(explanation, Embedded("", 100, 100))
    assert left_out == 5
    assert [box.label for box in drawn] == [str(n) for n in range(BOXES + 4, 4, -1)]


def test_regions_take_the_place_of_readings_and_name_their_entity(explained: Explanation) -> None:
    love, *rest = explained.evidence
    dog = Region((10, 20, 300, 400), "nanodet", 0.9, "only dog", "dog")
    both = Region((500, 50, 900, 200), "rapid", 0.97, "case", "CLEVELAND stray")
    evidence = (replace(love, entity=replace(love.entity, regions=(dog, both))), *rest)
    drawn, left_out = boxes(replace(explained, evidence=evidence), Embedded("", 1000, 500))
    assert left_out == 0
    assert [(box.kind, box.label, box.name, box.row) for box in drawn] == [
        ("ocr", "stray", "", None),
        ("region", "Love: dog, only dog", "Love", 0),  # in place of the dog's own box
        ("region", "Love: CLEVELAND stray, case", "", 0),
        ("region", "Cleveland: CLEVELAND, case", "", 2),
    ]
    assert [box.colour for box in drawn] == [None, 0, 0, 1]


def test_a_region_is_cut_to_the_picture_or_left_out(explained: Explanation) -> None:
    drawn, _ = boxes(explained, Embedded("", 600, 100))
    assert [(box.x, box.y, box.width, box.height) for box in drawn if box.kind == "region"] == [(500, 50, 100, 50)]
    assert [box.kind for box in boxes(explained, Embedded("", 400, 100))[0]] == ["tag", "ocr"]


def test_boxes_are_those_of_the_picture(several: Explanation) -> None:
    first, second, third = embed_all(several)
    assert first is not None and second is None and third is not None
    assert [box.label for box in boxes(several, first)[0]] == ["brown small dog", "CLEVELAND", "stray"]
    assert [box.label for box in boxes(several, third, 2)[0]] == ["bus", "Cleveland: CLEVELAND, case"]
    assert boxes(several, first, 1) == ([], 0)
