"""Dropout whose random numbers cost a fifth: four decisions from each 64-bit draw."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

STEPS = 2**16
"""A rate is rounded to a multiple of 1 / STEPS; kept values are scaled by the rounded rate, so means hold exactly."""


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
        bits = draws.view(torch.int16)[:count].view(values.shape)
        factor = (bits >= level - STEPS // 2).to(values.dtype).mul_(STEPS / (STEPS - level))
        ctx.save_for_backward(factor)
        return values * factor

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (factor,) = ctx.saved_tensors
        return grads[0] * factor, None
