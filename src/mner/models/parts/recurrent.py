"""Bidirectional LSTMs over padded sequences: what stands past a sequence's end is never read."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BiLSTM(nn.Module):
    """Layers of a forward and a backward LSTM each, side by side.

    The backward one reads each sequence turned round by its own length, so the result of a sequence does not depend on
    the padding that its batch needs.

    Args:
        inputs: Width of a step.
        hidden: Width of each direction.
        layers: Layers, each on the result of the one before.
        dropout: Between layers.
    """

    def __init__(self, inputs: int, hidden: int, layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        widths = [inputs, *[2 * hidden] * (layers - 1)]
        self.ahead = nn.ModuleList(nn.LSTM(width, hidden, batch_first=True) for width in widths)
        self.back = nn.ModuleList(nn.LSTM(width, hidden, batch_first=True) for width in widths)
        self.dropout = nn.Dropout(dropout)

    def forward(self, steps: Tensor, lengths: Tensor) -> Tensor:
        """The states (batch, step, 2 * hidden) at each step; zeros past a sequence's end.

        Args:
            steps: (batch, step, width).
            lengths: Of the sequences (batch,), perhaps 0.
        """
        steps = steps.float()  # an LSTM adds up over many steps what mixed precision would round at each
        real = (torch.arange(steps.shape[1], device=steps.device) < lengths[:, None]).unsqueeze(-1).to(steps.dtype)
        for number, (ahead, back) in enumerate(zip(self.ahead, self.back, strict=True)):
            if number:
                steps = self.dropout(steps)
            steps = torch.cat([ahead(steps)[0], read_back(back, steps, lengths)], -1) * real
        return steps


def read_back(lstm: nn.Module, steps: Tensor, lengths: Tensor) -> Tensor:
    """The states (batch, step, hidden) of an LSTM that reads each sequence from its end; arbitrary past that end."""
    places = torch.arange(steps.shape[1], device=steps.device)
    turned = torch.where(places < lengths[:, None], lengths[:, None] - 1 - places, places).unsqueeze(-1)
    states: Tensor = lstm(steps.gather(1, turned.expand(-1, -1, steps.shape[-1])))[0]
    return states.gather(1, turned.expand(-1, -1, states.shape[-1]))


class CharacterEncoder(nn.Module):
    """Characters of words -> a vector of each word: the last states of a BiLSTM over them (Lample et al., 2016).

    Args:
        width: Of a character's embedding.
        hidden: Of both directions together.
        known: Code points below this have an embedding of their own, all others share one.
        dropout: Of the characters' embeddings.
    """

    def __init__(self, width: int, hidden: int, known: int = 256, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.known = known
        self.direction = hidden // 2
        self.embedding = nn.Embedding(known + 1, width)
        self.dropout = nn.Dropout(dropout)
        self.lstm = BiLSTM(width, self.direction)

    def forward(self, characters: Tensor) -> Tensor:
        """A vector of each word (post, word, hidden) from its code points (post, word, character); 0 is padding."""
        flat = characters.flatten(0, 1)
        lengths = (flat > 0).sum(1)
        embedded = self.dropout(self.embedding(flat.clamp(max=self.known)))
        states = self.lstm(embedded, lengths)  # (word, character, hidden)
        last = (lengths - 1).clamp_min(0)[:, None, None].expand(-1, 1, self.direction)
        ahead = states[..., : self.direction].gather(1, last)[:, 0]
        vectors = torch.cat([ahead, states[:, 0, self.direction :]], -1)
        return vectors.reshape(*characters.shape[:2], -1)
