"""The tables that set the ready models beside each other."""

from __future__ import annotations

from pathlib import Path

from lab.ready.comparison import DATA, MODELS, read, tables

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_holds_the_tables_of_the_reports() -> None:
    page = (ROOT / "docs" / "reference" / "labels.md").read_text("utf-8")
    assert "\n".join(tables(read())) in page


def test_posts_without_pictures_have_one_view() -> None:
    def view(f1: float) -> dict[str, object]:
        return {"micro": {"f1": f1}, "labels": {"ORG": {"f1": 50}}, "slices": {"unseen": {"recall": 40}}, "ece": 3.0,
                "ece_uncalibrated": 9.0, "ece_if_true": 2.0, "signature": f"f1={f1}"}  # fmt: skip

    report = {split: {"T": view(60), "I+T": view(60 if split == "btc.dev" else 61)} for split in DATA}
    lines = tables(dict.fromkeys(MODELS, report))
    assert sum(" I+T | F1 |" in line for line in lines) == 3
    assert "| Twitter-15 | T | ECE | 3.0 (uncalibrated 9.0, by chance 2.0) |" in "\n".join(lines)
