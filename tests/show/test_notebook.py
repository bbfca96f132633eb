"""Notebooks: what stands below a cell, styled in there alone, and harmless."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from mner.evidence import Explanation
from mner.types import Prediction
from tests.browser import Opened

Browse = Callable[..., Opened]
NOTEBOOK = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>notebook</title></head>
<body style="background: rgb(250, 251, 252)"><main><h1 class="card">A cell</h1>
<table><tr><td>theirs</td></tr></table>{}</main></body></html>"""
STYLE = """(selector) => {
    const style = getComputedStyle(document.querySelector(selector));
    return [style.backgroundColor, style.fontSize, style.borderTopWidth, style.padding];
}"""


def test_explanation_shows_what_the_picture_did(explained: Explanation, parse: Callable[[str], Any]) -> None:
    parsed = parse(explained._repr_html_())
    assert parsed.text("p.post", without="span.label") == explained.prediction.text
    assert "raised by 29 points" in parsed.text("tr.c0")
    assert [str(image["src"])[:22] for image in parsed.attributes_of("img")] == ["data:image/jpeg;base64"]


def test_prediction_shows_its_entities_and_what_was_read(explained: Explanation, parse: Callable[[str], Any]) -> None:
    parsed = parse(explained.prediction._repr_html_())
    assert parsed.text("p.post", without="span.label") == explained.prediction.text
    assert parsed.text("span.label").split()[:2] == ["PER", "0.91"]
    assert "a dog in the city" in parsed.text("div.mner")
    assert parsed.attributes_of("table") == parsed.attributes_of("img") == []
    bare = parse(Prediction("", "no names here", ())._repr_html_())
    assert bare.text("p.post") == "no names here"
    assert bare.attributes_of("h1") == []


def test_styles_stay_inside(browse: Browse, explained: Explanation, tmp_path: Path) -> None:
    path = tmp_path / "notebook.html"
    outside = ("body", "h1", "main > table td")
    path.write_text(NOTEBOOK.format(""), encoding="utf-8")
    bare = browse(path)
    before = [bare.page.evaluate(STYLE, selector) for selector in outside]
    path.write_text(NOTEBOOK.format(explained._repr_html_() + explained.prediction._repr_html_()), encoding="utf-8")
    opened = browse(path)
    assert [opened.page.evaluate(STYLE, selector) for selector in outside] == before
    assert opened.page.evaluate(STYLE, ".mner .card")[2] == "1px"
    assert opened.page.locator(".mner svg rect").count() == 3
    assert opened.findings() == []


def test_foreign_text_runs_nothing(
    browse: Browse, evil: Callable[..., Explanation], picture: Image.Image, tmp_path: Path
) -> None:
    hostile = "</style></div><script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\">"
    shown = evil(hostile, picture)
    path = tmp_path / "notebook.html"
    path.write_text(NOTEBOOK.format(shown._repr_html_() + shown.prediction._repr_html_()), encoding="utf-8")
    opened = browse(path)
    assert opened.page.title() == "notebook"
    assert opened.page.locator("script, [onerror]").count() == 0
    assert opened.page.locator(".mner p.post mark").first.inner_text().startswith(hostile[:20])


def test_prediction_draws_nothing_until_it_is_shown() -> None:
    code = "import sys, mner.types; mner.types.Prediction('', 'a', ()); sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_words_alone_say_why(fallen: Explanation, parse: Callable[[str], Any]) -> None:
    for shown in (fallen, fallen.prediction, replace(fallen, gold=())):
        assert "The model read the words alone: not a JPEG." in parse(shown._repr_html_()).text("div.mner")
