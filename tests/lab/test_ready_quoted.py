"""What quoted text of pictures does to a model, counted by what it repeats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.ready import quoted
from mner.tagger.opening import READY
from mner.types import Post, Span

ROOT = Path(__file__).resolve().parents[2]


def test_page_says_what_the_program_measured() -> None:
    effect = json.loads((ROOT / "lab" / "ready" / "scores" / "quoted.json").read_text(encoding="utf-8"))
    page = " ".join((ROOT / "docs" / "reference" / "labels.md").read_text(encoding="utf-8").split())
    assert f"On the {effect['posts']} dev posts" in page
    assert quoted.sentence(effect) in page


def test_without_data_the_message_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MNER_DATA", raising=False)
    with pytest.raises(SystemExit, match="set MNER_DATA"):
        quoted.main([str(READY)])


def post(text: str, *spans: Span) -> Post:
    words = tuple(text.split())
    return Post("1", text, words, (), spans=spans)


def test_names_and_words_are_counted_by_what_the_text_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    read = [
        (post("Kevin Love is back in Cleveland", Span(0, 2, "PER"), Span(5, 6, "LOC")), ["KEVIN LOVE", "welcome back"]),
        (post("the game of the year"), ["Game of the YEAR"]),
    ]
    monkeypatch.setattr(quoted, "quotations", lambda source, split: iter(read))
    effect = quoted.quoted_effect(READY, Path())
    assert (effect["posts"], effect["names"]) == (2, 2)
    for row in effect["views"].values():
        assert (row["of repeated names"], row["of repeated words"]) == (1, 3), "back, game and year; no small words"
        assert row["found"] == 2 and row["repeated names"] > 90 > row["other names"] > 50 > row["repeated words"]
    lines = quoted.table(effect)
    assert len(lines) == 4 and lines[2].startswith("| T | 2 |") and "repeated words (3)" in lines[0]
