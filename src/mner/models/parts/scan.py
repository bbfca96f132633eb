"""The forward recursion of a linear chain over word positions, with its exact gradient, in few kernels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class ChainScan(torch.autograd.Function):
    """Forward sums alpha (word, way, batch, label) of a chain; the backward pass is written out.

        alpha_1 = s_1        alpha_i[y] = s_i[y] + log sum_y' exp(alpha_{i-1}[y'] + A[y', y])

    ``scores`` are (word, way, batch, label), ``transitions`` (way, label, label) as [from, to]. ``way`` holds
    independent chains with transitions of their own, such as both reading directions.

    A step works on probabilities scaled by their maximum: one matrix product, one product, one maximum, one
    division, instead of a log-sum-exp over (batch, label, label). The gradient of the log-partition that results
    is the posterior marginals. A score lower than the best by more than 0.4 of the logarithm of the smallest
    number (283 in float64) counts as that much lower, which keeps every sum above zero.
    """

    @staticmethod
    def forward(ctx: Any, scores: Tensor, transitions: Tensor) -> Tensor:
        """Forward sums (word, way, batch, label)."""
        floor = torch.finfo(scores.dtype).tiny ** 0.4
        best = scores.amax(-1, keepdim=True)
        emit = (scores - best).exp_().clamp_min_(floor)
        peak = transitions.amax((-2, -1), keepdim=True)  # (way, 1, 1)
        move = (transitions - peak).exp_().clamp_min_(floor)
        state = torch.empty_like(emit)  # exp(alpha) divided by its maximum over the labels
        total = torch.ones_like(emit)  # state of the word before @ move
        scale = torch.ones_like(best)
        state[0] = emit[0]
        rows = [each.unbind(0) for each in (state, total, emit, scale)]
        for before, now, into, local, top in zip(rows[0], rows[0][1:], *(row[1:] for row in rows[1:]), strict=False):
            torch.bmm(before, move, out=into)
            torch.mul(into, local, out=now)
            torch.amax(now, -1, keepdim=True, out=top)
            now.div_(top)
        ctx.save_for_backward(state, total, move)
        climb = (scale.log() + best).cumsum(0)  # (word, way, batch, 1)
        steps = torch.arange(len(scores), dtype=scores.dtype, device=scores.device)
        return state.log() + climb + steps.view(-1, 1, 1, 1) * peak

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of the scores (word, way, batch, label) and of the transitions (way, label, label)."""
        state, total, move = ctx.saved_tensors
        flow = grads[0].clone(memory_format=torch.contiguous_format)  # becomes the gradient of the scores
        share = torch.zeros_like(flow)
        back = move.transpose(-2, -1).contiguous()
        rows = [each.unbind(0) for each in (flow, share, state, total)]
        for word in range(len(flow) - 1, 0, -1):
            ratio = torch.div(rows[0][word], rows[3][word], out=rows[1][word])
            rows[0][word - 1].addcmul_(rows[2][word - 1], torch.bmm(ratio, back))
        counts = torch.einsum("nwbx,nwby->wxy", state[:-1], share[1:])
        return flow, move * counts
