"""The torch runtime: word vectors are what the emission layer reads."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mner import encoders
from mner.errors import ModelError
from mner.runtime import read_model
from mner.runtime.torch import NO_MEMORY, TorchRuntime, _fitting, load_encoder
from mner.views import Views, collate


def test_word_vectors_give_the_label_scores(tiny_model: Path) -> None:
    saved = read_model(tiny_model)
    runtime = TorchRuntime.load(saved)
    views = Views(encoders.of_model(saved.folder, saved.manifest["encoder"]), saved.config.context)
    batch = collate(views.encode_many([["kevin", "love", "won"], ["paris"]]), pad_id=runtime.pad_id)
    runtime.model.train()
    vectors = runtime.word_vectors(batch, "T")
    assert runtime.model.training  # as it was, and no dropout in between
    weight, bias = saved.head["emission.weight"], saved.head["emission.bias"]
    assert vectors.shape == (2, 3, 32)
    np.testing.assert_allclose(vectors @ weight.T + bias, runtime.emissions(batch, "T"), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("words.shapes.weight", None, r"words\.shapes\.weight is missing; copy the whole model again"),
        ("visual.bias", (3,), r"visual\.bias is unknown; copy the whole model again"),
        ("emission.weight", (17, 9), r"emission\.weight has the shape \(17, 9\), expected \(17, 32\); copy the whole"),
    ],
)
def test_arrays_of_another_model_are_named_with_what_to_do(
    name: str, shape: tuple[int, ...] | None, message: str, tiny_model: Path
) -> None:
    saved = read_model(tiny_model)
    head = {key: array for key, array in saved.head.items() if key != name}
    if shape is not None:
        head[name] = np.ones(shape, np.float32)
    with pytest.raises(ModelError, match=rf"head\.safetensors: {message}"):
        TorchRuntime.load(replace(saved, head=head))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_reads_more_at_once_on_another_device_than_the_cpu(tiny_model: Path, device: str) -> None:
    runtime = TorchRuntime.load(read_model(tiny_model))
    runtime.model.to(device)  # a tensor on "meta" has a shape and no numbers
    assert runtime.tokens_per_batch == {"cpu": 1024, "meta": 16_384}[device]


State = dict[str, torch.Tensor]


def _without_a_layer(state: State) -> State:
    return {name: array for name, array in state.items() if not name.startswith("encoder.layer.1.")}


def _renamed(state: State) -> State:
    return {f"gpt.{name}": array for name, array in state.items()}


def _with_a_layer(state: State) -> State:
    deeper = {
        name.replace("layer.1.", "layer.2."): array.clone() for name, array in state.items() if "layer.1." in name
    }
    return {**state, **deeper}


def _wider(state: State) -> State:
    return {**state, "encoder.layer.0.intermediate.dense.weight": torch.zeros(65, 32)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            _without_a_layer,
            r"lack 16 arrays \(encoder\.layer\.1\.attention\.output\.LayerNorm\.bias, .*\.\.\.\) of the model; "
            "copy or fetch the whole model",
        ),
        (
            _renamed,
            r"lack 37 arrays \(embeddings\..* and hold 37 arrays \(gpt\.embeddings.* that it does not have; copy",
        ),
        (_with_a_layer, r"hold 16 arrays \(encoder\.layer\.2\..* that the network of config\.json does not have"),
        (
            _wider,
            r"encoder\.layer\.0\.intermediate\.dense\.weight has the shape \(65, 32\), but config\.json says "
            r"\(64, 32\); the weights and config.json belong to different models",
        ),
    ],
)
def test_weights_of_half_or_another_encoder_are_refused(
    change: Callable[[State], State], message: str, tiny_encoder: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=rf"encoder: (its files )?{message}"):
        load_encoder(folder)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_encoder_in_half_precision_computes_in_whole(dtype: torch.dtype, tiny_encoder: Path, tmp_path: Path) -> None:
    half = load_encoder(tiny_encoder).to(dtype)
    half.save_pretrained(tmp_path)
    read = load_encoder(tmp_path).state_dict()
    assert all(torch.equal(array, read[name].to(dtype)) for name, array in half.state_dict().items())
    assert {array.dtype for array in read.values() if array.is_floating_point()} == {torch.float32}


def test_memory_that_is_short_is_no_damage() -> None:
    with pytest.raises(MemoryError, match="tried to allocate"), _fitting():
        raise RuntimeError(f"DefaultCPUAllocator: {NO_MEMORY}: you tried to allocate 9 bytes")


@pytest.mark.parametrize(
    "network",
    [
        "BertForPreTraining", "RobertaForMaskedLM", "XLMRobertaForMaskedLM", "CamembertModel", "CamembertForMaskedLM",
        "ElectraForPreTraining", "ElectraForMaskedLM", "DistilBertForMaskedLM", "MPNetForMaskedLM",
        "AlbertForPreTraining", "DebertaV2ForMaskedLM", "SqueezeBertForMaskedLM",
    ],
)  # fmt: skip
def test_encoder_is_read_from_the_layout_of_a_pretrained_model(network: str, tmp_path: Path) -> None:
    import transformers

    kind = getattr(transformers, network)
    sizes = {"hidden_size": 8, "embedding_size": 8 if "Squeeze" in network else 4, "intermediate_size": 16}
    lengths = {"num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 20}
    whole = kind(kind.config_class(vocab_size=30, **sizes, **lengths))
    whole.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    buffer = {f"{whole.base_model_prefix}.embeddings.position_ids": torch.arange(20)[None]}
    regions = {"img_embedding.bias": torch.ones(3)}
    save_file({**weights, **buffer, **regions}, tmp_path / "model.safetensors", metadata={"format": "pt"})
    state = load_encoder(tmp_path).state_dict()
    base = getattr(whole, whole.base_model_prefix, whole).state_dict()
    assert all(torch.equal(array, base[name]) for name, array in state.items() if "pooler" not in name)
