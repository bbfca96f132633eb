"""Packaged model files: the ones that were packaged, or refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mner.errors import ModelError
from mner.vision import sessions


def test_every_packaged_model_file_has_its_hash_also_in_the_notice() -> None:
    models = {path.name for path in sessions.ASSETS.iterdir() if path.suffix in {".onnx", ".json"}}
    assert models == set(sessions.SHA256)
    notice = (sessions.ASSETS / "NOTICE.md").read_text(encoding="utf-8")
    for name, expected in sessions.SHA256.items():
        assert sessions.read_asset(sessions.ASSETS / name)
        assert any(line.startswith(f"| {name} |") and expected in line for line in notice.splitlines())


@pytest.mark.parametrize("name", sorted(sessions.SHA256))
def test_changed_model_file_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(sessions.ASSETS / name, tmp_path / name)
    monkeypatch.setattr(sessions, "ASSETS", tmp_path)
    content = bytearray(sessions.read_asset(tmp_path / name))
    content[len(content) // 2] ^= 1
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name}: damaged: .*install mner again"):
        sessions.read_asset(tmp_path / name)


def test_missing_and_foreign_model_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx: cannot be read"):
        sessions.open_session(tmp_path / "gone.onnx")
    (tmp_path / "text.onnx").write_text("not a network")
    with pytest.raises(ModelError, match=r"text\.onnx: onnxruntime .* cannot load it: .*install mner again"):
        sessions.open_session(tmp_path / "text.onnx")
