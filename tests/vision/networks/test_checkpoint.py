"""Faulty checkpoints are refused, with what is wrong and where whole ones are."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from tiny_models import published

from mner.errors import ModelError
from mner.vision.networks.c4_layouts import BOTTOMUP, VINVL
from mner.vision.networks.regions import load

WHOLE = r"published in github\.com/microsoft/scene_graph_benchmark"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    published.vinvl(tmp_path)
    return tmp_path


def test_half_a_checkpoint_is_refused(folder: Path) -> None:
    state = published.vinvl_state()
    published.save(folder, {key: array for key, array in state.items() if "layer3" not in key})
    key = r"backbone\.body\.layer3\.0\.conv1\.weight"
    with pytest.raises(ModelError, match=rf"20 missing arrays, such as {key}\. .*{WHOLE}"):
        load(folder, device="cpu")


@pytest.mark.parametrize("kind", ["vinvl", "bottomup"])
def test_missing_array_has_its_published_key(kind: str, tmp_path: Path) -> None:
    getattr(published, kind)(tmp_path)
    state = getattr(published, f"{kind}_state")()
    layout = {"vinvl": VINVL, "bottomup": BOTTOMUP}[kind]
    for key in state:
        if any(re.fullmatch(pattern, key) for pattern in layout.unused) or "anchor_generator" in key:
            continue
        published.save(tmp_path, {other: array for other, array in state.items() if other != key})
        with pytest.raises(ModelError, match=rf"1 missing array, such as {re.escape(key)}\. "):
            load(tmp_path, device="cpu")


def test_checkpoint_with_an_unknown_array_is_refused(folder: Path) -> None:
    published.save(folder, {**published.vinvl_state(), "backbone.body.layer9.0.conv1.weight": np.ones(3)})
    with pytest.raises(ModelError, match=r"1 unknown array, such as backbone\.body\.layer9\.0\.conv1\.weight"):
        load(folder, device="cpu")


def test_another_model_is_refused(folder: Path) -> None:
    published.save(folder, {"bert.embeddings.word_embeddings.weight": np.ones((4, 4))})
    with pytest.raises(ModelError, match=rf"no detector in the layout of VinVL or Bottom-Up.*{WHOLE}"):
        load(folder, device="cpu")


def test_checkpoint_of_other_sizes_is_refused(folder: Path) -> None:
    published.write(folder, "config.json", {**published.C4, "hidden": 7})
    with pytest.raises(
        ModelError, match=r"attribute\.predictor\.attr_score\.weight has the shape \(5, 6\), the network's \(5, 7\)"
    ):
        load(folder, device="cpu")
    published.write(folder, "config.json", {**published.C4, "hiden": 7})
    with pytest.raises(ModelError, match=r"config\.json: hiden: .*known: stem, blocks, groups"):
        load(folder, device="cpu")


def test_nan_names_its_array(folder: Path) -> None:
    state = published.vinvl_state()
    state["rpn.head.conv.bias"][0] = np.nan
    published.save(folder, state)
    with pytest.raises(ModelError, match=r"rpn\.head\.conv\.bias holds NaN"):
        load(folder, device="cpu")


def test_vocabulary_of_other_classes_is_refused(folder: Path) -> None:
    path = folder / "VG-SGG-dicts-vgoi6-clipped.json"
    whole = path.read_text("utf-8")
    path.write_text(whole.replace('"tree": 4, "street sign": 5', '"tree": 4'), "utf-8")
    with pytest.raises(ModelError, match=r"clipped\.json: names 4 objects, the checkpoint has 5"):
        load(folder, device="cpu")
    path.write_text(whole.replace('"tree": 4', '"tree": 9'), "utf-8")
    with pytest.raises(ModelError, match=r"clipped\.json: damaged"):
        load(folder, device="cpu")
    path.unlink()
    with pytest.raises(ModelError, match=rf"clipped\.json: missing.*{WHOLE}"):
        load(folder, device="cpu")


def test_vocabulary_of_bottomup_is_counted_too(tmp_path: Path) -> None:
    published.bottomup(tmp_path)
    published.write(tmp_path, "attributes_vocab.txt", "tall\nred\n")
    with pytest.raises(ModelError, match=r"attributes_vocab\.txt: names 2 attributes, the checkpoint has 4"):
        load(tmp_path, device="cpu")
    (tmp_path / "objects_vocab.txt").unlink()
    with pytest.raises(ModelError, match=r"objects_vocab\.txt.*published in github\.com/MILVLG"):
        load(tmp_path, device="cpu")


def test_damaged_and_missing_files_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match=r"model\.safetensors: damaged"):
        load(folder, device="cpu")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=rf"model\.safetensors: missing\. .*{WHOLE}"):
        load(folder, device="cpu")
