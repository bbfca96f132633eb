"""BERT + VinVL: both encoders count, the text encoder reads no tags, and vocabularies must agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from derivation import at_words, bert_embeddings, bert_layers, linear, oscar, windows
from systems import TAGS, assert_scores, built, settings, windowed

from mner import config as configs
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


def test_scores_equal_their_derivation(tiny_encoder: Path) -> None:
    """The text encoder reads up to the first separator, without token types."""
    model, arrays = windowed("bert_vinvl", tiny_encoder, TAGS)
    first, second = model.words.encoder, model.regions.words.encoder
    hidden = []
    for own, other in zip(windows(arrays, first, model.words.shapes), windows(arrays, second), strict=True):
        size = own.ids.tolist().index(own.ids[-1]) + 1
        alone = bert_layers(first, bert_embeddings(first, own.vectors[:size]))
        hidden.append(np.concatenate([alone, oscar(model.regions, arrays, other)[:size]], -1))
    assert_scores(model, arrays, [linear(model.emission, at_words(arrays, hidden, post)) for post in range(3)])


def test_row_says_how_to_make_the_encoder_that_it_does_not_name() -> None:
    row = Path(__file__).resolve().parents[2] / "configs" / "rows" / "bert-vinvl.toml"
    remedy = r"model\.options\.vinvl: not set; .*mner encoder import CHECKPOINT --out FOLDER.*vinvl=\"FOLDER\""
    with pytest.raises(ConfigError, match=remedy):
        models.needs(configs.load(row))


def test_another_vocabulary_is_refused(tiny_encoder: Path) -> None:
    from transformers import BertConfig, BertModel

    other = BertModel(BertConfig(vocab_size=11, hidden_size=8, num_hidden_layers=1, num_attention_heads=2))
    config = settings("bert_vinvl", tiny_encoder)
    with pytest.raises(ConfigError, match="has a vocabulary of 11 sub-tokens"):
        build(config, ["O"], load_encoder(tiny_encoder), other)
