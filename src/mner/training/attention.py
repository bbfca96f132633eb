"""Attention with dropout for training on CPU, where the fused kernels know no dropout."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from mner.training.dropout import drop

NAME = "mner"
"""Under this name transformers finds the function."""


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

    Where no gradient is wanted, transformers' own fused attention answers.

    Args:
        module: The attention layer that asks.
        query: Scaled by ``scaling``, by default one over the root of the width.
        key: Compared with the queries.
        value: What is averaged.
        attention_mask: True where a token may attend; None: everywhere.
        scaling: Factor of the scores.
        dropout: Chance that an attention weight becomes zero.
        options: Passed on to the fused attention.
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
        scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min)
    weights = drop(torch.softmax(scores, -1).to(value.dtype), dropout)
    return (weights @ value).transpose(1, 2), None


def use_attention(encoder: nn.Module) -> bool:
    """Let an encoder attend by ``attention``; False where it brings attention of its own, which then stays."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    config = cast(Any, encoder).config
    if getattr(config, "_attn_implementation", None) != "sdpa":
        return False
    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    config._attn_implementation = NAME
    return True
