"""Every kind of page, whatever the strings that come from outside: the same elements, and the same words in them."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from mner.analysis.parts.f1_summary import F1Summary
from mner.analysis.parts.report import (
    Bars,
    Case,
    Column,
    Examples,
    Kind,
    Lines,
    Point,
    Reading,
    Report,
    Table,
)
from mner.evidence import Evidence, Explanation, Match
from mner.safe_text import shown
from mner.show import analysis, tables
from mner.show.gallery import write_gallery
from mner.show.pages import write_pages
from mner.show.sheet import write_sheet
from mner.show.terminal import explanation
from mner.types import Caption, ContextText, Entity, OcrText, Prediction, Span, Tag, VisualContext
from mner.views import Piece

PICTURE = Image.new("RGB", (90, 60), (30, 90, 200))
HOSTILE = (
    "<script>alert(1)</script>", "</title>", "</style>", "<!--", "]]>", '"', "'", " onload=x", "<img src=x onerror=y>",
    "&lt;", "&", "{{ 7*7 }}", "{% raw %}", "{#", "javascript:x", "%s", "{x}", "\\", "\x1b[31m", "\x1b]0;x\x07", "\x00",
    "\x9b", "\r", "\n", "\t", "\u202e", "\u2066", "\u200f", "\u05d0\u0628", "\ud800", "\ufeff", "\u2028", "\U0001f30a",
)  # fmt: skip
STRINGS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=5), min_size=1, max_size=6).map("".join)
"""Strings as a post, a label, a caption, a text in a picture or a file's name may hold them."""


def explained(text: str) -> Explanation:
    words = f"{text} and more"
    entity = Entity(0, len(text), text, text, 0.5)
    context = VisualContext(
        text,
        tags=(Tag(text, (text,), 0.5, (1, 1, 50, 50), source=text), Tag(text=text)),
        captions=(Caption(text, source=text),),
        ocr=(OcrText(text, 0.5, (5, 5, 80, 50), source=text),),
        texts=(ContextText(text, source=text),),
    )
    row = Evidence(entity, "label changed", 0.2, 0.5, {"captions": 0.1, "tags": 0.3}, text, (Match(text, None, True),))
    prediction = Prediction(text, words, (entity,), "I+T", "used", text, context, text, {"captions": 3})
    return Explanation(prediction, (row,), (Piece("captions", text, text), Piece("tags", text, text)), PICTURE)


def explanation_pages(text: str, folder: Path) -> list[str]:
    fallen = Explanation(Prediction(text, text, (), "T", "unreadable", text), (), ())
    written = write_pages([explained(text), fallen], folder, title=text)
    return [path.read_text(encoding="utf-8") for path in written]


def gallery_pages(text: str, folder: Path) -> list[str]:
    """What stands around the posts, and what is drawn of each when it is shown."""
    fallen = Explanation(Prediction(text, text, (), "T", "unreadable", text), (), (), None, ())
    gold = (Entity(0, 1, text, text, 1.0),)
    path = write_gallery([replace(explained(text), gold=gold), fallen], folder / "page.html", title=text)
    page = path.read_text(encoding="utf-8")
    posts = [
        json.loads(block) for block in re.findall(r'<script type="application/json" id="p\d+">(.*)</script>', page)
    ]
    assert len(posts) == 2
    return [re.sub("(?s)<script.*?</script>", "", page), *(post[part] for post in posts for part in ("row", "post"))]


def sheet_pages(text: str, folder: Path) -> list[str]:
    context = explained(text).prediction.context
    assert context is not None
    PICTURE.save(folder / "1.png")
    seen = VisualContext("1.png", context.tags, context.captions, context.ocr, context.texts, extractor={"name": text})
    gone = VisualContext(text, status="missing", reason=text)
    write_sheet([seen, gone], folder / "sheet.html", images=folder, title=text)
    return [(folder / "sheet.html").read_text(encoding="utf-8")]


def analysis_pages(text: str, folder: Path) -> list[str]:
    whole, f1 = Span(0, 1, text), F1Summary((1.0,), 1.0, None, text)
    reading = Reading(text, (whole,), True)
    match = (whole, Match(text, None, True))
    case = Case("helped", text, (text, "more"), text, (whole,), (reading,), (Piece("ocr", text, text),), (match,))
    report = Report(
        "cases",
        f"On {text}",
        text,
        (),
        (Table(text, (Column(text), Column("count"), Column("F1")), ((text, "1", f1), (text, "2", None)), text),),
        (
            Lines(text, text, text, ((text, (Point(0, 1, text), Point(1, 2, text))),)),
            Bars(text, text, (text,), ((text, (1.0,)),)),
        ),
        ((text, text),),
        (Examples(text, (Kind("helped", text, 1),), (case,)),),
    )  # fmt: skip
    return [analysis.page(report, images=folder)]


def results_pages(text: str, folder: Path) -> list[str]:
    table = tables.TextTable((text, "count"), ((text, text),))
    part = tables.Part(text, "about", table, (text,), ((text, text),))
    return [tables.page(text, ("about",), (tables.Section(text, (part,)),))]


KINDS: dict[str, Callable[[str, Path], list[str]]] = {
    "explanation": explanation_pages, "gallery": gallery_pages, "sheet": sheet_pages,
    "analysis": analysis_pages, "results": results_pages,
}  # fmt: skip


def pages(kind: str, text: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return KINDS[kind](text, Path(folder))


def names(page: Any) -> list[tuple[str, list[str]]]:
    return [(tag, sorted(attributes)) for tag, attributes in page.elements]


def said(page: Any, text: str) -> list[str]:
    """The page's words and its attributes' values, the given text replaced by a mark."""
    values = [value or "" for _, attributes in page.elements for name, value in sorted(attributes.items())
              if name in {"title", "alt", "aria-label", "data-column", "content", "src"}]  # fmt: skip
    return [value.replace(shown(text), "@") for value in ["".join(data for _, data in page.texts), *values]]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile=STRINGS)
def test_foreign_text_is_shown_as_it_is_and_changes_no_page(
    parse: Callable[[str], Any], kind: str, hostile: str
) -> None:
    text, plain = f"\u27e6{hostile}\u27e7", "\u27e6word\u27e7"
    for page, expected in zip(map(parse, pages(kind, text)), map(parse, pages(kind, plain)), strict=True):
        assert names(page) == names(expected), "the same elements, with the same attributes"
        assert said(page, text) == said(expected, plain)
        whole = "".join(data for _, data in page.texts)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]", whole)
        assert not {"script", "iframe", "object", "link", "base"} & {tag for tag, _ in page.elements}


@settings(max_examples=40, deadline=None)
@given(STRINGS)
def test_foreign_text_steers_no_terminal(hostile: str) -> None:
    from rich.console import Console

    console = Console(width=400, color_system=None, force_terminal=True, legacy_windows=False)
    with console.capture() as capture:
        console.print(explanation(explained(f"\u27e6{hostile}\u27e7")))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", capture.get())
