"""Faster steps learn what plain steps learn; packed posts have the padded posts' vectors or are not packed."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from torch import nn

from mner import config as configs
from mner import tags
from mner.errors import ConfigError
from mner.models import build
from mner.runtime.torch import view_tensors
from mner.training.batches import Split, gather
from mner.training.cpu_speed.prepare import can_pack, speed_up
from mner.training.optimizer import optimizer_of
from mner.types import Post
from mner.views import Encoded

CPU = torch.device("cpu")
MakeEncoder = Callable[[str], nn.Module]


def text_model(encoder: nn.Module, **training: Any) -> tuple[nn.Module, Any]:
    config = configs.check(
        {"model": {"name": "text", "word_dropout": 0.0}, "loss": {"views": ["T"]}, "training": training}
    )
    torch.manual_seed(0)
    return build(config, tags.bioes_labels(["PER"]), encoder), config.training


def steps(model: nn.Module, split: Split, settings: Any, *, number: int = 3) -> list[float]:
    optimizer = optimizer_of(model.parameter_groups(), settings)  # type: ignore[operator]
    batch, gold = gather(split, [0, 1, 2], ("T",), pad_id=0, packed=False)
    losses = []
    model.train()
    for _ in range(number):
        loss = model(view_tensors(batch, model), torch.from_numpy(gold))["loss"].sum()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    model.eval()
    return losses


@pytest.mark.parametrize("name", ["Bert", "Roberta", "MPNet"])
def test_faster_model_learns_the_same(small_encoder: MakeEncoder, split: Split, name: str) -> None:
    encoder = small_encoder(name)
    plain, settings = text_model(copy.deepcopy(encoder))
    spared, _ = text_model(encoder)
    speed_up(spared, [split], settings, pad_id=0, device=CPU)
    assert steps(spared, split, settings) == pytest.approx(steps(plain, split, settings), rel=1e-5)
    before, after = plain.state_dict(), spared.state_dict()
    assert before.keys() == after.keys()
    for key, value in before.items():
        torch.testing.assert_close(after[key], value, rtol=1e-4, atol=1e-5)


def test_dropout_of_the_whole_model_is_replaced(small_encoder: MakeEncoder, split: Split) -> None:
    model, settings = text_model(small_encoder("Bert"))
    model.fusion = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.25))
    speed_up(model, [split], settings, pad_id=0, device=CPU)
    assert not any(isinstance(module, nn.Dropout) for module in model.modules())
    assert model.fusion[1].p == 0.25


def test_speed_up_with_weight_decay_trains_the_whole_table(small_encoder: MakeEncoder, split: Split) -> None:
    model, settings = text_model(small_encoder("Bert"), weight_decay=0.01)
    speed_up(model, [split], settings, pad_id=0, device=CPU)
    assert isinstance(model.tagger.words.encoder.get_input_embeddings(), nn.Embedding)


def test_gradient_checkpointing_gives_the_same_gradients(small_encoder: MakeEncoder, split: Split) -> None:
    encoder = small_encoder("Bert")
    plain, settings = text_model(copy.deepcopy(encoder))
    speed_up(plain, [split], settings, pad_id=0, device=CPU)
    spared, checkpointing = text_model(encoder, gradient_checkpointing=True)
    speed_up(spared, [split], checkpointing, pad_id=0, device=CPU)
    layers = spared.tagger.words.encoder.encoder.layer
    assert all(layer.gradient_checkpointing for layer in layers)
    assert steps(spared, split, checkpointing) == pytest.approx(steps(plain, split, settings), rel=1e-5)


def model_on(encoder: nn.Module, **model: Any) -> nn.Module:
    config = configs.check({"model": {"case_shape": True, **model}, "loss": {"cva": "posterior"}})
    torch.manual_seed(0)
    built = build(config, tags.bioes_labels(["PER"]), encoder)
    nn.init.normal_(built.tagger.words.shapes.weight)
    return built


@pytest.mark.parametrize("name", ["Bert", "Roberta", "XLMRoberta", "MPNet"])
def test_packed_losses_equal_padded_ones(small_encoder: MakeEncoder, split: Split, name: str) -> None:
    model = model_on(small_encoder(name))
    model.eval()
    assert can_pack(model, split, pad_id=0)
    losses_by_layout = []
    for packed in (False, True):
        batch, gold = gather(split, [0, 5, 2, 3, 1], ("T", "I+T"), pad_id=0, packed=packed)
        losses_by_layout.append(model.losses(view_tensors(batch, model), torch.from_numpy(gold)))
    for part in losses_by_layout[0]:
        torch.testing.assert_close(losses_by_layout[0][part], losses_by_layout[1][part], atol=1e-4, rtol=1e-4)


def test_packing_is_refused_where_vectors_differ(
    small_encoder: MakeEncoder, split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_on(small_encoder("Bert"))
    monkeypatch.setattr("mner.models.parts.encoder.first_position", lambda encoder: 3)
    assert not can_pack(model, split, pad_id=0)


def test_packing_is_refused_where_long_posts_alone_differ() -> None:
    """ModernBERT's local layers lose their window where windows share a row."""
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    local = {"local_attention": 16, "global_attn_every_n_layers": 2}
    tokens = {"pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2, "bos_token_id": 1, "eos_token_id": 2}
    torch.manual_seed(0)
    encoder = transformers.ModernBertModel(transformers.ModernBertConfig(vocab_size=300, **sizes, **local, **tokens))
    for weights in encoder.parameters():
        weights.data.mul_(5)
    model, _ = text_model(encoder)
    short, long = (
        Encoded(2, (np.arange(3, 3 + size),), (np.zeros(size, np.int64),), np.array([[0, 1], [0, size - 2]]))
        for size in (8, 90)
    )
    posts, gold = [Post("", "a b", ("a", "b"), (), ())] * 9, [np.zeros(2, np.int64)] * 9
    assert can_pack(model, Split(posts, {"T": [short] * 9}, gold), pad_id=0)
    assert not can_pack(model, Split(posts, {"T": [*[short] * 8, long]}, gold), pad_id=0)


def test_gradient_checkpointing_that_an_encoder_lacks_is_refused(small_encoder: MakeEncoder, split: Split) -> None:
    model, settings = text_model(small_encoder("MPNet"), gradient_checkpointing=True)
    with pytest.raises(ConfigError, match=r"training\.gradient_checkpointing: .* in mpnet; set it to false"):
        speed_up(model, [split], settings, pad_id=0, device=CPU)
