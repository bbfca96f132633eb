"""A backend whose folder is not there, or not named, says so before torch is imported."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from mner.errors import ConfigError, MissingExtraError
from mner.vision.detectors.c4 import ABOUT, Detector, Options


def test_folder_must_be_named_and_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="detector c4 needs the option model: a folder with the published"):
        Detector(Options())
    with pytest.raises(ConfigError, match="no such folder"):
        Detector(Options(model=tmp_path / "none"))
    assert "option model" in (ABOUT.lacking(Options()) or "") and ABOUT.lacking(Options(model=tmp_path)) is None


def test_its_files_decide_whether_pictures_are_read_again(tmp_path: Path) -> None:
    for name in ("model.safetensors", "objects_vocab.txt", "config.json", "old.pth"):
        (tmp_path / name).touch()
    names = [path.name for path in ABOUT.models(Options(model=tmp_path))]
    assert names == ["config.json", "model.safetensors", "objects_vocab.txt"]


def test_missing_torch_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "mner\[vision-hub\]"'):
        Detector(Options(model=tmp_path))
