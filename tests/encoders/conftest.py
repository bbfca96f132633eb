"""Encoder folders without weights worth the name, and a cache of their own for every test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of mner's, and an empty one of the hub's."""
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "cache" / "encoders"


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Writes an encoder's folder; keyword arguments go into its config.json."""

    def write(folder: Path = tmp_path / "encoder", tokenizer: bool = True, **config: Any) -> Path:
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "model.safetensors").write_bytes(b"weights")
        if tokenizer:
            (folder / "tokenizer.json").write_text("{}")
        return folder

    return write
