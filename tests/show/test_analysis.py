"""Reports of analyses in every form: they say what was measured, and nothing is loaded from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image

from mner import analysis
from mner.analysis.calibration import Calibrations, ViewCalibration
from mner.analysis.captions import CaptionPoint, Captions
from mner.analysis.cases import Cases
from mner.analysis.cost import Cost, RowCost
from mner.analysis.distance import Distances
from mner.analysis.labels import Claim, LabelGain, Labels, Triple
from mner.analysis.learning import Curve, Learning, LearningPoint
from mner.analysis.noise import Disagreement, Noise
from mner.analysis.ocr import Ocr, OcrStatistics
from mner.analysis.oracle import Choice, Oracle
from mner.analysis.parts.both_views import Slice, Slices
from mner.analysis.parts.f1_summary import F1Summary
from mner.analysis.parts.label_consistency import Annotations, Conflict
from mner.analysis.parts.report import Case, Column, Lines, Point, Reading, Report, Table
from mner.analysis.robustness import ContextRead, Robustness
from mner.errors import MnerError
from mner.evaluation.calibration import Bin, Calibration
from mner.evaluation.mean import Mean
from mner.evaluation.significance import Interval
from mner.grounding.texts import Match
from mner.show.analysis import FORMS, as_json, charts, markdown, page, text
from mner.types import Span
from mner.views import Piece

EVIL = '"><img src=x onerror=alert(1)>{{ 7*7 }}'


def f1(mean: float, name: str = "x") -> F1Summary:
    return F1Summary((mean,), mean, None, f"f1={mean:.2f} view={name}")


WORDS = ("Kevin", "Love", "and", EVIL, "won")
PER, LOC, WRONG = Span(0, 2, "PER"), Span(3, 4, "LOC"), Span(0, 1, "LOC")
CASE = Case(
    kind="helped",
    id="p7",
    words=WORDS,
    image="7.jpg",
    gold=(PER, LOC),
    readings=(Reading("d/ita T", (WRONG,), False), Reading("d/ita I+T", (PER, LOC), True)),
    pieces=(Piece("captions", "blip2", "two men"), Piece("ocr", "rapid", EVIL)),
    matches=((PER, Match("LOVE 42", None, False)),),
)


def point(row: str, posts: int, mean: float) -> LearningPoint:
    return LearningPoint(posts, row, f1(mean, f"{row}:{posts}"))


TRIPLE, GAIN = Triple(50.0, 40.0, 44.0), Triple(20.0, 10.0, 13.64)
SURE = Calibration(25.0, 0.21, 0.75, 0.5, 6, (Bin(0.6, 1 / 3, 3), Bin(0.9, 2 / 3, 3)))
SLICE = Slice("entity", "seen", 6, 3, f1(66.67, "T:seen"), f1(70.0, "I+T:seen"), 3.33, Interval(-1.5, 8.25, 0.21))
NARROW = Slice("captions", "0", 2, 1, f1(0.0, "T:0"), f1(0.0, "I+T:0"), 0.0)
RESULTS: dict[str, list[Any]] = {
    "calibration": [
        Calibrations("d/one", 2, (ViewCalibration("I+T", SURE, {"LOC": SURE, "PER": SURE}, "f1=72.73 view=I+T"),))
    ],
    "captions": [
        Captions(
            "d/one", ("a", "b"), 1, 6, (CaptionPoint(0, f1(54.55, "k0"), 6), CaptionPoint(1, f1(72.73, "k1"), 5, 4))
        ),
        Captions("d/two", ("a", "b"), None, 6, (CaptionPoint(0, f1(50.0, "m0"), 6),)),
    ],
    "distance": [Distances("d/one", "posterior", 5, 1234, 1.5, 0.5, 6.0, (0.0, 1.0, 2.0), (0.25, 0.75), "measure=l2")],
    "labels": [
        Labels(
            "d/text",
            "d/one",
            "dev",
            0.5,
            (
                LabelGain("LOC", "I+T", TRIPLE, Triple(60.0, 44.0, 50.0), Triple(10.0, 4.0, 6.0), GAIN, True),
                LabelGain("PER", "I+T", TRIPLE, TRIPLE, Triple(0.0, 0.0, 0.0), Triple(None, None, None), None),
            ),
            (Claim("T", 0, 0, None), Claim("I+T", 1, 1, 0.5)),
            ("f1=44.00 view=T", "f1=44.00 view=T", "f1=50.00 view=I+T"),
            ("seed 2 of text left out: one has none such",),
        )
    ],
    "ocr": [
        Ocr(
            (OcrStatistics("d/dev", 5, 5, 1, 20.0, 3.0, 4.0, {"x": 1}, "measure=ocr"),),
            (Slices("d/one", "d/text", (SLICE,)),),
        )
    ],
    "cases": [
        Cases("d/ita", 1, 6, 5, {"helped": 3, "misled": 0}, (CASE,), {"d/ita T": f1(54.55), "d/ita I+T": f1(72.73)})
    ],
    "robustness": [
        Robustness(
            "d/one",
            6,
            5,
            2,
            (ContextRead("true", f1(72.73), None, 0.0), ContextRead("shuffled", f1(54.55), 18.18, 50.0)),
        )
    ],
    "slices": [Slices("d/one", "d/one", (SLICE, NARROW), {"relation": "no context has that key"})],
    "oracle": [
        Oracle(
            "d/one",
            "test",
            (Choice("rows", "d/one I+T", "d/text T", "I+T", (74.0, 73.0), f1(78.5, "best"), 4.5, 12.3),),
        )
    ],
    "learning": [
        Learning(
            "dev",
            (
                Curve("d/one", "I+T", (point("d/one-9", 1000, 70.0), point("d/one", 4000, 75.0))),
                Curve("d/text", "T", (point("d/text", 4000, 73.0),)),
            ),
        )
    ],
    "noise": [
        Noise(
            "d/one",
            "d/text",
            6,
            9,
            10,
            {"boundary": 1, "type": 0, "missed": 2, "spurious": 4},
            5,
            f1(74.0, "I+T"),
            f1(77.25, "I+T:gold=agreed"),
            Annotations(40, 63, 51, 7, 11, 3, 8, 2, (Conflict("", EVIL, "won", {"PER": 3, "O": 1}),)),
            (Disagreement("missed", "p7", WORDS, (PER,), None), Disagreement("spurious", "p7", WORDS, (), LOC)),
        )
    ],
    "cost": [
        Cost((RowCost("d/one", "tiny", 2, 22575700, 90.0, 6.0, 150.0, 4.0, 300.0, "bf16", "cpu", ("f1=1", "f1=2")),))
    ],
}


def test_every_analysis_is_drawn_here() -> None:
    assert set(analysis.names()) == set(RESULTS)


@pytest.mark.parametrize("name", analysis.names())
def test_page_stands_alone(name: str, parse: Callable[[str], Any]) -> None:
    html = page(analysis.report(name, RESULTS[name]))
    page_ = parse(html)
    assert re.findall(r"""(?:src|href)\s*=|url\(|@import""", html.split("<body>")[0]) == []
    assert page_.attributes_of("script") == page_.attributes_of("link") == page_.attributes_of("a") == []
    assert all(str(image["src"]).startswith("data:image/jpeg;base64,") for image in page_.attributes_of("img"))
    assert analysis.about(name).title[1:] in page_.text("h1")
    assert page_.attributes_of("svg") or name in {"cases", "cost"}


@pytest.mark.parametrize("name", analysis.names())
def test_page_holds_every_signature_and_what_the_text_holds(name: str, parse: Callable[[str], Any]) -> None:
    report = analysis.report(name, RESULTS[name])
    page_ = parse(page(report))
    cells = {data for path, data in page_.texts if path and path[-1].split(".")[0] in ("th", "td")}
    tables = text(report).partition("\n\nCases\n")[0].partition("\n\nSignatures\n")[0]
    assert {cell for cell in cells if cell not in tables} == set()
    for table in report.tables:
        assert {column.name for column in table.columns} <= cells
        assert {cell for row in table.rows for cell in row if isinstance(cell, str) and cell} <= cells
    assert report.signatures
    lines = [data for path, data in page_.texts if path and path[-1] == "code"]
    assert lines == [line for _, line in report.signatures]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "captions",
            [
                "k=0",
                "54.55",
                "72.73",
                "a, b",
                "5 (k=1)",
                "d/two",
                "does not read all captions, for its budget of sub-tokens: 4 (k=1).",
            ],
        ),
        ("distance", ["1,234", "1.500", "0.250"]),
        (
            "labels",
            [
                "50.00/40.00/44.00",
                "+20.00",
                "holds",
                "1 of the 1 labels",
                "p = 0.500",
                "applies to no label",
                "Seed 2 of text left out",
            ],
        ),
        ("ocr", ["20.0", "x 1", "d/one I+T against d/text T", "+3.33"]),
        ("cases", ["Kevin Love PER", "helped", "3", "5 have a context"]),
        ("robustness", ["\u221218.18", "50.0", "mean of 2 draws"]),
        (
            "slices",
            [
                "66.67",
                "\u22121.50 to +8.25  0.210",
                "0.00               -      -",
                "relation: no context has that key.",
            ],
        ),
        ("oracle", ["d/one, test", "78.50", "+4.50", "12.3"]),
        ("learning", ["1,000 posts", "4,000 posts", "-        73.00", "70.00"]),
        ("noise", ["10 runs of d/one and d/text", "77.25", "none finds anything", "PER 3, O 1", "(start) ... won"]),
        ("cost", ["22,575,700", "1.5 \u00b1 0.1", "2.5", "300"]),
    ],
)
def test_text_says_the_numbers(name: str, expected: list[str]) -> None:
    shown = text(analysis.report(name, RESULTS[name]))
    assert [part for part in expected if part not in shown] == []


def test_case_shows_words_readings_and_context(parse: Callable[[str], Any], tmp_path: Path) -> None:
    Image.new("RGB", (800, 400), (10, 90, 200)).save(tmp_path / "7.jpg")
    page_ = parse(page(analysis.report("cases", RESULTS["cases"]), images=tmp_path))
    posts = [[]]
    for path, data in page_.texts:
        if "dd.post" in path and not path[-1].startswith("span.label"):
            posts[-1].append(data)
        elif path and path[-1] == "dt" and data.strip():
            posts.append([])
    said = ["".join(part).strip() for part in posts[1:]]
    assert said == [" ".join(WORDS)] * 3  # gold, T, I+T
    assert page_.text("mark.c0", without="span.label") == "Kevin Love" * 2
    assert page_.text("span.pill bad") == "2 missed, 1 wrong"
    assert page_.text("span.pill good") == "right"
    (picture,) = page_.attributes_of("img")
    assert str(picture["src"]).startswith("data:image/jpeg;base64,")
    assert "LOVE 42" in page_.text("p.match") and "Kevin Love" in page_.text("p.match")
    assert EVIL in page_.text("div.beside")
    assert "1 of 3" in page_.text("small")
    assert "No such post." in page_.text("p.soft")


def test_picture_that_is_not_at_hand_is_said(parse: Callable[[str], Any], tmp_path: Path) -> None:
    for images in (None, tmp_path):
        page_ = parse(page(analysis.report("cases", RESULTS["cases"]), images=images))
        assert page_.attributes_of("img") == []
        assert page_.text("span.blank") == "no picture at hand"


REPORT = Report(
    "mine",
    "lengths of posts",
    "Words.",
    (Mean(2.0, 0.5),),
    (
        Table(
            "Lengths",
            (Column("row"), Column("words", ".1f"), Column("gain", "+.2f")),
            (("d/one", Mean(2.0, 0.5), -1.0),),
        ),
    ),
    (Lines("Lengths", "posts", "words", (("d/one", (Point(0, 1.0, "first"), Point(1, 2.0, "second"))),)),),
    (("d/one", "f1=1.00"),),
)


def test_report_has_every_form(parse: Callable[[str], Any]) -> None:
    written = {form: write(REPORT) for form, write in FORMS.items()}
    assert written["text"] == (
        "Lengths\nrow        words   gain\nd/one  2.0 ± 0.5  \u22121.00\n\nSignatures\nd/one  f1=1.00"
    )
    assert json.loads(written["json"]) == [{"mean": 2.0, "sd": 0.5}]
    assert "| d/one | 2.0 ± 0.5 | \u22121.00 |" in written["markdown"] and "- d/one: `f1=1.00`" in written["markdown"]
    assert parse(written["html"]).text("h1") == "Lengths of posts"
    drawing = ElementTree.fromstring(written["svg"])
    assert [title.text for title in drawing.iter("{http://www.w3.org/2000/svg}title")] == ["first", "second"]


def test_cases_are_in_text_and_markdown_too() -> None:
    report = analysis.report("cases", RESULTS["cases"])
    assert "Kevin Love PER" in text(report) and "Kevin Love PER" in markdown(report)
    assert json.loads(as_json(report))[0]["shown"][0]["id"] == "p7"


def test_report_without_a_chart_has_no_drawing() -> None:
    with pytest.raises(MnerError, match=r"cost has no chart; write a page: --out cost\.html"):
        charts(analysis.report("cost", RESULTS["cost"]))
