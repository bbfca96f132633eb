"""The tables that set the ready models beside each other."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from lab.ready.comparison import DATA, MODELS, RUNS, candidates, read, tables

ROOT = Path(__file__).resolve().parents[2]
RUN_FOLDER = ROOT / "lab" / "ready" / "runs"


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


def more(ours: str, theirs: str) -> dict[str, list[str]]:
    """How much more a model has than another on each data set, the words alone, as the page writes it."""
    reports = read()
    pairs = [(reports[ours][split]["T"], reports[theirs][split]["T"]) for split in DATA]
    recalls = {
        kind: [tuple(row["slices"][kind]["recall"] for row in pair) for pair in pairs] for kind in ("seen", "unseen")
    }
    return {
        "F1": [f"{a['micro']['f1'] - b['micro']['f1']:+.1f}" for a, b in pairs],
        "ORG": [f"{a['labels']['ORG']['f1'] - b['labels']['ORG']['f1']:+.1f}" for a, b in pairs],
        **{kind: [f"{a - b:+.1f}" for a, b in each] for kind, each in recalls.items()},
    }


def bare(numbers: list[str]) -> list[str]:
    return [number[1:] for number in numbers]


def test_the_page_says_of_the_packaged_model_what_was_measured() -> None:
    page = " ".join((ROOT / "docs" / "reference" / "labels.md").read_text("utf-8").split())
    gain = more("packaged, e5", "on MiniLM")
    said = "gains {} F1 on Twitter-15, {} on Twitter-17, {} on WNUT-17 and {} on the Broad Twitter Corpus"
    assert said.format(*gain["F1"]) in page
    assert "organisations {}, {}, {} and {};".format(*gain["ORG"]) in page
    assert "found {}, {}, {} and {} points more often".format(*bare(gain["unseen"])) in page
    assert [number[0] for number in gain["seen"]] == ["-", "-", "-", "+"]
    assert "found {}, {} and {} points less often on the first three".format(*bare(gain["seen"])[:3]) in page
    on = {name: read()[name]["twitter2015.dev"]["T"]["slices"]["lower case"] for name in ("packaged, e5", "on MiniLM")}
    ours, theirs = on["packaged, e5"], on["on MiniLM"]
    assert f"by {ours['recall']:.0f} % of {ours['names']} in place of {theirs['recall']:.0f}" in page
    error = read()["packaged, e5"]["twitter2017.dev"]["T"]
    assert f"({error['ece']:.1f} in place of {error['ece_uncalibrated']:.1f})" in page


def test_the_page_says_of_the_large_model_what_was_measured() -> None:
    page = " ".join((ROOT / "docs" / "reference" / "labels.md").read_text("utf-8").split())
    gain = more("large, MPNet", "packaged, e5")
    said = "F1 {} on Twitter-15, {} on Twitter-17, {} on WNUT-17 and {} on the Broad Twitter Corpus"
    assert said.format(*gain["F1"]) in page
    assert "organisations {}, {}, {} and {};".format(*gain["ORG"]) in page
    assert [number[0] for number in gain["unseen"]] == ["-", "+", "+", "+"]
    said = "found {} points less often on Twitter-15 and {}, {} and {} more often on the others"
    assert said.format(*bare(gain["unseen"])) in page
    record = json.loads((ROOT / "lab" / "ready" / "runs" / "social-en-large.json").read_text("utf-8"))["record"]
    assert f"{record['seconds'] / 60:.0f} are training" in page
    assert f"{record['peak_memory_mib'] / 1000:.1f} GB of memory" in page


def test_the_page_holds_the_candidates_and_what_the_teacher_is_worth() -> None:
    page = (ROOT / "docs" / "reference" / "labels.md").read_text("utf-8")
    assert "\n".join(candidates()) in page
    runs = [json.loads((RUN_FOLDER / f"{file}.json").read_text("utf-8")) for file in RUNS.values()]
    last = [list(run["candidates"].values())[-1] for run in runs]
    means = [
        [statistics.fmean(view["micro"]["f1"] for view in scored[split].values()) for split in DATA] for scored in last
    ]
    worth = [f"{taught - alone:+.1f}" for taught, alone in zip(*means, strict=True)]
    assert "{}, {}, {} and {}, mean of both views".format(*worth) in " ".join(page.split())
    assert runs[0]["chosen"] == "social-en, 75% of the change" and runs[0]["record"]["teachers"]
    assert f"{runs[0]['record']['seconds'] / 60:.0f} minutes of training on one core" in " ".join(page.split())


def score_of(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((ROOT / "lab" / "ready" / "scores" / f"{name}.json").read_text("utf-8"))
    return read


def test_the_page_holds_what_the_models_make_of_other_languages() -> None:
    page = (ROOT / "docs" / "reference" / "labels.md").read_text("utf-8")
    ours, theirs = score_of("languages"), score_of("languages-minilm")
    for language, row in ours.items():
        f1 = [each[language]["micro"]["f1"] for each in (theirs, ours)]
        assert "| {} | {} | {:.0f} | {:.0f} |".format(language, row["micro"]["gold"], *f1) in page


def test_the_page_says_what_text_in_pictures_does_on_constructed_posts() -> None:
    page = " ".join((ROOT / "docs" / "reference" / "labels.md").read_text("utf-8").split())
    effect = score_of("constructed")
    alone, name, word = (effect["readings"][key] for key in ("words alone", "the name", "the word"))
    assert (
        f"finds {alone['found']} of {effect['posts']} names by the words alone and makes {alone['false']} errors"
        in page
    )
    assert f"probability of the name goes from {alone['name']:.1f} % to {name['name']:.1f} %" in page
    assert (name["found"] - alone["found"], name["false"] - alone["false"]) == (-1, 1), "one fewer, one more"
    assert f"({alone['word']:.1f} % both)" in page and f"{word['word']:.1f}" == f"{alone['word']:.1f}"
    assert (word["found"] - alone["found"], word["false"] - alone["false"]) == (-4, 3), "four names, three errors"
