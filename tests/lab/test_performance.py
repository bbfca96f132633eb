"""Benchmark records become a page that holds every figure; damaged ones are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lab.performance import KEYS, performance
from mner.errors import DataError


def record(**changes: Any) -> dict[str, Any]:
    return {
        "format": 1,
        "benchmark": "train_throughput",
        "about": "One epoch over\nthe same posts.",
        "finished": "2026-01-02",
        "machine": {"cpu": "A CPU", "flags": ["avx2"], "cores": 2, "memory_gib": 8.0, "system": "Linux"},
        "versions": {"python": "3.11", "mner": "0.1.0"},
        "peers": {
            "flair": {"versions": {"flair": "0.15.1"}, "batch_size": 32},
            "GLiNER": {"unavailable": "not installed"},
        },
        "settings": {"posts": 64, "sizes": [1, 2]},
        "seconds": {"mner": [1.0]},
        "ratios": {"flair / mner": 2.5},
        "tables": [
            {"title": "Speed", "columns": ["side", "posts/s"], "rows": [["a|b", 12345.6], ["c", None]], "note": "N."}
        ],
        **changes,
    }


@pytest.fixture
def results(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "train_throughput.json").write_text(json.dumps(record()), encoding="utf-8")
    return folder


def test_page_holds_tables_machine_and_peers(results: Path) -> None:
    page = performance(results)
    for part in (
        "## Train throughput",
        "One epoch over the same posts.",
        "| side | posts/s |",
        "| a\\|b | 12,346 |",
        "| c |  |",
        "Measured 2026-01-02 on A CPU (avx2), 2 cores, 8.0 GiB, Linux; python 3.11, mner 0.1.0.",
        "flair: flair 0.15.1, batch size 32.",
        "GLiNER: not installed.",
        "Settings: posts 64, sizes 1 2.",
    ):
        assert part in page


@pytest.mark.parametrize("key", KEYS)
def test_record_without_a_key_is_refused(results: Path, key: str) -> None:
    damaged = record()
    del damaged[key]
    (results / "train_throughput.json").write_text(json.dumps(damaged), encoding="utf-8")
    with pytest.raises(DataError, match=key):
        performance(results)


def test_no_records_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no benchmark records"):
        performance(tmp_path)


def test_the_first_page_says_what_was_measured_beside_flair() -> None:
    root = Path(__file__).resolve().parents[2]
    folded = json.loads((root / "benchmarks" / "results" / "predict_throughput_folded.json").read_text("utf-8"))
    times = folded["ratios"]["flair / mner onnx int8"]
    assert f"{times:.1f} times flair's on the same sub-tokens" in (root / "README.md").read_text("utf-8")
