"""Regions beside text: which type a token has, and what a region's vector goes through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from derivation import oscar, randomized, weights, windows

from mner.errors import ConfigError
from mner.models.parts.encoder import WordEncoder
from mner.models.parts.regions import RegionEncoder, token_types
from mner.runtime.torch import load_encoder


def test_token_types_change_after_the_first_separator() -> None:
    ids = torch.tensor([[2, 7, 8, 3, 9, 3], [2, 7, 3, 0, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0]])
    types = token_types({"input_ids": ids, "attention_mask": mask})
    assert types.tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0]]


def test_tokens_see_their_own_first_regions(tiny_encoder: Path) -> None:
    words = WordEncoder(load_encoder(tiny_encoder), word_dropout=0.0, case_shape=False)
    part = randomized(RegionEncoder(words, width=4, most=2, dropout=0.1, norm=True))
    ids = torch.tensor([[2, 7, 3, 9, 3, 0], [2, 7, 8, 9, 10, 3], [2, 11, 3, 12, 3, 0], [2, 6, 3, 0, 0, 0]])
    noise = torch.Generator().manual_seed(3)
    arrays = {
        "input_ids": ids,
        "attention_mask": (ids > 0).long(),
        "window_post": torch.tensor([0, 1, 1, 2]),
        "regions": torch.randn(3, 3, 4, generator=noise),
        "boxes": torch.rand(3, 3, 6, generator=noise),
        "regions_mask": torch.tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0]]),
        "boxes_mask": torch.tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0]]),
    }
    with torch.inference_mode():
        hidden = part(arrays)
    for window in windows(arrays, words.encoder):
        expected = oscar(part, arrays, window)
        np.testing.assert_allclose(weights(hidden[window.number])[: len(window.ids)], expected, atol=2e-5)


def test_encoder_of_another_shape_is_refused() -> None:
    from transformers import DistilBertConfig, DistilBertModel

    other = DistilBertModel(DistilBertConfig(vocab_size=20, dim=8, n_heads=2, n_layers=1, hidden_dim=16))
    words = WordEncoder(other, word_dropout=0.0, case_shape=False)
    with pytest.raises(ConfigError, match="regions need an encoder of BERT's shape"):
        RegionEncoder(words, width=4, most=2, dropout=0.0, norm=False)
