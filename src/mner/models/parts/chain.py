"""Sums over all label sequences of a linear chain, differentiable: log-partition, posteriors, pairs of neighbours.

Emissions are (batch, word, label) and lengths (batch,) words everywhere. Inner sums run in float64 (float32 where
the device has no other); results come back in the emissions' type. What stands past a post's length is never read,
be it NaN. A post of length 0 has log-partition and score 0. With numba ``parts.one_pass`` computes log-likelihoods and
posteriors on the CPU.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from mner.models.parts import one_pass
from mner.models.parts.scan import ChainScan


class ChainScores(NamedTuple):
    """Transition scores (label, label) as [from, to], start scores (label,) and end scores (label,)."""

    transitions: Tensor
    start: Tensor
    end: Tensor


def mask(emissions: Tensor, lengths: Tensor) -> Tensor:
    """True (batch, word) at the words of each post."""
    return torch.arange(emissions.shape[1], device=emissions.device) < lengths[:, None]


def exact_scores(emissions: Tensor, lengths: Tensor) -> Tensor:
    """Emissions in the type of the inner sums, zero past each length."""
    dtype = torch.float32 if emissions.device.type == "mps" else torch.float64
    return emissions.masked_fill(~mask(emissions, lengths)[..., None], 0.0).to(dtype)


def log_partition(chain: ChainScores, emissions: Tensor, lengths: Tensor) -> Tensor:
    """Log Z (batch,): the log-sum of the scores of all label sequences."""
    return _total(chain, _forward(chain, exact_scores(emissions, lengths)), lengths).to(emissions.dtype)


def path_score(chain: ChainScores, emissions: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    """Unnormalised score (batch,) of the label sequences ``gold`` (batch, word); any value may pad them."""
    return _path(chain, exact_scores(emissions, lengths), gold, lengths).to(emissions.dtype)


def nll(chain: ChainScores, emissions: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    """Negative log-likelihood (batch,) of ``gold`` (batch, word): log Z - score(gold)."""
    if one_pass.usable(emissions):
        likelihood: Tensor = one_pass.Likelihood.apply(emissions, *chain, gold, lengths)  # type: ignore[no-untyped-call]
        return likelihood
    exact = exact_scores(emissions, lengths)
    total = _total(chain, _forward(chain, exact), lengths)
    return (total - _path(chain, exact, gold, lengths)).to(emissions.dtype)


def posteriors(chain: ChainScores, emissions: Tensor, lengths: Tensor) -> Tensor:
    """Log-posteriors (batch, word, label): the log-softmax of alpha + beta; 0 past each length.

    They differ from alpha + beta by a constant per word, so a tempered posterior is ``softmax(posteriors / tau)``.
    """
    if one_pass.usable(emissions):
        logs: Tensor = one_pass.Posteriors.apply(emissions, *chain, lengths)  # type: ignore[no-untyped-call]
        return logs
    alpha, beta = _forward_backward(chain, exact_scores(emissions, lengths), lengths)
    log = torch.log_softmax(alpha + beta, -1)
    return log.masked_fill(~mask(emissions, lengths)[..., None], 0.0).to(emissions.dtype)


def pair_posteriors(chain: ChainScores, emissions: Tensor, lengths: Tensor) -> Tensor:
    """Probability (batch, word - 1, label, label) of labels [from, to] at each word and the next; 0 past the end."""
    exact = exact_scores(emissions, lengths)
    alpha, beta = _forward_backward(chain, exact, lengths)
    total = _total(chain, alpha, lengths)[:, None, None, None]
    arrive = (exact + beta)[:, 1:, None, :]
    log = alpha[:, :-1, :, None] + chain.transitions.to(exact.dtype) + arrive - total
    return log.exp().masked_fill(~mask(emissions, lengths)[:, 1:, None, None], 0.0).to(emissions.dtype)


def _scan(exact: Tensor, first: Tensor, transitions: Tensor) -> Tensor:
    """Forward sums (way, batch, word, label) of scores of that shape; first (way, label), transitions (way, ., .)."""
    steps = exact.permute(2, 0, 1, 3)  # (word, way, batch, label)
    steps = torch.cat([steps[:1] + first[:, None].to(exact.dtype), steps[1:]])
    sums: Tensor = ChainScan.apply(steps, transitions.to(exact.dtype))  # type: ignore[no-untyped-call]
    return sums.permute(1, 2, 0, 3)


def _forward(chain: ChainScores, exact: Tensor) -> Tensor:
    """Alpha (batch, word, label); garbage past each length."""
    return _scan(exact[None], chain.start[None], chain.transitions[None])[0]


def _forward_backward(chain: ChainScores, exact: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Alpha and beta (batch, word, label); garbage past each length.

    Beta is the forward recursion over reversed posts with transposed transitions, so both share one loop. What an
    emission adds to the reversed sums is taken out again; the scan limits it, so it is limited here, closer.
    """
    least = exact.detach().amax(-1, keepdim=True) + 0.36 * math.log(torch.finfo(exact.dtype).tiny)
    exact = torch.maximum(exact, least)
    both = torch.stack([exact, _mirrored(exact, lengths)])
    first = torch.stack([chain.start, chain.end])
    alpha, back = _scan(both, first, torch.stack([chain.transitions, chain.transitions.T])).unbind(0)
    return alpha, _mirrored(back, lengths) - exact


def _mirrored(values: Tensor, lengths: Tensor) -> Tensor:
    """Values (batch, word, label) with each post's own words in reverse order; what stands past the end stays."""
    places = torch.arange(values.shape[1], device=values.device)
    turned = torch.where(places < lengths[:, None], lengths[:, None] - 1 - places, places)
    return values.gather(1, turned[..., None].expand_as(values))


def _total(chain: ChainScores, alpha: Tensor, lengths: Tensor) -> Tensor:
    """Log Z (batch,) from alpha (batch, word, label)."""
    last = alpha[torch.arange(len(alpha), device=alpha.device), (lengths - 1).clamp_min(0)]
    return torch.logsumexp(last + chain.end.to(alpha.dtype), -1).masked_fill(lengths == 0, 0.0)


def _path(chain: ChainScores, exact: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
    real = mask(exact, lengths)
    labels = gold.masked_fill(~real, 0)
    local = exact.gather(2, labels[..., None])[..., 0]  # (batch, word), 0 past the end
    moves = chain.transitions.to(exact.dtype)[labels[:, :-1], labels[:, 1:]].masked_fill(~real[:, 1:], 0.0)
    last = labels.gather(1, (lengths - 1).clamp_min(0)[:, None])[:, 0]
    edges = chain.start.to(exact.dtype)[labels[:, 0]] + chain.end.to(exact.dtype)[last]
    return local.sum(1) + moves.sum(1) + edges.masked_fill(lengths == 0, 0.0)
