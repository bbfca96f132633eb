"""The page of one post: what it says is what went in, and nothing runs."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mner.evidence import Explanation
from mner.show.picture import LONGEST
from mner.show.post import page
from mner.types import Entity


def test_page_says_what_went_in(explained: Explanation, parse: Callable[[str], Any]) -> None:
    parsed = parse(page(explained))
    assert parsed.text("p.post", without="span.label") == explained.prediction.text
    marks = [parsed.text(f"mark.c{colour}", without="span.label") for colour in (0, 1)]
    assert marks == ["Love", "Cleveland"]
    rows = [" ".join(parsed.text(f"tr.c{colour}").split()) for colour in (0, 1, 2)]
    assert rows[0] == (
        "Love PER raised by 29 points with the picture 0.91 without it 0.62 without captions 0.70 without ocr 0.90"
    )
    assert "ORG without the picture" in rows[1]
    assert "“CLEVELAND”" in rows[1]
    assert rows[2].startswith("back ORG lost with the picture −31 points")
    whole = parsed.text("main")
    for words in ("a dog in the city", "brown small dog", "ready words", "CLEVELAND", "stray", "background words"):
        assert words in whole
    assert "7 sub-tokens of captions" in whole
    assert next(data for path, data in parsed.texts if path[-1:] == ("title",)) == "42 · mner"


def test_bars_are_as_long_as_the_scores(explained: Explanation, parse: Callable[[str], Any]) -> None:
    fills = [
        attributes
        for attributes in parse(page(explained)).attributes_of("span")
        if "fill" in (attributes.get("class") or "")
    ]
    assert [fill["style"] for fill in fills] == [
        f"width: {width}%" for width in ("91.0", "62.0", "20.0", "51.0", "88.0", "30.0")
    ]


def test_picture_is_inside_and_small(explained: Explanation, parse: Callable[[str], Any]) -> None:
    parsed = parse(page(explained))
    (image,) = parsed.attributes_of("img")
    head, _, encoded = str(image["src"]).partition(",")
    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(encoded))).size == (LONGEST, LONGEST // 2)
    assert image["alt"] == "The post's picture: a dog in the city"


def test_boxes_lie_over_the_original_pixels(explained: Explanation, parse: Callable[[str], Any]) -> None:
    parsed = parse(page(explained))
    (svg,) = parsed.attributes_of("svg")
    assert svg["viewbox"] == "0 0 1000 500"
    drawn = [
        (box["class"], *(float(str(box[side])) for side in ("x", "y", "width", "height")))
        for box in parsed.attributes_of("rect")
    ]
    assert drawn == [
        ("tag", 10, 20, 290, 380),
        ("ocr", 1, 1, 8, 8),
        ("region c1", 500, 50, 400, 70),
    ]
    assert [box["data-row"] for box in parsed.attributes_of("rect") if "data-row" in box] == ["2"]
    assert "in the picture: “CLEVELAND” (case, 0.97)" in " ".join(parsed.text("th").split())
    assert parsed.text("text") == "brown small dog"


def test_words_alone_say_why(fallen: Explanation, parse: Callable[[str], Any]) -> None:
    parsed = parse(page(fallen))
    assert "The model read the words alone: not a JPEG." in parsed.text("main")
    assert parsed.attributes_of("img") == parsed.attributes_of("svg") == []
    assert [attributes["style"] for attributes in parsed.attributes_of("span") if "style" in attributes] == [
        "width: 62.0%"
    ]


def test_post_without_entities_says_so(fallen: Explanation, parse: Callable[[str], Any]) -> None:
    empty = replace(fallen, evidence=(), prediction=replace(fallen.prediction, entities=(), text=""))
    assert "No entity was found" in parse(page(empty)).text("main")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=30))
def test_any_text_survives(parse: Callable[[str], Any], evil: Callable[..., Explanation], text: str) -> None:
    source = page(evil(text))
    source.encode("utf-8")
    parsed = parse(source)
    expected = "".join("\ufffd" if (ord(c) < 32 and c not in "\n\t") or c == "\x7f" else c for c in text)
    shown = parsed.text("p.post", without="span.label")
    assert len(shown) == len(text)
    assert all(a in (b, "\ufffd") for a, b in zip(shown, expected, strict=True))


@pytest.mark.parametrize(
    ("with_image", "without", "verdict", "said"),
    [
        (0.91, 0.90, "same", "hardly changed +1 point"),
        (0.9, 0.9, "same", "unchanged"),
        (0.5, 0.54, "same", "hardly changed \u22124 points"),
        (0.2, 0.6, "lowered", "lowered by 40 points"),
        (0.9, 0.1, "only with the picture", "only with the picture +80 points"),
    ],
)
def test_what_the_picture_did_is_a_sentence(
    explained: Explanation, parse: Callable[[str], Any], with_image: float, without: float, verdict: Any, said: str
) -> None:
    row = replace(explained.evidence[0], verdict=verdict, with_image=with_image, without_image=without)
    parsed = parse(page(replace(explained, evidence=(row,))))
    assert "".join(text for path, text in parsed.texts if any("verdict" in name for name in path)) == said


def test_gold_entities_show_what_is_wrong_and_what_was_missed(
    explained: Explanation, parse: Callable[[str], Any]
) -> None:
    gold = (
        Entity(0, 4, "Love", "PER", 1.0),
        Entity(8, 12, "back", "LOC", 1.0),
        Entity(16, 25, "Cleveland", "ORG", 1.0),
    )
    parsed = parse(page(replace(explained, gold=gold)))
    rows = [" ".join(parsed.text(f"tr.c{colour}").split()) for colour in (0, 1, 2)]
    assert rows[0].startswith("Love PER correct raised")
    assert rows[1].startswith("Cleveland LOC wrong typegold: Cleveland ORG")
    assert parsed.text("p.missed").split() == ["missed", "back", "LOC"]
    assert "missed" not in parse(page(explained)).text("main")


def test_entity_is_judged_whatever_its_scores_last_digits(explained: Explanation, parse: Callable[[str], Any]) -> None:
    first, *others = explained.evidence
    near = replace(first, entity=replace(first.entity, score=first.entity.score + 1e-9))
    gold = (Entity(0, 4, "Love", "PER", 1.0),)
    parsed = parse(page(replace(explained, evidence=(near, *others), gold=gold)))
    assert " ".join(parsed.text("tr.c0").split()).startswith("Love PER correct raised")


def test_arrays_left_out_are_shown_beside_a_kind_of_text(explained: Explanation, parse: Callable[[str], Any]) -> None:
    (first, *_), pieces = explained.evidence, explained.pieces[:1]
    both = replace(first, without_source={"captions": 0.7, "grid": 0.8})
    text = parse(page(replace(explained, evidence=(both,), pieces=pieces))).text("tr.c0")
    assert "captions" in text and "grid" in text
    alone = replace(first, without_source={"captions": 0.7})
    assert "captions" not in parse(page(replace(explained, evidence=(alone,), pieces=pieces))).text("tr.c0")


def test_entities_stand_before_what_was_read(explained: Explanation, parse: Callable[[str], Any]) -> None:
    classes = [attributes.get("class") or "" for _, attributes in parse(page(explained)).elements]
    order = [part for name in classes for part in name.split() if part.startswith("at-")]
    assert order == ["at-post", "at-picture", "at-entities", "at-read"], "the order on a phone"
    assert any("grid few" in name for name in classes)
    many = parse(page(replace(explained, evidence=explained.evidence * 2)))
    assert not any("few" in (attributes.get("class") or "").split() for _, attributes in many.elements)


def test_each_picture_is_shown_with_its_own_readings(several: Explanation, parse: Callable[[str], Any]) -> None:
    parsed = parse(page(several))
    assert [image["alt"] for image in parsed.attributes_of("img")] == [
        "The post's picture 1: a dog in the city",
        "The post's picture 3: a bus at night",
    ]
    assert [svg["viewbox"] for svg in parsed.attributes_of("svg")] == ["0 0 1000 500", "0 0 100 80"]
    kinds = [box["class"] for box in parsed.attributes_of("rect")]
    assert kinds == ["tag", "ocr", "ocr", "tag", "region c1"], "the text that matches is in the third picture"
    whole = " ".join(parsed.text("main").split())
    for words in (
        "Picture 1 3.jpg: picture used.",
        "Picture 2 4.jpg: picture missing: there is no such picture.",
        "without picture 1 0.87 without picture 2 0.88 without picture 3 0.40",
        "captions 3 a bus at night",
    ):
        assert words in whole
    assert "<strong>0.40</strong>" in page(several), "the picture that mattered stands out"


def test_part_of_one_picture_names_no_number(explained: Explanation) -> None:
    assert "Picture 1" not in page(explained)
