"""The record of calibration and the page that shows it; what is counted, on simulated entities."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from lab.calibration import HALVINGS, RECORD, SPLITS, _promise, tables
from mner.evaluation.calibration import Graded

ROOT = Path(__file__).parents[2]


def test_page_shows_the_tables_of_the_record() -> None:
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    assert set(record) == set(SPLITS)
    page = (ROOT / "docs" / "howto" / "calibrate.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in tables(record) if line not in page] == []


def test_promise_is_counted_on_the_other_half() -> None:
    generator = np.random.default_rng(1)
    score = generator.random(2000)
    correct = generator.random(2000) < score
    graded = Graded(np.arange(2000), np.array(["PER"] * 2000), score, correct, 2000)
    row = _promise(graded, graded, "precision", 0.7)
    assert 0.9 * HALVINGS <= row["made"] <= HALVINGS
    assert row["kept"] >= 0.8 * row["made"]
    assert row["mean"] > 70 > 100 * correct.mean()
    refused = _promise(graded, graded, "precision", 0.99)
    assert refused["made"] == 0
    assert 0.5 < refused["reachable"] < 0.99
