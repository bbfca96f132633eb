"""The tables that set the ready models beside each other."""

from __future__ import annotations

import json
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


def test_the_page_says_of_the_large_model_what_was_measured() -> None:
    page = " ".join((ROOT / "docs" / "reference" / "labels.md").read_text("utf-8").split())
    packaged, large = (read()[name] for name in ("packaged", "large, MPNet"))
    pairs = [(large[split]["T"], packaged[split]["T"]) for split in DATA]
    f1 = [f"+{ours['micro']['f1'] - theirs['micro']['f1']:.1f}" for ours, theirs in pairs]
    org = [f"+{ours['labels']['ORG']['f1'] - theirs['labels']['ORG']['f1']:.1f}" for ours, theirs in pairs]
    recalls = ([row["slices"]["unseen"]["recall"] for row in pair] for pair in pairs)
    unseen = [f"{ours - theirs:.1f}" for ours, theirs in recalls]
    assert "F1 {} on Twitter-15, {} on Twitter-17, {} on WNUT-17 and {} on the Broad Twitter Corpus".format(*f1) in page
    assert "organisations {}, {}, {} and {}".format(*org) in page
    assert "found {}, {}, {} and {} points more often".format(*unseen) in page
    record = json.loads((ROOT / "lab" / "ready" / "runs" / "social-en-large.json").read_text("utf-8"))["record"]
    assert f"{record['seconds'] / 60:.0f} are training" in page
    assert f"{record['peak_memory_mib'] / 1000:.1f} GB of memory" in page
    error = packaged["twitter2017.dev"]["T"]
    assert f"but Twitter-17, where it is {error['ece']:.1f} for {error['ece_if_true']:.1f}" in page
