"""Dropout and attention for training on CPU.

Dropout takes four decisions from each 64-bit random number, at a fifth of the usual cost; attention with dropout uses
it, because the fused CPU kernels have no dropout.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

STEPS = 2**16
"""A rate is rounded to a multiple of 1 / STEPS; kept values are scaled by the rounded rate, so means hold exactly."""

FAR = -1e9
"""What is added to the score of a token that may not be attended to: its weight is then exactly 0."""

NAME = "mner"
"""The name under which transformers finds ``attention``."""


class Dropout(nn.Module):
    """``nn.Dropout`` for the CPU, where drawing one Bernoulli number per value is a tenth of a training step.

    Args:
        p: Chance that a value becomes zero.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, values: Tensor) -> Tensor:
        """Values of the same shape: in training each is zeroed with chance ``p``, else scaled by 1 / (1 - p)."""
        return drop(values, self.p) if self.training else values


def drop(values: Tensor, p: float) -> Tensor:
    """Values of the same shape, each zeroed with chance ``p`` and otherwise scaled by 1 / (1 - p).

    >>> drop(torch.ones(2), 0.0), drop(torch.ones(2), 1.0)
    (tensor([1., 1.]), tensor([0., 0.]))
    """
    level = round(p * STEPS)
    if level == 0:
        return values
    if level == STEPS:
        return values * 0.0
    dropped: Tensor = _Drop.apply(values, level)  # type: ignore[no-untyped-call]
    return dropped


class _Drop(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, level: int) -> Tensor:
        count = values.numel()
        draws = torch.empty(-(-count // 4), dtype=torch.int64, device=values.device).random_(-(2**63), None)
        stays = draws.view(torch.int16)[:count].view(values.shape).ge_(level - STEPS // 2)  # 0 or 1
        scale = torch.tensor(STEPS / (STEPS - level), dtype=values.dtype)
        if scale.itemsize == stays.itemsize:  # the number's own bits, since turning int16 into bf16 takes long
            factor = stays.mul_(int(scale.view(stays.dtype))).view(values.dtype)
        else:
            factor = stays.to(values.dtype).mul_(scale)
        ctx.save_for_backward(factor)
        return values * factor

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (factor,) = ctx.saved_tensors
        return grads[0] * factor, None


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **options: Any,
) -> tuple[Tensor, Tensor | None]:
    """Attended values (window, token, head, width) of query, key and value (window, head, token, width).

    ``attention_mask`` is True where a token may attend, or what is added to the scores. Without gradients transformers'
    fused attention is used, which gets the ``options``.
    """
    if not torch.is_grad_enabled():
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        fused: tuple[Tensor, Tensor | None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **options
        )
        return fused
    factor = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = (query * factor) @ key.transpose(-2, -1)  # (window, head, token, token)
    if attention_mask is not None:
        added = attention_mask
        if added.dtype == torch.bool:
            added = scores.new_zeros(added.shape).masked_fill_(~added, FAR)
        scores += added  # in place, since no gradient needs the scores themselves
    with torch.autocast(scores.device.type, enabled=False):  # it would copy all weights to float32 and back
        weights = torch.softmax(scores, -1)
    return (drop(weights, dropout) @ value).transpose(1, 2), None


def use_attention(encoder: nn.Module) -> bool:
    """Let an encoder attend by ``attention``; False where it attends in another way, which then stays.

    That is by code of its own, from left to right, or with keys that several heads share.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    config = cast(Any, encoder).config
    other = (
        getattr(module, "is_causal", False) or getattr(module, "num_key_value_groups", 1) != 1
        for module in encoder.modules()
    )
    if getattr(config, "_attn_implementation", None) != "sdpa" or any(other):
        return False
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    config._attn_implementation = NAME
    return True
