from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mner import cli
from mner.errors import ModelError
from mner.tagger import hub


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.app, ["model", *arguments])
    return done.exit_code, done.stdout, done.stderr


def test_fetch_prints_the_folder_of_a_checked_model(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    monkeypatch.setattr(hub, "fetch", lambda name: folder)
    assert run("fetch", "hub:owner/tiny") == (0, f"{folder}\n", "")
    (folder / "README.md").write_text("changed on its way")
    code, out, err = run("fetch", "hub:owner/tiny")
    assert (code, out) == (2, "")
    assert "README.md: changed since the model was saved" in err


def test_fetch_that_fails_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> Path:
        raise ModelError(f"{name}: no network")

    monkeypatch.setattr(hub, "fetch", fail)
    assert run("fetch", "hub:owner/none") == (2, "", "error: hub:owner/none: no network\n")
