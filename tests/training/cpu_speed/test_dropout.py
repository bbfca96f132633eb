"""Dropout and attention for the CPU compute what torch's own compute."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AutoConfig, AutoModel

from mner.training.cpu_speed.dropout import Dropout, attention, drop, use_attention

MakeEncoder = Callable[[str], nn.Module]


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


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_every_number_format_drops_the_same_values_and_scales_the_others(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    expected = drop(torch.ones(101, 7), 0.3)
    torch.manual_seed(0)
    dropped = drop(torch.ones(101, 7, dtype=dtype), 0.3)
    assert dropped.dtype == dtype
    assert torch.equal(dropped == 0, expected == 0)
    torch.testing.assert_close(dropped.double(), expected.double(), rtol=2**-8, atol=0)


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
    mine, weights = attention(nn.Linear(1, 1), query, key, value, mask)
    fused = scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2)
    assert weights is None
    torch.testing.assert_close(mine, fused)
    gradients = [torch.autograd.grad(out.square().sum(), query, retain_graph=True)[0] for out in (mine, fused)]
    torch.testing.assert_close(*gradients)


def test_attention_in_bfloat16_keeps_its_weights_so_and_is_as_exact() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 3, 40, 16, requires_grad=True) for _ in range(3))
    mask = (torch.rand(2, 1, 40, 40) > 0.3) | torch.eye(40, dtype=torch.bool)
    exact = scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2)
    seen: set[torch.dtype] = set()
    with (
        torch.autocast("cpu", torch.bfloat16),
        torch.autograd.graph.saved_tensors_hooks(
            lambda saved: seen.add(saved.dtype) or saved if saved.shape[-2:] == (40, 40) else saved, lambda saved: saved
        ),
    ):
        mine, _ = attention(nn.Linear(1, 1), query, key, value, mask)
    assert seen == {torch.bfloat16}
    torch.testing.assert_close(mine.float(), exact, rtol=0, atol=0.02)
    gradients = [torch.autograd.grad(out.float().square().sum(), value)[0] for out in (mine, exact)]
    torch.testing.assert_close(*gradients, rtol=0, atol=0.1)


def test_encoders_with_attention_of_their_own_keep_it(small_encoder: MakeEncoder) -> None:
    assert use_attention(small_encoder("Bert"))
    assert not use_attention(small_encoder("MPNet"))


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("qwen2", {"num_key_value_heads": 2}),
        ("qwen2", {"num_key_value_heads": 1}),
        ("eurobert", {"num_key_value_heads": 1, "pad_token_id": 0}),
        ("gpt2", {}),
    ],
)
def test_encoders_that_attend_in_another_way_keep_it(kind: str, sizes: dict[str, int]) -> None:
    plain = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    encoder = AutoModel.from_config(AutoConfig.for_model(kind, vocab_size=30, **plain, **sizes))
    assert not use_attention(encoder)
    assert encoder.config._attn_implementation == "sdpa"
