from dataclasses import replace

import pytest

from mner.config import ContextConfig
from mner.preflight import check
from mner.preflight.report import Findings
from mner.preflight.tokens import examine_tokens
from mner.types import Caption, ContextText, Post, VisualContext
from mner.views import Views


@pytest.fixture
def views(tokenizer):
    return Views(tokenizer, ContextConfig(max_tokens=40, overlap=8, budget={"captions": 6}), max_tokens=40)


def post(*words, image=None):
    return Post("1", " ".join(words), words, (), (), image, "x:1")


def findings_of(views, *posts, contexts=None):
    findings = Findings()
    examine_tokens(findings, views, contexts, posts)
    return findings


def test_word_without_sub_token_is_named(views):
    findings = findings_of(views, post("a", "\u200b", "\u00a0", "b"))
    assert findings.counts == {"no sub-token": 2}
    assert findings.met == {"no sub-token": 1}
    assert '"\\u200b", "\\xa0"' in findings.listed[0].message


def test_long_post_is_read_in_windows(views):
    findings = findings_of(views, post(*["abcde"] * 20), post("abc"))
    assert findings.counts == {"several windows": 1}
    assert "over 40 sub-tokens" in findings.listed[0].message


def test_cut_context_is_counted_by_kind(views):
    context = VisualContext("1.jpg", captions=(Caption("ab cd"), Caption("efg hi")))
    findings = findings_of(views, post("a", image="1.jpg"), post("b"), contexts={"1.jpg": context})
    assert findings.counts == {"cut captions": 3}
    assert findings.met == {"cut captions": 1}
    assert findings.severities == {"cut captions": "warning"}
    assert "3 sub-tokens of captions are over the budget (context.budget.captions)" in findings.listed[0].message


def test_word_longer_than_a_window_is_a_loss(views):
    findings = findings_of(views, post("a" * 90))
    assert findings.severities["cut words"] == "warning"
    assert "longer than a window, are not read" in next(f.message for f in findings.listed if f.kind == "cut words")


def test_check_asks_the_encoder_it_is_given(write, views):
    path = write("train.txt", "IMGID:1\na\tB-X\n\u00a0\tO\n\n")
    report = check([path], encoder=views)
    assert report.counts == {"no sub-token": 1}
    assert report.counts == {"no sub-token": 1}
    assert report.fine
    assert not any("encoder" in line for line in report.skipped)


def test_text_of_another_post_is_not_counted(tokenizer):
    views = Views(tokenizer, ContextConfig(order=("texts",), budget={"texts": 2}), max_tokens=40)
    text = ContextText("ab cd efg hi", extra={"post": "another"})
    context = VisualContext("1.jpg", texts=(text,))
    assert not findings_of(views, post("a", image="1.jpg"), contexts={"1.jpg": context}).counts
    own = VisualContext("1.jpg", texts=(replace(text, extra={"post": "1"}),))
    assert findings_of(views, post("a", image="1.jpg"), contexts={"1.jpg": own}).counts
