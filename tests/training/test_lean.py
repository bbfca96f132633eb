"""Cheaper steps learn what plain steps learn."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from mner import config as configs
from mner import encoders, tags
from mner.models import build
from mner.runtime.torch import view_tensors
from mner.training import attention as ours
from mner.training.batches import Split, gather, gold_ids
from mner.training.dropout import Dropout, drop
from mner.training.lean import lean
from mner.training.optimizer import optimizer_of
from mner.training.rows import UsedRows, train_used_rows
from mner.types import Post, Span
from mner.views import Views

WORDS = ["Kevin Love is back in Cleveland", "Phoenix", "the city is open today and now we are going to see it"]
CPU = torch.device("cpu")


@pytest.fixture
def split(tiny_encoder: Path) -> Split:
    views = Views(encoders.find(str(tiny_encoder)))
    posts = [Post(str(n), text, tuple(text.split()), (), spans=(Span(0, 1, "PER"),)) for n, text in enumerate(WORDS)]
    return Split(
        posts, {"T": views.encode_many([post.words for post in posts])}, gold_ids(posts, tags.bioes_labels(["PER"]))
    )


def small(name: str) -> nn.Module:
    import transformers

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = getattr(transformers, f"{name}Config")(vocab_size=300, max_position_embeddings=514, **sizes, **none)
    return getattr(transformers, f"{name}Model")(config, add_pooling_layer=False)  # type: ignore[no-any-return]


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
def test_lean_model_learns_the_same(split: Split, name: str) -> None:
    encoder = small(name)
    plain, settings = text_model(copy.deepcopy(encoder))
    spared, _ = text_model(encoder)
    lean(spared, split, settings, pad_id=0, device=CPU)
    assert steps(spared, split, settings) == pytest.approx(steps(plain, split, settings), rel=1e-5)
    before, after = plain.state_dict(), spared.state_dict()
    assert before.keys() == after.keys()
    for key, value in before.items():
        torch.testing.assert_close(after[key], value, rtol=1e-4, atol=1e-5)


def test_lean_with_weight_decay_trains_the_whole_table(split: Split) -> None:
    model, settings = text_model(small("Bert"), weight_decay=0.01)
    lean(model, split, settings, pad_id=0, device=CPU)
    assert isinstance(model.tagger.words.encoder.get_input_embeddings(), nn.Embedding)


def test_gradient_checkpointing_gives_the_same_gradients(split: Split) -> None:
    encoder = small("Bert")
    plain, settings = text_model(copy.deepcopy(encoder))
    lean(plain, split, settings, pad_id=0, device=CPU)
    spared, asked = text_model(encoder, gradient_checkpointing=True)
    lean(spared, split, asked, pad_id=0, device=CPU)
    layers = spared.tagger.words.encoder.encoder.layer
    assert all(layer.gradient_checkpointing for layer in layers)
    assert steps(spared, split, asked) == pytest.approx(steps(plain, split, settings), rel=1e-5)


def test_used_rows_alone_are_trained_and_the_whole_table_is_saved(tmp_path: Path) -> None:
    encoder = small("Bert")
    whole = encoder.get_input_embeddings().weight.detach().clone()  # type: ignore[operator]
    train_used_rows(encoder, np.array([7, 3, 7]))
    table = encoder.get_input_embeddings()  # type: ignore[operator]
    assert isinstance(table, UsedRows)
    assert table.rows.shape == (2, 32)
    encoder.train()
    assert torch.equal(table(torch.tensor([[3, 7]])), whole[[3, 7]][None])
    with torch.no_grad():
        table.rows += 1
    encoder.save_pretrained(tmp_path)  # type: ignore[operator]
    saved = load_file(tmp_path / "model.safetensors")
    assert not [name for name in saved if name.endswith("rows")]
    whole[[3, 7]] += 1
    assert torch.equal(saved["embeddings.word_embeddings.weight"], whole)
    assert torch.equal(table.eval()(torch.arange(300)), whole)


def test_used_rows_refuse_others_in_training() -> None:
    table = UsedRows(nn.Embedding(10, 4), torch.tensor([1, 2]))
    with pytest.raises(IndexError):
        table(torch.tensor([[5]]))


def test_used_rows_load_a_saved_state() -> None:
    source = nn.Embedding(10, 4)
    table = UsedRows(nn.Embedding(10, 4), torch.tensor([1, 2]))
    table.load_state_dict(source.state_dict())
    assert torch.equal(table(torch.tensor([1, 2])), source.weight[[1, 2]])
    assert torch.equal(table.eval()(torch.arange(10)), source.weight)


def test_dropout_keeps_mean_and_rate_and_drops_gradients_alike() -> None:
    torch.manual_seed(0)
    values = torch.ones(1000, 999, requires_grad=True)
    dropped = drop(values, 0.1)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.1, abs=0.002)
    assert float(dropped.detach().mean()) == pytest.approx(1.0, abs=0.002)
    dropped.sum().backward()
    assert torch.equal(values.grad, dropped)
    torch.manual_seed(0)
    assert torch.equal(drop(values, 0.1), dropped)


def test_dropout_rows_and_columns_are_independent() -> None:
    torch.manual_seed(1)
    zero = (drop(torch.ones(400, 400), 0.5) == 0).double()
    # Neighbours share a draw: their correlation must not show it.
    for shift in (1, 2, 3, 4):
        left, right = zero[:, :-shift].flatten(), zero[:, shift:].flatten()
        assert abs(float(torch.corrcoef(torch.stack([left, right]))[0, 1])) < 0.01


def test_dropout_outside_training_does_nothing() -> None:
    values = torch.randn(3, 5)
    assert Dropout(0.5).eval()(values) is values


@pytest.mark.parametrize("masked", [True, False])
def test_attention_equals_the_fused_one(masked: bool) -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 3, 5, 4, requires_grad=True) for _ in range(3))
    mask = torch.ones(2, 1, 5, 5, dtype=torch.bool).tril() if masked else None
    mine, weights = ours.attention(nn.Linear(1, 1), query, key, value, mask)
    fused = scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2)
    assert weights is None
    torch.testing.assert_close(mine, fused)
    gradients = [torch.autograd.grad(out.square().sum(), query, retain_graph=True)[0] for out in (mine, fused)]
    torch.testing.assert_close(*gradients)


def test_encoders_with_attention_of_their_own_keep_it() -> None:
    assert ours.use_attention(small("Bert"))
    assert not ours.use_attention(small("MPNet"))
