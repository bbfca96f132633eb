"""The tutorial's trainings, on a tiny encoder for an epoch, and all that it does with what they leave."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs import ROOT, blocks

PAGE = ROOT / "docs/tutorial.md"


@pytest.mark.slow
def test_tutorial_trains_scores_and_uses(tiny_encoder: Path, tmp_path: Path) -> None:
    train, score, use = blocks(PAGE, by="tests/test_tutorial.py")
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    (tmp_path / "src").symlink_to(ROOT / "src")
    (tmp_path / "configs" / "tiny.toml").write_text(
        f'base = "sample.toml"\n[model]\nencoder = "{tiny_encoder}"\n[training]\nepochs = 1\n'
    )
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    for block in (train, score, use):
        code = block.code.replace("configs/sample.toml", "configs/tiny.toml")
        command = ["bash", "-euo", "pipefail", "-c", code]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{PAGE}:{block.line}\n{code}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "my-results" / "test-uses.jsonl").is_file()
    assert (tmp_path / "my-model" / "model.json").is_file()
