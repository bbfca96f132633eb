"""Texts of backends are made fit for a file and a terminal."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import BaseModel, ConfigDict

from mner.config import VisionConfig
from mner.types import Caption, OcrText
from mner.vision.extract import Extractor
from mner.vision.texts import LONGEST, clean, cleaned


@given(st.text(max_size=40), st.integers(1, 20))
def test_clean_text_is_one_printable_line(text, longest):
    result = clean(text, longest=longest)
    assert len(result) <= longest and result == result.strip()
    assert not any(each in result for each in "\n\r\t\x00\x1b\x85\u2028\u2029")
    result.encode()
    assert clean(result, longest=longest) == result


def test_fit_texts_stay_as_they_are():
    entries = [Caption("a  dog\u00a0here \u200d", 0.5, "x", {"k": 1}), Caption("日本　語")]
    assert list(cleaned(entries)) == entries


def test_texts_that_say_nothing_are_left_out():
    assert list(cleaned([OcrText("\x00\x01"), OcrText(" "), OcrText("a\x07b", 0.5, None, "x", {"k": 1})])) == [
        OcrText("a b", 0.5, None, "x", {"k": 1})
    ]


@pytest.mark.parametrize(("text", "stored"), [("a\x1b[2Jdog\n", "a [2Jdog"), ("ab " * 5000, None), ("\ud83d", None)])
def test_extractor_cleans_what_any_captioner_says(monkeypatch, text, stored):
    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)

    module = ModuleType("outside.caption")
    module.Options, module.VERSION = Options, 1
    module.Captioner = lambda options, *, threads=0: lambda picture, tags, *, scenes, ocr: [Caption(text)]
    monkeypatch.setitem(sys.modules, "outside", ModuleType("outside"))
    monkeypatch.setitem(sys.modules, "outside.caption", module)
    context = Extractor(VisionConfig(detector="", ocr="", captioner="outside.caption")).read(
        Image.new("RGB", (9, 9)), image="1"
    )
    assert context.reason is None
    result = [each.text for each in context.captions]
    assert result == ([stored] if stored else [clean(text)] if clean(text) else [])
    assert all(len(each) <= LONGEST for each in result)
