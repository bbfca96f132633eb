"""The model that comes with the package, where it is there; and what is said where it is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import mner
from mner.errors import ModelError
from mner.tagger.opening import READY, model_folder, packaged

PRESENT = (READY / "model.json").is_file()
FILES = {"README.md", "config.toml", "head.safetensors", "model.int8.onnx", "model.json", "tokenizer.json"}
CODE = """
import json, sys, warnings
warnings.simplefilter("error")
for name in ("torch", "transformers", "accelerate", "scipy"):
    sys.modules[name] = None  # any import of it fails
import mner
tagger = mner.load(threads=1)
found = tagger("Kevin Love is back in Cleveland")
seen = tagger("Kevin Love is back in Cleveland", context="a photo of two people")
print(json.dumps([list(tagger.labels), found.to_dict(), seen.to_dict()]))
"""


def test_ready_model_tags_without_torch_or_its_absence_is_an_error() -> None:
    if not PRESENT:
        with pytest.raises(ModelError, match="no ready model"):
            mner.load()
        return
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    labels, alone, seen = json.loads(done.stdout)
    assert labels == ["LOC", "MISC", "ORG", "PER"]
    entities = {(entity["text"], entity["label"]) for entity in alone["entities"]}
    assert {("Kevin Love", "PER"), ("Cleveland", "LOC")} <= entities
    assert (alone["view"], seen["view"], seen["image_status"]) == ("T", "I+T", "used")
    assert done.stderr == ""


def test_ready_model_is_small_complete_and_names_no_place() -> None:
    if not PRESENT:
        with pytest.raises(ModelError, match="mner train"):
            packaged()
        return
    assert {path.name for path in READY.iterdir()} == FILES
    assert sum(path.stat().st_size for path in READY.iterdir()) <= 60_000_000
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in READY.iterdir())
    written = "".join((READY / name).read_text(encoding="utf-8") for name in ("README.md", "config.toml", "model.json"))
    assert '"/' not in written and "smoke test" not in written
    assert "no post and no picture" in written.lower()


def test_model_is_found_by_its_name_unless_a_folder_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mner.tagger.opening.READY", tmp_path / "ready")
    (tmp_path / "ready").mkdir()
    (tmp_path / "ready" / "model.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert model_folder("social-en") == model_folder() == tmp_path / "ready"
    (tmp_path / "social-en").mkdir()
    assert model_folder("social-en") == Path("social-en")


def test_features_for_a_model_that_reads_none_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"reads no features of pictures; leave out the features, .*photos"):
        mner.load(tiny_model, features=tmp_path / "photos")


def test_folder_of_runs_is_called_so(tmp_path: Path) -> None:
    for seed in ("1", "2"):
        (tmp_path / "text" / seed / "model").mkdir(parents=True)
        (tmp_path / "text" / seed / "model" / "model.json").write_text("{}")
    with pytest.raises(ModelError, match=r"text: a folder of runs, not a model; name one of them: .*text.1$"):
        model_folder(tmp_path / "text")
    assert model_folder(tmp_path / "text" / "2") == tmp_path / "text" / "2"
