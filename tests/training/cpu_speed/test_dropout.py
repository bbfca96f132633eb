"""Dropout and attention for the CPU compute what torch's own compute."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

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


def test_encoders_with_attention_of_their_own_keep_it(small_encoder: MakeEncoder) -> None:
    assert use_attention(small_encoder("Bert"))
    assert not use_attention(small_encoder("MPNet"))
