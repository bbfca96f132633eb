"""The torch runtime: word vectors are what the emission layer reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mner import encoders
from mner.errors import ModelError
from mner.runtime import read_model
from mner.runtime.torch import TorchRuntime
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
