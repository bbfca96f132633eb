"""A tiny data set with contexts, and the configuration that trains on it in a second."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mner import config as configs
from mner.config import Config


@pytest.fixture
def corpus(tmp_path: Path, posts_file: Path) -> Path:
    """A folder with train.txt, dev.txt, test.txt and contexts.jsonl."""
    text = posts_file.read_text(encoding="utf-8")
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("train", "dev", "test"):
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    rows = [
        {"image": f"{number}.jpg", "captions": [{"text": "a team won a game" if number % 2 else "two people"}]}
        for number in range(1, 13)
    ]
    (folder / "contexts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.fixture
def tiny_config(tiny_encoder: Path) -> Callable[..., Config]:
    """A function that makes a configuration for the corpus; keywords are whole sections, merged over it."""

    def make(**sections: Any) -> Config:
        table: dict[str, Any] = {
            "name": "tiny",
            "data": {
                "name": "corpus",
                "train": "train.txt",
                "dev": "dev.txt",
                "test": "test.txt",
                "contexts": ["contexts.jsonl"],
            },
            "model": {"encoder": str(tiny_encoder), "case_shape": True},
            "loss": {"cva": "posterior"},
            "training": {"epochs": 2, "posts_per_step": 5, "encoder_lr": 1e-3, "device": "cpu", "threads": 1},
        }
        for name, section in sections.items():
            table[name] = {**table.get(name, {}), **section} if isinstance(section, dict) else section
        return configs.check(table)

    return make
