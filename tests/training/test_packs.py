"""Packed posts give the padded posts' vectors, or the encoder is found not to allow it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mner import config as configs
from mner import encoders, tags
from mner.models import build
from mner.runtime.torch import view_tensors
from mner.training.batches import Split, gather, gold_ids, micro_batches, steps
from mner.training.packs import packs
from mner.types import Post, Span
from mner.views import Piece, Views, pack

WORDS = ["Kevin Love is back in Cleveland", "Phoenix", "the city is open today and now we are going to see it", "! ?"]


@pytest.fixture
def split(tiny_encoder: Path) -> Split:
    views = Views(encoders.find(str(tiny_encoder)))
    posts = [
        Post(str(n), text, tuple(text.split()), (), spans=(Span(0, 1, "PER"),)) for n, text in enumerate(WORDS * 2)
    ]
    words = [post.words for post in posts]
    pieces = [[Piece("captions", "x", "two people and a dog " * (n % 3 + 1))] for n in range(len(posts))]
    encoded: dict[Any, Any] = {"T": views.encode_many(words), "I+T": views.encode_many(words, pieces)}
    return Split(posts, encoded, gold_ids(posts, tags.bioes_labels(["PER"])))


def model_on(encoder: torch.nn.Module, **model: Any) -> torch.nn.Module:
    config = configs.check({"model": {"case_shape": True, **model}, "loss": {"cva": "posterior"}})
    torch.manual_seed(0)
    built = build(config, tags.bioes_labels(["PER"]), encoder)
    torch.nn.init.normal_(built.tagger.words.shapes.weight)
    return built


def small(name: str) -> torch.nn.Module:
    import transformers

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = getattr(transformers, f"{name}Config")(vocab_size=300, max_position_embeddings=514, **sizes)
    return getattr(transformers, f"{name}Model")(config, add_pooling_layer=False)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["Bert", "Roberta", "XLMRoberta", "MPNet"])
def test_packed_losses_equal_padded_ones(split: Split, name: str) -> None:
    model = model_on(small(name))
    model.eval()
    assert packs(model, split, pad_id=0)
    found = []
    for packed in (False, True):
        batch, gold = gather(split, [0, 5, 2, 3, 1], ("T", "I+T"), pad_id=0, packed=packed)
        found.append(model.losses(view_tensors(batch, model), torch.from_numpy(gold)))
    for part in found[0]:
        torch.testing.assert_close(found[0][part], found[1][part], atol=1e-4, rtol=1e-4)


def test_packing_is_refused_where_vectors_differ(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_on(small("Bert"))
    monkeypatch.setattr("mner.models.parts.encoder.first_position", lambda encoder: 3)
    assert not packs(model, split, pad_id=0)


def test_pack_keeps_every_sub_token_once(split: Split) -> None:
    views = {view: list(encoded) for view, encoded in split.views.items()}
    packed = pack(views, pad_id=0)
    assert packed["T"].input_ids is packed["I+T"].input_ids
    batch = packed["T"]
    assert batch.segments is not None and batch.positions is not None
    total = sum(one.tokens for encoded in views.values() for one in encoded)
    assert int((batch.segments > 0).sum()) == total
    for view, encoded in views.items():
        flat, index = packed[view].input_ids.ravel(), packed[view].word_index
        for row, one in enumerate(encoded):
            for word, (window, position) in enumerate(one.first):
                assert flat[index[row, word]] == one.windows[window][position]


def test_steps_hold_each_post_once_and_follow_the_seed() -> None:
    order = [post for step in steps(10, posts_per_step=4, seed=1, epoch=0) for post in step]
    assert sorted(order) == list(range(10))
    assert [len(step) for step in steps(10, posts_per_step=4, seed=1, epoch=0)] == [4, 4, 2]
    again = [post for step in steps(10, posts_per_step=4, seed=1, epoch=0) for post in step]
    assert order == again
    assert order != [post for step in steps(10, posts_per_step=4, seed=1, epoch=1) for post in step]
    assert order != [post for step in steps(10, posts_per_step=4, seed=2, epoch=0) for post in step]


@pytest.mark.parametrize("tokens", [1, 30, 64, 10_000])
def test_micro_batches_part_a_step(split: Split, tokens: int) -> None:
    groups = list(micro_batches(split, list(range(8)), tokens=tokens))
    assert sorted(post for group in groups for post in group) == list(range(8))
    for group in groups:
        size = sum(split.views[view][post].tokens for view in split.views for post in group)
        assert size <= tokens or len(group) == 1


def test_gold_ids_are_bioes(split: Split) -> None:
    labels = tags.bioes_labels(["PER"])
    post = Post("1", "", ("a", "b", "c", "d"), (), spans=(Span(0, 2, "PER"), Span(3, 4, "PER")))
    names = [labels[label] for label in gold_ids([post], labels)[0]]
    assert names == ["B-PER", "E-PER", "O", "S-PER"]
    assert gold_ids([post], labels)[0].dtype == np.int64
