"""Type checkers see mner's types from outside: the examples, copied away, against the installed package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import mner

ROOT = Path(__file__).resolve().parents[1]
NO_TYPES = "[mypy-pandas.*,spacy.*,torch.*,transformers.*,scipy.*,cv2.*]\nignore_missing_imports = true\n"
REVEALED = {
    "mner.load()": "Tagger",
    'mner.load()("Oslo").entities[0].score': "float",
    'mner.load().batch(["Oslo"])': "list[Prediction]",
    'mner.Post("Oslo").words': "tuple[str, ...]",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project beside an environment in which mner is installed; nothing of the repository's settings."""
    top = tmp_path_factory.mktemp("outside")
    venv.create(top / "env", with_pip=False, symlinks=True)
    site = sysconfig.get_path("purelib", vars={"base": str(top / "env")})
    installed = (str(Path(mner.__file__).parents[1]), sysconfig.get_path("purelib"))
    (Path(site) / "outside.pth").write_text("\n".join(installed))
    folder = top / "project"
    shutil.copytree(ROOT / "examples", folder, ignore=shutil.ignore_patterns("__pycache__"))
    lines = [f"reveal_type({expression})" for expression in REVEALED]
    (folder / "revealed.py").write_text("\n".join(["import mner", *lines, ""]))
    (folder / "wrong.py").write_text('import mner\n\nmner.load()("Oslo").entities[0].scroe\nmner.laod()\n')
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    alone = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "MYPYPATH"}}
    return subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_mypy_strict_accepts_the_examples_and_sees_the_types(project: Path) -> None:
    (project / "mypy.ini").write_text(f"[mypy]\nstrict = true\n{NO_TYPES}follow_imports = skip\n")
    python = str(project.parent / "env" / "bin" / "python")
    done = run(project, sys.executable, "-m", "mypy", "--python-executable", python, ".")
    faults = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert [line.partition(":")[0] for line in faults] == ["wrong.py"] * 2, done.stdout + done.stderr
    assert '"scroe"' in faults[0] and '"laod"' in faults[1]
    revealed = [line.rpartition('"')[0].rpartition('"')[2] for line in done.stdout.splitlines() if "Revealed" in line]
    assert [shown.replace("mner.tagger.tagger.", "").replace("mner.types.", "") for shown in revealed] == [
        *REVEALED.values()
    ]


@pytest.mark.slow
def test_pyright_strict_accepts_the_examples_and_sees_the_types(project: Path) -> None:
    pytest.importorskip("basedpyright", reason="basedpyright, which brings its own node, is not installed")
    settings = {"typeCheckingMode": "strict", "venvPath": "..", "venv": "env"}
    pandas = {"reportMissingTypeStubs": False, "reportUnknownMemberType": False}  # pandas has no types
    (project / "pyrightconfig.json").write_text(json.dumps({**settings, **pandas, "exclude": ["wrong.py"]}))
    done = run(project, sys.executable, "-m", "basedpyright", "--outputjson")
    diagnostics = json.loads(done.stdout)["generalDiagnostics"]
    faults = [f"{Path(each['file']).name}: {each['message']}" for each in diagnostics if each["severity"] == "error"]
    assert faults == []
    shown = [each["message"] for each in diagnostics if each["severity"] == "information"]
    assert [message.rpartition(' is "')[2].rstrip('"') for message in shown] == [*REVEALED.values()]
