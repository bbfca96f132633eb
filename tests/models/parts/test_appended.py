"""A picture's vectors behind the text against BERT derived in numpy, one window at a time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from derivation import bert_embeddings, bert_layers, randomized, regions_of, weights, windows

from mner import config as configs
from mner.errors import ConfigError
from mner.models.parts.appended import append, room_for
from mner.models.parts.encoder import WordEncoder
from mner.runtime.torch import load_encoder

IDS = torch.tensor([[2, 7, 8, 9, 3, 0, 0], [2, 9, 11, 12, 13, 14, 3], [2, 14, 15, 3, 0, 0, 0], [2, 6, 3, 0, 0, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1, 0, 0], [1] * 7, [1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0, 0]])
OWNERS = torch.tensor([0, 1, 1, 2])  # the second post has two windows


@pytest.mark.parametrize("types", [False, True])
def test_tokens_see_their_own_picture_behind_their_own_end(types: bool, tiny_encoder: Path) -> None:
    words = randomized(WordEncoder(load_encoder(tiny_encoder), word_dropout=0.0, case_shape=True))
    noise = torch.Generator().manual_seed(1)
    arrays = {
        "input_ids": IDS,
        "attention_mask": MASK,
        "shapes": torch.randint(0, 4, IDS.shape, generator=noise),
        "window_post": OWNERS,
        "grid": torch.randn(3, 3, 32, generator=noise),
        "grid_mask": torch.tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0]]),
    }
    with torch.inference_mode():
        hidden = append(words, arrays, arrays["grid"], arrays["grid_mask"], types=types)
    assert hidden.shape == (4, 7, 32)
    for window in windows(arrays, words.encoder, words.shapes):
        picture = regions_of(arrays, "grid", window.post)
        kinds = np.array([0] * len(window.ids) + [int(types)] * len(picture))
        sequence = bert_embeddings(words.encoder, np.concatenate([window.vectors, picture]), kinds)
        expected = bert_layers(words.encoder, sequence)[: len(window.ids)]
        np.testing.assert_allclose(weights(hidden[window.number])[: len(window.ids)], expected, atol=2e-5)


def test_word_vectors_have_no_room_for_a_picture() -> None:
    vectors = SimpleNamespace(config=SimpleNamespace(model_type="mner-word-vectors"))
    config = configs.check({"model": {"name": "imgfeat"}})
    with pytest.raises(ConfigError, match=r'the model "imgfeat" puts .* \(mner-word-vectors\) has no positions'):
        room_for(vectors, 4, config)
