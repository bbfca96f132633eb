from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.stand_in import SOURCE, main, tags_of_captions
from mner.types import Caption, OcrText, Tag, VisualContext


def row(*shown: tuple[str, str]) -> VisualContext:
    captions = tuple(Caption(text, source=source) for source, text in shown)
    return VisualContext("1.jpg", tags=(Tag("boat"),), captions=captions, ocr=(OcrText("SALE"),))


def names(context: VisualContext) -> list[tuple[str, float | None]]:
    return [(tag.object, tag.confidence) for tag in context.tags]


def test_objects_stand_as_often_as_counted_and_the_surest_first() -> None:
    given = row(("a", "a dog near two men"), ("b", "a man and a woman and another woman"))
    (result,) = tags_of_captions([given])
    assert names(result) == [("person", 1.0), ("person", 1.0), ("person", 1.0), ("dog", 0.5)]
    assert {tag.source for tag in result.tags} == {SOURCE}
    assert (result.captions, result.ocr) == (given.captions, given.ocr)


def test_only_the_chosen_captions_are_read() -> None:
    (result,) = tags_of_captions([row(("a", "a dog"), ("b", "a car"))], captions=["b"])
    assert names(result) == [("car", 1.0)]


def test_nothing_comes_of_captions_that_name_no_object() -> None:
    assert [each.tags for each in tags_of_captions([row(("a", "Kevin Love at Wembley")), row()])] == [(), ()]


def test_program_puts_what_captions_name_where_tags_stand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = tmp_path / "captions.jsonl"
    shown = [{"text": "two men and a dog", "source": "a"}, {"text": "a red car", "source": "b"}]
    given.write_text(json.dumps({"image": "1.jpg", "captions": shown, "ocr": ["SALE"], "relation": 1}) + "\n")
    assert main([str(given), "--out", str(tmp_path / "n.jsonl"), "--captions", "a"]) == 0
    printed = capsys.readouterr()
    assert printed.out.strip() == str(tmp_path / "n.jsonl")
    assert "1 contexts, 1 of them with tags, which are from captions alone" in printed.err
    written = json.loads((tmp_path / "n.jsonl").read_text())
    assert [tag["object"] for tag in written["tags"]] == ["person", "person", "dog"]
    assert written["captions"] == shown
    assert written["ocr"] == [{"text": "SALE"}] and written["relation"] == 1
    assert main([str(given), "--out", str(tmp_path / "none.jsonl"), "--captions", "c"]) == 2
    printed = capsys.readouterr()
    assert not printed.out and "captions.jsonl: no caption of c; sources of captions there: a, b" in printed.err
    assert not (tmp_path / "none.jsonl").exists()
