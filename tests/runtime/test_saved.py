"""Saved models: written whole, verified when read, refused with a reason."""

from __future__ import annotations

import errno
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import mner
from mner.errors import MissingExtraError, ModelError
from mner.folders import old_of, part_of
from mner.runtime import open_model, read_model
from mner.runtime.saved import amend_model, seal


@pytest.fixture
def copy(tiny_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def reseal(folder: Path) -> None:
    manifest = json.loads((folder / "model.json").read_text())
    seal(folder, {key: value for key, value in manifest.items() if key not in {"format", "mner", "files"}})


def test_read_model_tells_labels_chain_and_fingerprint(tiny_model: Path) -> None:
    saved = read_model(tiny_model)
    assert saved.labels[:5] == ("O", "B-LOC", "I-LOC", "E-LOC", "S-LOC")
    assert saved.chain.transitions.shape == (17, 17)
    assert len(saved.fingerprint) == 12
    assert read_model(tiny_model.parent).folder == tiny_model, "a run directory leads to its model"


def test_saved_directory_holds_no_pickle(tiny_model: Path) -> None:
    assert {path.suffix for path in tiny_model.rglob("*") if path.is_file()} <= {
        ".json",
        ".toml",
        ".md",
        ".safetensors",
    }


@pytest.mark.parametrize("name", ["head.safetensors", "tokenizer.json", "config.toml", "encoder/model.safetensors"])
def test_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        read_model(copy)


@pytest.mark.parametrize("name", ["head.safetensors", "tokenizer.json", "config.toml", "encoder/model.safetensors"])
def test_changed_file_is_named(copy: Path, name: str) -> None:
    with (copy / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(ModelError, match=f"{name}: changed"):
        read_model(copy)


def test_other_format_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / "model.json").read_text())
    (copy / "model.json").write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(ModelError, match="saved in format 99"):
        read_model(copy)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}'])
def test_damaged_manifest_is_refused(copy: Path, text: str) -> None:
    (copy / "model.json").write_text(text)
    with pytest.raises(ModelError, match=r"model\.json"):
        read_model(copy)


def test_folder_without_model_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="mner train"):
        read_model(tmp_path)


def test_label_count_that_disagrees_with_the_chain_is_refused(copy: Path) -> None:
    head = load_file(copy / "head.safetensors")
    save_file({**head, "crf.start": np.zeros(3, np.float32)}, copy / "head.safetensors")
    reseal(copy)
    with pytest.raises(ModelError, match=r"crf\.start has shape \(3,\), but model\.json lists 17 labels"):
        read_model(copy)


def test_manifest_cannot_point_outside_the_model(copy: Path) -> None:
    manifest = json.loads((copy / "model.json").read_text())
    manifest["files"]["../secret"] = "0"
    (copy / "model.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="outside the model"):
        read_model(copy)


def test_model_that_names_foreign_code_is_refused_unless_allowed(copy: Path) -> None:
    text = (copy / "config.toml").read_text().replace('captioner = "template"', 'captioner = "their_pkg.caption"')
    (copy / "config.toml").write_text(text)
    reseal(copy)
    with pytest.raises(ModelError, match=r"code outside mner: their_pkg\.caption"):
        read_model(copy)
    assert read_model(copy, allow_plugins=True).config.vision.captioner == "their_pkg.caption"


def test_unknown_array_in_the_head_is_refused(copy: Path) -> None:
    head = load_file(copy / "head.safetensors")
    save_file({**head, "stray": np.zeros(3, np.float32)}, copy / "head.safetensors")
    reseal(copy)
    with pytest.raises(ModelError, match="stray"):
        open_model(read_model(copy), backend="torch")


def test_without_torch_the_message_says_what_to_install(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "mner.runtime.torch", None)
    with pytest.raises(MissingExtraError, match=r'pip install "mner\[train\]"'):
        open_model(read_model(tiny_model), backend="torch")


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions there")
def test_all_files_of_a_model_are_as_readable_as_new_ones(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "new").touch()
    modes = {path.stat().st_mode for path in (tmp_path / "new", *tiny_model.rglob("*")) if path.is_file()}
    assert len(modes) == 1


def test_model_whose_replacement_was_killed_is_found(copy: Path) -> None:
    fingerprint = read_model(copy).fingerprint
    copy.rename(old_of(copy))
    part_of(copy).mkdir()
    assert read_model(copy).fingerprint == fingerprint
    copy.rename(old_of(copy))
    assert read_model(copy.parent).fingerprint == fingerprint, "a run directory leads to its model"


def test_what_others_put_into_a_model_stays(tiny_model: Path, copy: Path) -> None:
    (copy / "notes.txt").write_text("mine")
    (copy / "encoder" / "notes.txt").write_text("mine, too")
    (copy / "model.onnx").write_text("of an older mner, not listed")
    amend_model(read_model(tiny_model), copy, change=lambda part: {})
    assert (copy / "notes.txt").read_text() == "mine"
    assert (copy / "encoder" / "notes.txt").read_text() == "mine, too"
    assert read_model(copy).manifest["files"] == read_model(tiny_model).manifest["files"]


def test_full_disk_leaves_the_old_model(tiny_model: Path, copy: Path) -> None:
    def full(part: Path) -> dict[str, str]:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = read_model(copy).fingerprint
    with pytest.raises(ModelError, match=r"model: cannot be written: .*No space left on device; make room"):
        amend_model(read_model(tiny_model), copy, change=full)
    assert read_model(copy).fingerprint == before
    assert [path.name for path in copy.parent.iterdir()] == ["model"]


def test_text_model_is_trained_on_words_whatever_its_loss_says(copy: Path) -> None:
    saved = read_model(copy)
    assert saved.views == ("T", "I+T")
    text = (copy / "config.toml").read_text()
    (copy / "config.toml").write_text(text.replace('name = "ita"', 'name = "text"'))
    manifest = json.loads((copy / "model.json").read_text())
    about = {key: manifest[key] for key in ("model", "labels", "encoder")}  # as mner 0.1 wrote it: no views
    seal(copy, about)
    assert read_model(copy).views == ("T",)
    prediction = mner.load(copy)("Kevin Love", context="two people")
    assert (prediction.view, prediction.image_status) == ("T", "disabled")
    assert prediction.reason == "the model was trained on the words alone"


def test_new_model_says_which_views_it_was_trained_on(copy: Path) -> None:
    assert json.loads((copy / "model.json").read_text())["views"] == ["T", "I+T"]
    manifest = json.loads((copy / "model.json").read_text())
    seal(copy, {**{key: manifest[key] for key in ("model", "labels", "encoder")}, "views": ["T"]})
    assert mner.load(copy)("Kevin Love", context="two people").image_status == "disabled"
