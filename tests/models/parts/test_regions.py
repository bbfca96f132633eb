"""Regions beside text: which type a token has, and what a region's vector goes through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mner.errors import ConfigError
from mner.models.parts.encoder import WordEncoder
from mner.models.parts.regions import RegionEncoder, token_types
from mner.runtime.torch import load_encoder


def test_token_types_change_after_the_first_separator() -> None:
    ids = torch.tensor([[2, 7, 8, 3, 9, 3], [2, 7, 3, 0, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]])
    types = token_types({"input_ids": ids, "attention_mask": mask})
    assert types.tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0]]


def test_sequence_equals_the_layers_on_text_and_projected_regions(tiny_encoder: Path) -> None:
    """The layers of the encoder, one after another, on a sequence that is put together by hand."""
    torch.manual_seed(0)
    network = load_encoder(tiny_encoder).eval()
    part = RegionEncoder(
        WordEncoder(network, word_dropout=0.0, case_shape=False), width=4, most=2, dropout=0.1, norm=True
    ).eval()
    ids = torch.tensor([[2, 7, 3, 9, 3]])
    noise = np.random.default_rng(3)
    arrays = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "window_post": torch.tensor([0]),
        "regions": torch.tensor(noise.normal(size=(1, 3, 4)), dtype=torch.float32),
        "boxes": torch.tensor(noise.uniform(size=(1, 3, 6)), dtype=torch.float32),
        "regions_mask": torch.ones((1, 3), dtype=torch.int64),
    }
    table = network.embeddings
    types, places = torch.tensor([[0, 0, 0, 1, 1]]), torch.arange(5)
    text = table.LayerNorm(
        table.word_embeddings(ids) + table.position_embeddings(places) + table.token_type_embeddings(types)
    )
    visual = torch.cat([arrays["regions"], arrays["boxes"]], -1)[:, :2] @ part.visual.weight.T + part.visual.bias
    centred = visual - visual.mean(-1, keepdim=True)
    visual = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-12)  # its weight is 1, its bias 0
    expected = torch.cat([text, visual], 1)
    for layer in network.encoder.layer:
        expected = layer(expected)
        expected = expected[0] if isinstance(expected, tuple) else expected
    with torch.inference_mode():
        torch.testing.assert_close(part(arrays), expected[:, :5], atol=1e-5, rtol=1e-5)


def test_encoder_of_another_shape_is_refused() -> None:
    from transformers import DistilBertConfig, DistilBertModel

    other = DistilBertModel(DistilBertConfig(vocab_size=20, dim=8, n_heads=2, n_layers=1, hidden_dim=16))
    words = WordEncoder(other, word_dropout=0.0, case_shape=False)
    with pytest.raises(ConfigError, match="regions need an encoder of BERT's shape"):
        RegionEncoder(words, width=4, most=2, dropout=0.0, norm=False)
