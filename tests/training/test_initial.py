"""Training begins where a saved model ended, also one that has its weights in an ONNX file alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mner import data
from mner.config import Config
from mner.encoders import find
from mner.errors import MissingExtraError, ModelError
from mner.export import export
from mner.models import build
from mner.runtime import read_model
from mner.runtime.saved import seal
from mner.runtime.torch import load_encoder
from mner.training import train
from mner.training.initial import continue_from

Make = Callable[..., Config]


@pytest.fixture(scope="module")
def exported(tiny_model: Path, posts_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that can only predict: ONNX files, no weights for torch."""
    out = tmp_path_factory.mktemp("exported") / "model"
    posts = list(data.read(posts_file))
    return export(tiny_model, int8=True, out=out, posts=posts, keep_encoder=False, threads=1).folder


@pytest.mark.parametrize(("leave", "tolerance"), [("model.int8.onnx", 0.0), ("model.onnx", 0.02)])
def test_weights_come_from_an_onnx_file_where_there_are_no_others(
    exported: Path, tiny_model: Path, tiny_encoder: Path, tmp_path: Path, leave: str, tolerance: float
) -> None:
    folder = Path(shutil.copytree(exported, tmp_path / "model"))
    (folder / leave).unlink()
    manifest = read_model(exported).manifest
    seal(folder, {key: value for key, value in manifest.items() if key not in ("format", "mner", "files", "sha256")})
    saved = read_model(folder)
    model = build(saved.config, saved.labels, load_encoder(find(str(tiny_encoder)).folder))
    with torch.no_grad():
        for value in model.parameters():
            value.fill_(7.0)
    assert continue_from(model, saved.labels, saved) == []
    wanted = load_file(tiny_model / "encoder" / "model.safetensors")
    taken = model.encoders()[0].state_dict()
    assert taken.keys() == wanted.keys()
    for name, value in wanted.items():
        assert torch.allclose(taken[name], value, atol=tolerance * float(value.abs().max()), rtol=0), name


def test_training_begins_from_a_model_that_can_only_predict(
    exported: Path, corpus: Path, tiny_config: Make, tmp_path: Path
) -> None:
    config = tiny_config(model={"init": str(exported)}, training={"epochs": 1})
    assert read_model(train(config, root=corpus, out=tmp_path)).labels


def test_without_the_onnx_package_the_message_says_what_to_install(
    exported: Path, corpus: Path, tiny_config: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r'pip install "mner\[export\]"'):
        train(tiny_config(model={"init": str(exported)}), root=corpus, out=tmp_path)


def test_encoder_of_another_shape_is_refused(exported: Path, tiny_encoder: Path) -> None:
    from transformers import BertConfig, BertModel

    saved = read_model(exported)
    other = BertModel(BertConfig(vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=2))
    with pytest.raises(ModelError, match=r"its encoder is not the one of model\.encoder"):
        continue_from(build(saved.config, saved.labels, other), saved.labels, saved)
