"""Pages: what they say is what went in, nothing is loaded from elsewhere, nothing runs."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mner.evidence import Evidence, Explanation, Match
from mner.show.pages import page, write_pages
from mner.show.picture import BOXES, LONGEST, Embedded, boxes, embed
from mner.types import Caption, ContextText, Entity, OcrText, Prediction, Tag, VisualContext
from mner.views import Piece

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'{{ 7*7 }}&amp;"


def test_page_says_what_went_in(explained: Explanation, parse: Callable[[str], Any]) -> None:
    found = parse(page(explained))
    assert found.text("p.post", without="span.label") == explained.prediction.text
    marks = [found.text(f"mark.c{colour}", without="span.label") for colour in (0, 1)]
    assert marks == ["Love", "Cleveland"]
    rows = [" ".join(found.text(f"tr.c{colour}").split()) for colour in (0, 1, 2)]
    assert rows[0] == (
        "Love PER raised by 29 points with the picture 0.91 without it 0.62 without captions 0.70 without ocr 0.90"
    )
    assert "ORG without the picture" in rows[1]
    assert "“CLEVELAND”" in rows[1]
    assert rows[2].startswith("back ORG lost with the picture −31 points")
    whole = found.text("main")
    for told in ("a dog in the city", "brown small dog", "ready words", "CLEVELAND", "stray", "background words"):
        assert told in whole
    assert "7 sub-tokens of captions" in whole
    assert next(data for path, data in found.texts if path[-1:] == ("title",)) == "42 · mner"


def test_bars_are_as_long_as_the_scores(explained: Explanation, parse: Callable[[str], Any]) -> None:
    fills = [
        attributes for attributes in parse(page(explained)).found("span") if "fill" in (attributes.get("class") or "")
    ]
    assert [fill["style"] for fill in fills] == [
        f"width: {width}%" for width in ("91.0", "62.0", "20.0", "51.0", "88.0", "30.0")
    ]


def test_picture_is_inside_and_small(explained: Explanation, parse: Callable[[str], Any]) -> None:
    found = parse(page(explained))
    (image,) = found.found("img")
    head, _, encoded = str(image["src"]).partition(",")
    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(encoded))).size == (LONGEST, LONGEST // 2)
    assert image["alt"] == "The post's picture: a dog in the city"


def test_boxes_lie_over_the_original_pixels(explained: Explanation, parse: Callable[[str], Any]) -> None:
    found = parse(page(explained))
    (svg,) = found.found("svg")
    assert svg["viewbox"] == "0 0 1000 500"
    drawn = [
        (box["class"], *(float(str(box[side])) for side in ("x", "y", "width", "height")))
        for box in found.found("rect")
    ]
    assert drawn == [
        ("tag", 10, 20, 290, 380),
        ("ocr match", 500, 50, 400, 70),
        ("ocr", 1, 1, 8, 8),
    ]
    assert found.text("text") == "brown small dog"


def test_words_alone_say_why(fallen: Explanation, parse: Callable[[str], Any]) -> None:
    found = parse(page(fallen))
    assert "The model read the words alone: not a JPEG." in found.text("main")
    assert found.found("img") == found.found("svg") == []
    assert [attributes["style"] for attributes in found.found("span") if "style" in attributes] == ["width: 62.0%"]


def test_post_without_entities_says_so(fallen: Explanation, parse: Callable[[str], Any]) -> None:
    empty = replace(fallen, evidence=(), prediction=replace(fallen.prediction, entities=(), text=""))
    assert "No entity was found" in parse(page(empty)).text("main")


def evil(text: str, picture: Any = None) -> Explanation:
    """Every string that may come from outside is the given one."""
    entity = Entity(0, len(text), text, text, 0.5)
    context = VisualContext(
        text,
        tags=(Tag(text, (text,), 0.5, (1, 1, 50, 50), source=text), Tag(text=text)),
        captions=(Caption(text, source=text),),
        ocr=(OcrText(text, 0.5, (5, 5, 90, 90), source=text),),
        texts=(ContextText(text, source=text),),
    )
    row = Evidence(entity, "label changed", 0.2, 0.5, {"captions": 0.1, "tags": 0.3}, text, (Match(text, None, True),))
    prediction = Prediction(text, text, (entity,), "I+T", "used", text, context, text, {text: 3})
    return Explanation(prediction, (row,), (Piece("captions", text, text), Piece("tags", text, text)), picture)


def test_strings_of_others_never_become_markup(
    tmp_path: Path, picture: Image.Image, explained: Explanation, parse: Callable[[str], Any]
) -> None:
    written = write_pages([evil(EVIL, picture)], tmp_path, title=EVIL)
    for path in written:
        found = parse(path.read_text(encoding="utf-8"))
        tags = {name for name, _ in found.elements}
        assert not tags & {"script", "iframe", "object", "link", "base", "form"}
        assert all(not name.startswith("on") for _, attributes in found.elements for name in attributes)
        assert all(str(image["src"]).startswith("data:image/jpeg;base64,") for image in found.found("img"))
        assert EVIL in found.text("h1")
        assert "49" not in found.text("h1")
    found = parse(written[1].read_text(encoding="utf-8"))
    assert found.text("p.post", without="span.label") == EVIL
    assert found.found("img")[0]["alt"] == f"The post's picture: {EVIL}"
    assert found.text("text") == f"{EVIL} {EVIL}"


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path, explained: Explanation, fallen: Explanation) -> None:
    for path in write_pages([explained, fallen], tmp_path):
        text = re.sub(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+", "", path.read_text(encoding="utf-8"))
        assert not re.search(r"https?:|//|url\(|@import|<script|<link", text)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=30))
def test_any_text_survives(parse: Callable[[str], Any], text: str) -> None:
    source = page(evil(text))
    source.encode("utf-8")
    found = parse(source)
    expected = "".join("\ufffd" if (ord(c) < 32 and c not in "\n\t") or c == "\x7f" else c for c in text)
    shown = found.text("p.post", without="span.label")
    assert len(shown) == len(text)
    assert all(a in (b, "\ufffd") for a, b in zip(shown, expected, strict=True))


def test_pages_are_linked_and_written_whole(
    tmp_path: Path, explained: Explanation, fallen: Explanation, parse: Any
) -> None:
    written = write_pages(iter([explained, fallen, explained]), tmp_path / "new", title="dev")
    names = ["index.html", "00001.html", "00002.html", "00003.html"]
    assert [path.name for path in written] == names
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(names)
    index = parse(written[0].read_text(encoding="utf-8"))
    assert [link["href"] for link in index.found("a")] == names[1:]
    assert "3 posts" in index.text("header")
    assert "2 with a picture used" in index.text("header")
    assert "2 label changed" in index.text("header")
    assert len(index.found("img")) == 2
    links = [[link["href"] for link in parse(path.read_text(encoding="utf-8")).found("a")] for path in written[1:]]
    assert links == [
        ["index.html", "00002.html"],
        ["00001.html", "index.html", "00003.html"],
        ["00002.html", "index.html"],
    ]


def test_interrupted_pages_leave_no_part(tmp_path: Path, explained: Explanation) -> None:
    def stopping() -> Iterator[Explanation]:
        yield explained
        yield explained
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pages(stopping(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["00001.html"]


def test_pages_of_an_earlier_run_are_removed(
    tmp_path: Path, explained: Explanation, parse: Callable[[str], Any]
) -> None:
    write_pages([explained] * 5, tmp_path)
    (tmp_path / "00004.html").write_text("<p>mine</p>")
    (tmp_path / "notes.html").write_text("mine, too")
    index, *_ = write_pages([explained] * 2, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "00001.html", "00002.html", "00004.html", "00005.html", "index.html", "notes.html",
    ]  # fmt: skip
    links = parse(index.read_text(encoding="utf-8")).found("a")
    assert [link["href"] for link in links] == ["00001.html", "00002.html"]


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
    found = parse(page(replace(explained, evidence=(row,))))
    assert "".join(text for path, text in found.texts if any("verdict" in name for name in path)) == said


def test_entities_stand_before_what_was_read(explained: Explanation, parse: Callable[[str], Any]) -> None:
    classes = [attributes.get("class") or "" for _, attributes in parse(page(explained)).elements]
    order = [part for name in classes for part in name.split() if part.startswith("at-")]
    assert order == ["at-picture", "at-entities", "at-read"], "the order on a phone"
    assert any("grid few" in name for name in classes)
    many = parse(page(replace(explained, evidence=explained.evidence * 2)))
    assert not any("few" in (attributes.get("class") or "").split() for _, attributes in many.elements)


def test_legend_names_each_label_once(tmp_path: Path, explained: Explanation, parse: Callable[[str], Any]) -> None:
    for path in write_pages([explained, explained], tmp_path):
        legend = parse(path.read_text(encoding="utf-8")).text("p.legend")
        assert legend.count("PER person") == legend.count("LOC location") == 1


def test_no_posts_make_an_index(tmp_path: Path, parse: Callable[[str], Any]) -> None:
    (index,) = write_pages([], tmp_path)
    assert "0 posts" in parse(index.read_text(encoding="utf-8")).text("header")


@pytest.mark.parametrize("source", [None, b"no picture", "nowhere.jpg"])
def test_unusable_picture_is_left_out(source: Any) -> None:
    assert embed(source) is None


def test_small_picture_is_not_blown_up() -> None:
    found = embed(Image.new("RGB", (30, 20)))
    assert found is not None
    assert (found.width, found.height) == (30, 20)
    assert Image.open(io.BytesIO(base64.b64decode(found.uri.partition(",")[2]))).size == (30, 20)


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
    one = Explanation(Prediction("", "", (), "I+T", "used", None, context), ())
    drawn, left_out = boxes(one, Embedded("", 100, 100))
    assert left_out == 0
    assert [(b.x, b.y, b.width, b.height) for b in drawn] == ([expected] if expected else [])


def test_most_certain_boxes_are_drawn_and_the_rest_counted() -> None:
    tags = tuple(Tag(str(n), confidence=n / 100, box=(0, 0, 9, 9)) for n in range(BOXES + 5))
    one = Explanation(Prediction("", "", (), "I+T", "used", None, VisualContext("x", tags=tags)), ())
    drawn, left_out = boxes(one, Embedded("", 100, 100))
    assert left_out == 5
    assert [box.label for box in drawn] == [str(n) for n in range(BOXES + 4, 4, -1)]
