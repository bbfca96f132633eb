"""The contact sheet: what it says is what went in, boxes fit the picture, foreign text does no harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mner.show.sheet import BOXES, LONGEST, MOST, write_sheet
from mner.types import Caption, ContextText, OcrText, Tag, VisualContext

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'{{ 7*7 }}\x1b[2J\u202e"


@pytest.fixture
def pics(tmp_path: Path) -> Path:
    folder = tmp_path / "pics"
    folder.mkdir()
    Image.effect_noise((2000, 1000), 90).convert("RGB").save(folder / "1.jpg")
    return folder


def written(parse: Callable[[str], Any], rows: list[VisualContext], pics: Path, **options: Any) -> Any:
    path = pics.parent / "s.html"
    write_sheet(iter(rows), path, images=pics, **options)
    return parse(path.read_text(encoding="utf-8"))


def test_sheet_says_what_was_read_and_draws_boxes(pics: Path, parse: Callable[[str], Any]) -> None:
    row = VisualContext(
        "1.jpg",
        tags=(Tag("dog", ("brown",), 0.91, (100, 50, 300, 400), source="vinvl"), Tag(text="no box")),
        captions=(Caption("a dog in a park", source="catr"),),
        ocr=(OcrText("EXIT", 0.8, (1500, 900, 5000, 5000)),),
        texts=(ContextText("of Berlin", "wiki"),),
        extractor={"name": "mner", "version": "9", "fingerprint": "abc"},
        extra={"edited": True},
    )
    page = written(parse, [row], pics)
    text = page.text("article.card")
    for part in (
        "1.jpg",
        "ok",
        "edited by hand",
        "brown dog",
        "0.91",
        "no box",
        "a dog in a park",
        "EXIT",
        "of Berlin",
    ):
        assert part in text
    assert "mner 9 abc" in text
    (svg,) = page.attributes_of("svg")
    assert svg["viewbox"] == "0 0 2000 1000"
    boxes = [[float(box[side] or 0) for side in ("x", "y", "width", "height")] for box in page.attributes_of("rect")]
    assert boxes == [[100, 50, 200, 350], [1500, 900, 500, 100]]  # the second is cut at the picture's edge


def test_pictures_are_small_and_inside_the_page(pics: Path, parse: Callable[[str], Any]) -> None:
    import base64
    import io

    page = written(parse, [VisualContext("1.jpg")], pics)
    (image,) = page.attributes_of("img")
    content = base64.b64decode((image["src"] or "").partition(",")[2])
    assert max(Image.open(io.BytesIO(content)).size) == LONGEST
    links = {value for _, attributes in page.elements for name, value in attributes.items() if name in {"href", "src"}}
    assert all((value or "").startswith("data:") for value in links)


def test_foreign_text_is_shown_and_never_run(pics: Path, parse: Callable[[str], Any]) -> None:
    row = VisualContext(EVIL, tags=(Tag(text=EVIL, source=EVIL),), captions=(Caption(EVIL),), reason=EVIL)
    page = written(parse, [row], pics, title=EVIL)
    assert not page.attributes_of("script") and not page.attributes_of("img")
    assert "alert(1)" in page.text("article.card") and "{{ 7*7 }}" in page.text("article.card")
    assert "\x1b" not in page.text() and "\u202e" not in page.text()


def test_long_and_many_entries_are_cut_and_counted(pics: Path, parse: Callable[[str], Any]) -> None:
    tags = tuple(Tag(f"thing{number}") for number in range(MOST + 7))
    row = VisualContext("1.jpg", tags=tags, captions=(Caption("word " * 2_000),))
    text = written(parse, [row], pics).text("article.card")
    assert "and 7 more" in text and f"thing{MOST - 1}" in text and f"thing{MOST}" not in text
    assert "(10,000 characters)" in text and len(text) < 3_000


def test_rows_without_a_picture_or_anything_read_have_their_place(pics: Path, parse: Callable[[str], Any]) -> None:
    rows = [VisualContext("gone.jpg", status="missing", reason="no such file"), VisualContext("1.jpg")]
    page = written(parse, rows, pics)
    text = page.text("main.sheet")
    assert "no picture to show" in text and "no such file" in text and "Nothing was read." in text
    assert len(page.attributes_of("article")) == 2


def test_limit_counts_what_is_left_out(pics: Path) -> None:
    rows = [VisualContext(f"{number}.jpg") for number in range(5)]
    out = pics.parent / "s.html"
    assert write_sheet(iter(rows), out, images=pics, limit=2) == (2, 3)
    assert "3 more are not shown" in out.read_text(encoding="utf-8")
    assert write_sheet(iter(rows), out, images=pics, limit=0) == (5, 0)


def test_only_the_surest_boxes_are_drawn(pics: Path, parse: Callable[[str], Any]) -> None:
    tags = tuple(Tag(f"n{number}", confidence=number / 20, box=(0, 0, 9, 9)) for number in range(BOXES + 3))
    page = written(parse, [VisualContext("1.jpg", tags=tags)], pics)
    assert len(page.attributes_of("rect")) == BOXES
    assert "3 more objects are listed below" in page.text("article.card")
    assert "n10" in page.text("svg") and "n2" not in page.text("svg")


def test_labels_of_boxes_stay_inside_the_picture(pics: Path, parse: Callable[[str], Any]) -> None:
    tags = (
        Tag("bottle", ("small", "gray"), 0.9, (1900, 400, 1990, 600)),
        Tag("dog", (), 0.8, (1995, 995, 2000, 1000)),
        Tag("a " * 100, (), 0.7, (1000, 0, 1100, 100)),
        Tag("cat", (), 0.6, (100, 100, 900, 900)),
    )
    page = written(parse, [VisualContext("1.jpg", tags=tags)], pics)
    size = 2000 / 340 * 12
    texts = [[float(label[side] or 0) for side in ("x", "y")] for label in page.attributes_of("text")]
    for (x, y), letters in zip(texts[:2], (17, 3), strict=True):
        assert x > 0 and x + 0.62 * size * letters < 2000 and y < 1000
    assert 0 < texts[2][0] < 100  # a label wider than the picture begins at its left edge
    assert texts[3][0] == pytest.approx(100 + 2000 / 340 * 5)  # others stand in their box
