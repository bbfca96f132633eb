"""Training begins where a saved model ended, also one that has its weights in an ONNX file alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel

from mner import config as configs
from mner import data
from mner.config import Config
from mner.encoders import find, trim_like
from mner.errors import ConfigError, MissingExtraError, ModelError
from mner.export import export
from mner.models import build
from mner.runtime import read_model
from mner.runtime.saved import seal
from mner.runtime.torch import head_state, load_encoder
from mner.training import train
from mner.training.initial import continue_from, keep_layers
from mner.views.vocabulary import trim

Make = Callable[..., Config]
SIZES = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 16, "num_hidden_layers": 4}


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


def test_training_begins_from_a_model_of_a_trimmed_encoder(
    tiny_encoder: Path, posts_file: Path, corpus: Path, tiny_config: Make, tmp_path: Path
) -> None:
    small = trim(str(tiny_encoder), [posts_file], tmp_path / "small")
    first = train(tiny_config(model={"encoder": str(small.files.folder)}), root=corpus, out=tmp_path) / "model"
    further = {"init": str(first), "encoder": str(tiny_encoder)}
    with pytest.raises(ModelError, match=rf"set model.encoder = {small.files.folder}, model.layers = 0 and model"):
        train(tiny_config(name="next", model=further), root=corpus, out=tmp_path)
    like = trim_like(str(tiny_encoder), first / "tokenizer.json", tmp_path / "like")
    config = tiny_config(name="next", model={**further, "encoder": str(like.files.folder)})
    assert read_model(train(config, root=corpus, out=tmp_path)).labels


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "wider": (
        {"name": "umt", "options": {"regions": 4, "width": 8}},
        r"auxiliary\.attention\.key\.bias is missing, and \d+ more arrays differ\. .*\(\"ita\"\) .* set \[model\]",
    ),
    "shorter": ({"case_shape": False}, r"words\.shapes\.weight is unknown\. .*\(\"ita\"\)"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_model_of_other_layers_is_refused(name: str, tiny_model: Path, tiny_encoder: Path) -> None:
    changes, message = OTHERS[name]
    saved = read_model(tiny_model)
    config = configs.check({"model": {"encoder": str(tiny_encoder), "case_shape": True, **changes}})
    model = build(config, saved.labels, load_encoder(tiny_encoder))
    with pytest.raises(ModelError, match=rf"head\.safetensors: {message}"):
        continue_from(model, saved.labels, saved)


def test_array_of_another_width_is_refused_though_labels_differ(tiny_model: Path, tiny_encoder: Path) -> None:
    saved = read_model(tiny_model)
    wide = {**saved.head, "emission.weight": np.ones((len(saved.labels), 64), np.float32)}
    model = build(saved.config, saved.labels[:5], load_encoder(tiny_encoder))
    message = r"emission\.weight has the shape \(17, 64\), expected \(5, 32\)"
    with pytest.raises(ModelError, match=message):
        continue_from(model, saved.labels[:5], replace(saved, head=wide))


def test_model_of_the_words_alone_begins_one_with_pictures(tiny_model: Path, tiny_encoder: Path) -> None:
    saved = read_model(tiny_model)
    words = saved.config.model_copy(update={"model": saved.config.model.model_copy(update={"name": "text"})})
    model = build(saved.config, saved.labels, load_encoder(tiny_encoder))
    assert continue_from(model, saved.labels, replace(saved, config=words)) == []
    np.testing.assert_array_equal(head_state(model)["emission.weight"].numpy(), saved.head["emission.weight"])


def test_encoder_of_another_shape_is_refused(exported: Path, tiny_encoder: Path) -> None:
    from transformers import BertConfig, BertModel

    saved = read_model(exported)
    other = BertModel(BertConfig(vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=2))
    with pytest.raises(ModelError, match=r"its encoder is not the one of model\.encoder"):
        continue_from(build(saved.config, saved.labels, other), saved.labels, saved)


@pytest.mark.parametrize("kind", ["bert", "mpnet", "xlm-roberta"])
def test_vectors_are_those_of_the_last_layer_that_stays(kind: str) -> None:
    torch.manual_seed(0)
    encoder = AutoModel.from_config(AutoConfig.for_model(kind, vocab_size=30, **SIZES)).eval()
    ids = torch.arange(2, 16).view(2, 7)
    with torch.inference_mode():
        every = encoder(input_ids=ids, output_hidden_states=True).hidden_states
        for layers in (4, 3, 1):
            keep_layers(encoder, layers)
            torch.testing.assert_close(encoder(input_ids=ids).last_hidden_state, every[layers])
            assert encoder.config.num_hidden_layers == layers


def test_layers_that_are_not_there_are_refused() -> None:
    encoder = AutoModel.from_config(AutoConfig.for_model("bert", vocab_size=30, **SIZES))
    with pytest.raises(ConfigError, match=r"model\.layers: 5, but the encoder has 4; 0 keeps all"):
        keep_layers(encoder, 5)
    other = AutoModel.from_config(AutoConfig.for_model("distilbert", vocab_size=30, dim=8, n_heads=2, hidden_dim=16))
    with pytest.raises(ConfigError, match="cannot leave out layers of distilbert; set it to 0"):
        keep_layers(other, 1)
