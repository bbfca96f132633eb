"""Log-likelihoods and posteriors of a linear chain as functions of ``parts.loops``, with their gradients.

``parts.chain`` uses these where numba is installed and the scores are on the CPU, and says what they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from mner.decode.compiled import with_numba
from mner.models.parts import loops

COMPILED = with_numba()


def usable(emissions: Tensor) -> bool:
    """Whether the loops are compiled and take label scores of this kind."""
    return COMPILED and emissions.device.type == "cpu" and emissions.dtype in (torch.float32, torch.float64)


class Likelihood(torch.autograd.Function):
    """Negative log-likelihood (batch,); the gradient of each post is computed along with it."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, gold: Tensor, lengths: Tensor
    ) -> Tensor:
        """Log Z - score(gold) of each post."""
        batch, _, labels = emissions.shape
        scores = _array(emissions)
        losses = np.zeros(batch)
        slopes = np.zeros(scores.shape, scores.dtype)
        moves = np.zeros((batch, labels, labels))
        edges = np.zeros((2, batch, labels))
        gradients = any(ctx.needs_input_grad)
        chain = _chain(transitions, start, end)
        loops.likelihood(scores, _array(gold), _array(lengths), *chain, gradients, losses, slopes, moves, edges)
        ctx.dtypes = [part.dtype for part in (transitions, start, end)]
        if gradients:
            ctx.save_for_backward(*map(torch.from_numpy, (slopes, moves, edges)))
        return torch.from_numpy(losses).to(emissions.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the emissions and the chain."""
        slopes, moves, edges = ctx.saved_tensors
        weights = grads[0].to(moves.dtype)
        chain = (weights @ moves.flatten(1)).view(moves.shape[1:]), *(weights @ edges)
        own = (part.to(dtype) for part, dtype in zip(chain, ctx.dtypes, strict=True))
        return slopes * grads[0][:, None, None], *own, None, None


class Posteriors(torch.autograd.Function):
    """Log-posteriors (batch, word, label), 0 past each length."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, lengths: Tensor
    ) -> Tensor:
        """Log-softmax of alpha + beta."""
        ctx.save_for_backward(emissions, transitions, start, end, lengths)
        scores = _array(emissions)
        logs = np.zeros(scores.shape, scores.dtype)
        loops.log_posteriors(scores, _array(lengths), *_chain(transitions, start, end), logs)
        return torch.from_numpy(logs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the emissions and the chain."""
        emissions, *parts, lengths = ctx.saved_tensors
        scores = _array(emissions)
        slopes = np.zeros(scores.shape, scores.dtype)
        chain = _chain(*parts)
        out = [np.zeros(part.shape) for part in chain]
        loops.log_posteriors_back(scores, _array(lengths), *chain, _array(grads[0]), slopes, *out)
        own = (torch.from_numpy(part).to(like.dtype) for part, like in zip(out, parts, strict=True))
        return torch.from_numpy(slopes), *own, None


def _chain(*parts: Tensor) -> tuple[NDArray[np.float64], ...]:
    return tuple(_array(part.double()) for part in parts)


def _array(values: Tensor) -> NDArray[Any]:
    """The tensor's own memory where it is contiguous: for any other a loop would be compiled once more."""
    array: NDArray[Any] = values.detach().contiguous().numpy()
    return array
