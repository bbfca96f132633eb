"""A small random CRF, and every label sequence of a post."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from mner.models.parts.crf import ChainCRF


@pytest.fixture
def crf() -> Callable[..., ChainCRF]:
    """Makes a CRF with random scores."""

    def make(labels: int, *, seed: int = 0, dtype: torch.dtype = torch.float64, scale: float = 1.0) -> ChainCRF:
        draw = torch.Generator().manual_seed(seed)
        chain = ChainCRF(labels).to(dtype)
        with torch.no_grad():
            for parameter in chain.parameters():
                parameter.copy_(scale * torch.randn(parameter.shape, generator=draw, dtype=torch.float64))
        return chain

    return make


@pytest.fixture
def normal() -> Callable[..., Tensor]:
    """Draws standard normal numbers, the same for the same seed."""

    def draw(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)

    return draw


@pytest.fixture
def enumerated() -> Callable[..., SimpleNamespace]:
    """All label sequences of one post's emissions (word, label), in float64 with plain autograd."""

    def run(crf: ChainCRF, emissions: Tensor) -> SimpleNamespace:
        start, move, end = crf.start.double(), crf.transitions.double(), crf.end.double()
        paths = list(product(range(emissions.shape[1]), repeat=len(emissions)))
        scores = torch.stack(
            [
                start[path[0]]
                + sum(emissions[word, label].double() for word, label in enumerate(path))
                + sum(move[a, b] for a, b in pairwise(path))
                + end[path[-1]]
                for path in paths
            ]
        )
        return SimpleNamespace(
            paths=torch.tensor(paths),
            scores=scores,
            log_partition=torch.logsumexp(scores, 0),
            log=torch.log_softmax(scores, 0),
        )

    return run
