"""The ready models beside each other, from their reports: python -m lab.ready.comparison prints the tables of the docs.

``python -m lab.ready.report MODEL --out lab/ready/scores/NAME.json`` writes a report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("scores")
MODELS = {
    "earlier": "social-en-earlier",
    "on MiniLM": "social-minilm",
    "packaged, e5": "social-en",
    "large, MPNet": "social-en-large",
}
"""What a column says -> whose report it is."""
DATA = {
    "twitter2015.dev": "Twitter-15",
    "twitter2017.dev": "Twitter-17",
    "wnut17.dev": "WNUT-17",
    "btc.dev": "Broad Twitter Corpus, no MISC",
}
RUNS = {"taught": "social-en", "without a teacher": "social-en-untaught"}
"""How a model was trained on -> whose record lab/ready/runs has."""
Report = Mapping[str, Mapping[str, Mapping[str, Any]]]


def read() -> dict[str, Report]:
    """The report of each model."""
    return {name: json.loads((FOLDER / f"{file}.json").read_text("utf-8")) for name, file in MODELS.items()}


def tables(reports: Mapping[str, Report]) -> list[str]:
    """Markdown: F1; recall of names in no training post; F1 of organisations; calibration error; signatures."""
    lines = [
        "| dev split | view | figure | " + " | ".join(reports) + " |",
        "|---|---|---|" + "---:|" * len(reports),
    ]
    for split, called in DATA.items():
        rows = [report[split] for report in reports.values()]
        for view in ("T", "I+T")[: len(_views(rows[0]))]:
            cells = {
                "F1": [f"{row[view]['micro']['f1']:.2f}" for row in rows],
                "F1 of ORG": [f"{row[view]['labels']['ORG']['f1']:.1f}" for row in rows],
                "unseen names, recall": [f"{row[view]['slices']['unseen']['recall']:.1f}" for row in rows],
                "ECE": [_error(row[view]) for row in rows],
            }
            lines += [f"| {called} | {view} | {what} | {' | '.join(each)} |" for what, each in cells.items()]
    lines += ["", "Signatures of F1:", ""]
    for name, report in reports.items():
        signatures = ", ".join(
            dict.fromkeys(f"`{row['signature']}`" for split in DATA for row in _views(report[split]))
        )
        lines.append(f"- {name}: {signatures}")
    return lines


def candidates() -> list[str]:
    """Markdown: F1 of the candidates for the packaged model, by how much of the change from the first goes in."""
    runs = {
        name: json.loads((FOLDER.parent / "runs" / f"{file}.json").read_text("utf-8")) for name, file in RUNS.items()
    }
    lines = ["| of the change | trained on | " + " | ".join(DATA.values()) + " |", "|---|---|" + "---:|" * len(DATA)]
    for number in range(len(next(iter(runs.values()))["candidates"])):
        for name, run in runs.items():
            candidate, scored = list(run["candidates"].items())[number]
            cells = [
                ", ".join(dict.fromkeys(f"{row['micro']['f1']:.2f}" for row in _views(scored[split]))) for split in DATA
            ]
            share = candidate.partition(", ")[2].partition(" ")[0] or "0%"
            line = f"| {share.replace('%', ' %')} | {name if share != '0%' else ''} | {' | '.join(cells)} |"
            lines += [line] if line not in lines else []
    return lines


def _views(split: Mapping[str, Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The views of a split: T, and I+T where its posts have pictures."""
    return [split["T"], split["I+T"]] if split["T"]["micro"] != split["I+T"]["micro"] else [split["T"]]


def _error(row: Mapping[str, Any]) -> str:
    """The calibration error; of a calibrated model also without, and what true probabilities would show."""
    further = (("uncalibrated", row.get("ece_uncalibrated")), ("by chance", row.get("ece_if_true")))
    known = ", ".join(f"{what} {error:.1f}" for what, error in further if error is not None)
    return f"{row['ece']:.1f} ({known})" if known else f"{row['ece']:.1f}"


if __name__ == "__main__":
    print("\n".join([*tables(read()), "", *candidates()]))
