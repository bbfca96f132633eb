"""Linear-chain CRF with start and end scores (ITA, section 3.1; Lafferty et al., 2001)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mner.models.parts import chain
from mner.models.parts.chain import ChainScores


class ChainCRF(nn.Module):
    """Transition scores [from, to], start and end scores, and what training needs of them.

        score(y) = start[y1] + sum_i e_i[y_i] + sum_{i>1} A[y_{i-1}, y_i] + end[y_n]

    All three begin at zero: every label sequence is then equally likely, each score has a gradient of its own, so
    there is no symmetry to break, and a seed moves nothing here. Emissions are (batch, word, label), lengths
    (batch,) words, gold labels (batch, word); types and padding as ``parts.chain`` says.

    Args:
        labels: Number of labels.
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(labels, labels))
        self.start = nn.Parameter(torch.zeros(labels))
        self.end = nn.Parameter(torch.zeros(labels))

    @property
    def chain(self) -> ChainScores:
        """The three scores as plain tensors that carry gradients."""
        return ChainScores(self.transitions, self.start, self.end)

    def log_partition(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Log Z (batch,); see ``chain.log_partition``."""
        return chain.log_partition(self.chain, emissions, lengths)

    def path_score(self, emissions: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
        """Unnormalised score (batch,) of the gold labels; see ``chain.path_score``."""
        return chain.path_score(self.chain, emissions, gold, lengths)

    def nll(self, emissions: Tensor, gold: Tensor, lengths: Tensor) -> Tensor:
        """Negative log-likelihood (batch,) of the gold labels; see ``chain.nll``."""
        return chain.nll(self.chain, emissions, gold, lengths)

    def posteriors(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Log-posteriors (batch, word, label), to be tempered as they are; see ``chain.posteriors``."""
        return chain.posteriors(self.chain, emissions, lengths)

    def pair_posteriors(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Probabilities (batch, word - 1, label, label) of neighbouring labels; see ``chain.pair_posteriors``."""
        return chain.pair_posteriors(self.chain, emissions, lengths)
