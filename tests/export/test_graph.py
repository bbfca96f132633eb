"""One graph for every shape of input, whichever encoder is below it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from mner import config as configs
from mner import tags
from mner.errors import ModelError
from mner.export.graph import write_graph
from mner.models import build
from mner.runtime.onnx import open_session
from mner.runtime.torch import TorchRuntime
from mner.views import Batch

LABELS = tags.bioes_labels(["PER", "LOC"])
SIZES: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 160,
}
ENCODERS = {
    "Bert": SIZES,
    "Roberta": {**SIZES, "pad_token_id": 1},
    "XLMRoberta": {**SIZES, "pad_token_id": 1},
    "MPNet": {**SIZES, "pad_token_id": 1},
    "Electra": {**SIZES, "embedding_size": 16},
    "DistilBert": {"vocab_size": 60, "dim": 32, "n_layers": 2, "n_heads": 2, "hidden_dim": 48},
}


def model_on(name: str, *, case_shape: bool = False) -> nn.Module:
    import transformers

    torch.manual_seed(3)
    settings = getattr(transformers, f"{name}Config")(**ENCODERS[name])
    encoder = getattr(transformers, f"{name}Model")(settings)
    model = build(configs.check({"model": {"case_shape": case_shape}}), LABELS, encoder).eval()
    tagger = cast(Any, model).tagger
    torch.nn.init.normal_(tagger.emission.weight, std=1.0)
    if case_shape:
        torch.nn.init.normal_(tagger.words.shapes.weight, std=0.5)
    return model


def batch_of(windows: int, tokens: int, posts: int, words: int, *, pad_id: int = 1) -> Batch:
    random = np.random.default_rng(windows * tokens + words)
    lengths = random.integers(1, tokens + 1, windows)
    lengths[0] = tokens
    mask = (np.arange(tokens) < lengths[:, None]).astype(np.int64)
    ids = np.where(mask == 1, random.integers(5, 60, mask.shape), pad_id)
    index = np.where(random.random((posts, words)) < 0.2, -1, random.integers(0, windows * tokens, (posts, words)))
    owners = np.sort(random.integers(0, posts, windows))
    return Batch(ids, mask, random.integers(0, 9, mask.shape) * mask, index, np.full(posts, words), owners)


@pytest.mark.parametrize("name", list(ENCODERS))
def test_graph_gives_the_scores_of_torch_for_every_shape(name: str, tmp_path: Path) -> None:
    model = model_on(name, case_shape=name in ("Bert", "Electra"))
    write_graph(model, tmp_path / "model.onnx")
    session = open_session(tmp_path / "model.onnx", threads=1)
    inputs = [value.name for value in session.get_inputs()]
    runtime = TorchRuntime(model, LABELS, 1)
    # One post alone; posts of one window; a post of three windows beside another; inputs longer than the traced one.
    for shape in ((1, 3, 1, 1), (5, 9, 5, 4), (4, 40, 2, 30), (2, 120, 2, 3)):
        batch = batch_of(*shape)
        computed = session.run(["emissions"], {value: getattr(batch, value) for value in inputs})[0]
        assert computed.shape == (shape[2], shape[3], len(LABELS))
        np.testing.assert_allclose(computed, runtime.emissions(batch, "T"), atol=2e-5)


def test_word_without_subtoken_scores_as_a_zero_vector(tmp_path: Path) -> None:
    model = model_on("Bert")
    write_graph(model, tmp_path / "model.onnx")
    session = open_session(tmp_path / "model.onnx", threads=1)
    batch = batch_of(2, 6, 2, 3)
    arrays = {value.name: getattr(batch, value.name) for value in session.get_inputs()}
    arrays["word_index"] = np.full((2, 3), -1)
    bias = cast(Any, model).tagger.emission.bias.detach().numpy()
    np.testing.assert_array_equal(session.run(None, arrays)[0], np.broadcast_to(bias, (2, 3, len(LABELS))))


@pytest.mark.parametrize("case_shape", [True, False])
def test_graph_takes_shapes_only_where_the_model_has_them(case_shape: bool, tmp_path: Path) -> None:
    write_graph(model_on("Bert", case_shape=case_shape), tmp_path / "model.onnx")
    names = [value.name for value in onnx.load(tmp_path / "model.onnx").graph.input]
    assert ("shapes" in names) == case_shape
    assert set(names) - {"shapes"} == {"input_ids", "attention_mask", "word_index"}


def test_export_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    model = model_on("Bert")
    encoder = cast(Any, model).tagger.words.encoder
    before = encoder.config._attn_implementation
    write_graph(model, tmp_path / "model.onnx")
    assert encoder.config._attn_implementation == before != "eager"


def test_too_large_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mner.export.graph.LARGEST", 1000)
    with pytest.raises(ModelError, match="one ONNX file holds"):
        write_graph(model_on("Bert"), tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
