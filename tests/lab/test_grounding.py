"""The figures of grounding: a record by a program, and the page that shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lab import grounding
from mner.errors import DataError

GOLD = "IMGID:1\nKevin\tB-PER\nLove\tI-PER\nwon\tO\n\nIMGID:2\nParis\tB-LOC\nwon\tO\n\n"


def test_page_shows_the_record() -> None:
    record = json.loads(grounding.OUT.read_text("utf-8"))
    page = grounding.PAGE.read_text("utf-8")
    assert grounding.inserted(page, grounding.table(record)) == page
    assert {(row["entities"], row["regions"]) for row in record["rows"]} == {
        (entities, way) for entities in ("model", "gold") for way in grounding.WAYS
    }


def test_program_scores_every_way_and_writes(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))
    (tmp_path / "gmner").mkdir()
    (tmp_path / "images").mkdir()
    assert grounding.main(["--data", str(tmp_path)]) == 1
    (tmp_path / "gmner" / "test.txt").write_text(GOLD + GOLD.replace("1", "3").replace("2", "4"))
    boxes = {"image": "1.jpg", "boxes": [{"name": "Kevin Love", "box": [0, 0, 9, 9]}]}
    (tmp_path / "gmner" / "boxes.v2.jsonl").write_text(json.dumps(boxes) + "\n")
    for name in ("1.jpg", "2.jpg"):  # those of the other two posts are not there
        Image.new("RGB", (64, 48)).save(tmp_path / "images" / name)
    page = tmp_path / "page.md"
    page.write_text(f"# Figures\n\n{grounding.BEGIN}\n\nformer figures\n\n{grounding.END}\n\nText\n")
    given = ["--data", tmp_path, "--model", tiny_model, "--out", tmp_path / "record.json", "--page", page]
    assert grounding.main([str(word) for word in given]) == 0
    record: dict[str, Any] = json.loads((tmp_path / "record.json").read_text("utf-8"))
    assert (record["posts"], record["pictures_with_boxes"], record["gold_in_picture"]) == (2, 1, 1)
    none = next(row for row in record["rows"] if row["entities"] == "gold" and row["regions"] == "no boxes")
    assert (none["gmner"]["f1"], none["mner"]["f1"], none["in_picture"]["correct"]) == (50.0, 100.0, 0)
    assert "match=exact+iou0.5" in none["signatures"]["gmner"]
    assert "| gold | no boxes | 50.00 | 100.00 | 50.00 | 0 / 0 / 1 |" in page.read_text()
    assert "former" not in page.read_text() and page.read_text().endswith("Text\n")
    assert "| model | no boxes |" in capsys.readouterr().out


def test_page_without_its_marks_is_refused() -> None:
    with pytest.raises(DataError, match="expected the lines"):
        grounding.inserted("# Figures\n", "text")
