"""BERT + VinVL: both encoders count, the text encoder reads no tags, and vocabularies must agree."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from systems import batch_of, built, settings, three

from mner import models
from mner.errors import ConfigError
from mner.models import build
from mner.runtime.torch import load_encoder, view_tensors
from mner.views import Piece, collate


def test_text_encoder_reads_the_words_alone(tiny_encoder: Path) -> None:
    config = settings("bert_vinvl", tiny_encoder)
    model, views = built(config)
    arrays = models.needs(config).arrays
    halves = []
    for text in ("red car", "two people"):
        posts = views.encode_many([["phoenix", "won"]], [[Piece("tags", "test", text)]])
        batch = view_tensors({"I+T": collate(posts, pad_id=views.pad_id, arrays=arrays)}, model)
        with torch.inference_mode():
            halves.append(model.word_vectors(batch, "I+T").split(model.words.width, -1))
    torch.testing.assert_close(halves[0][0], halves[1][0], atol=1e-6, rtol=1e-6)
    assert (halves[0][1] - halves[1][1]).abs().max() > 1e-5


def test_both_encoders_are_trained(tiny_encoder: Path) -> None:
    config = settings("bert_vinvl", tiny_encoder)
    model, views = built(config)
    first, second = model.encoders()
    assert first is not second
    before = model.word_vectors(view_tensors(batch_of(views, config, three("bert_vinvl", 1, 2)), model), "I+T")
    assert before.shape[-1] == 2 * model.words.width


def test_another_vocabulary_is_refused(tiny_encoder: Path) -> None:
    from transformers import BertConfig, BertModel

    other = BertModel(BertConfig(vocab_size=11, hidden_size=8, num_hidden_layers=1, num_attention_heads=2))
    config = settings("bert_vinvl", tiny_encoder)
    with pytest.raises(ConfigError, match="has a vocabulary of 11 sub-tokens"):
        build(config, ["O"], load_encoder(tiny_encoder), other)
