"""Layers in which words and a picture's vectors read one another: attention between them, gates, graph fusion."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays, WordEncoder


class Attention(nn.Module):
    """Multi-head attention whose queries and keys may come from different modalities.

    A query for which no key is real receives zeros, whatever the padded keys hold.

    Args:
        width: Width of queries and of what comes back.
        heads: Heads; they divide ``width``.
        dropout: Of the attention's weights.

    Raises:
        ValueError: ``heads`` does not divide ``width``.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}")
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, queries: Tensor, keys: Tensor, real: Tensor) -> Tensor:
        """What each of ``queries`` (batch, query, width) gathers from ``keys`` (batch, key, width).

        ``real`` (batch, key) is 1 where a key may be attended to and 0 for padding.
        """
        heads = [
            layer(values).unflatten(-1, (self.heads, -1)).transpose(1, 2)  # (batch, head, position, part)
            for layer, values in ((self.query, queries), (self.key, keys), (self.value, keys))
        ]
        scores = heads[0] @ heads[1].transpose(-1, -2) / math.sqrt(heads[0].shape[-1])  # (batch, head, query, key)
        weights = masked_softmax(scores, real[:, None, None])
        gathered: Tensor = self.output((self.dropout(weights) @ heads[2]).transpose(1, 2).flatten(2))
        any_real = real.amax(1)[:, None, None].to(gathered.dtype)
        return gathered * any_real


def masked_softmax(scores: Tensor, real: Tensor) -> Tensor:
    """The softmax over the last axis of what is ``real``, zeros elsewhere; all zeros where nothing is real."""
    lowest = torch.finfo(scores.dtype).min
    weights = scores.masked_fill(real == 0, lowest).softmax(-1)
    return weights * real.to(weights.dtype)


class FeedForward(nn.Module):
    """Two linear layers with an activation between them, and the residual and norm of a transformer's layer.

    ``inside`` is the dropout between the two linear layers.
    """

    def __init__(self, width: int, inner: int, dropout: float, activation: nn.Module, *, inside: float = 0.0) -> None:
        super().__init__()
        between = [activation, nn.Dropout(inside)] if inside else [activation]
        self.layers = nn.Sequential(nn.Linear(width, inner), *between, nn.Linear(inner, width), nn.Dropout(dropout))
        self.norm = nn.LayerNorm(width)

    def forward(self, values: Tensor) -> Tensor:
        """Vectors (batch, position, width) of the same shape."""
        normed: Tensor = self.norm(values + self.layers(values))
        return normed


class CrossLayer(nn.Module):
    """A transformer layer in BERT's order (norm after the residual), its keys perhaps from another modality.

    Args:
        width: Of queries, keys and result.
        heads: Of the attention.
        inner: Width between the two linear layers.
        dropout: Of weights and of both parts' results.
        activation: Between the two linear layers; None: GELU.
        inside: Dropout between the two linear layers.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        inner: int,
        dropout: float,
        *,
        activation: nn.Module | None = None,
        inside: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention = Attention(width, heads, dropout)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(width)
        self.feedforward = FeedForward(width, inner, dropout, activation or nn.GELU(), inside=inside)

    def forward(self, queries: Tensor, keys: Tensor, real: Tensor) -> Tensor:
        """Vectors (batch, query, width); for the arguments see ``Attention``."""
        read = self.norm(queries + self.dropout(self.attention(queries, keys, real)))
        fused: Tensor = self.feedforward(read)
        return fused


class GraphLayer(nn.Module):
    """One layer of graph fusion (Zhang et al., AAAI 2021, section 3.2): edges inside each modality and between them.

    Inside a modality nodes attend to one another. Between modalities every word is joined to every object, and an
    elementwise gate on both ends weighs what passes:

        message to x_i = sum_j sigmoid(W x_i + V o_j) * o_j        and the same towards o_j, with weights of its own

    Args:
        width: Of all nodes.
        heads: Of the attention inside a modality.
        inner: Width between the feed-forward part's linear layers.
        dropout: Of weights and messages.
        last: Whether no layer follows: objects send messages then and receive none, since nothing would read them.
    """

    def __init__(self, width: int, heads: int, inner: int, dropout: float, *, last: bool = False) -> None:
        super().__init__()
        self.receiving = range(1 if last else 2)
        self.within = nn.ModuleList(Attention(width, heads, dropout) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.own = nn.ModuleList(nn.Linear(width, width) for _ in self.receiving)
        self.other = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in self.receiving)
        self.received = nn.ModuleList(nn.LayerNorm(width) for _ in self.receiving)
        self.feedforward = nn.ModuleList(FeedForward(width, inner, dropout, nn.ReLU()) for _ in self.receiving)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, words: Tensor, objects: Tensor, real_words: Tensor, real_objects: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Both kinds of nodes, (batch, word, width) and (batch, object, width); ``real_*`` are 1 for real nodes."""
        nodes = [words, objects]
        real = [real_words, real_objects]
        for kind in range(2):
            inside = self.within[kind](nodes[kind], nodes[kind], real[kind])
            nodes[kind] = self.norms[kind](nodes[kind] + self.dropout(inside))
        passed = [self._messages(kind, nodes, real) for kind in self.receiving]
        for kind in self.receiving:
            nodes[kind] = self.feedforward[kind](self.received[kind](nodes[kind] + self.dropout(passed[kind])))
        return nodes[0], nodes[1]

    def _messages(self, kind: int, nodes: list[Tensor], real: list[Tensor]) -> Tensor:
        """What nodes of one kind receive from those of the other (batch, node, width)."""
        own, other = nodes[kind], nodes[1 - kind]
        gates = torch.sigmoid(self.own[kind](own)[:, :, None] + self.other[kind](other)[:, None])
        neighbours = (other * real[1 - kind].unsqueeze(-1).to(other.dtype))[:, None]  # (batch, 1, neighbour, width)
        return (gates * neighbours).sum(2)


def begin_as_bert(modules: Iterable[nn.Module]) -> None:
    """Start linear layers as BERT's own start: weights from a normal distribution of 0.02, biases at 0."""
    for module in modules:
        for layer in module.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)


def refuse_packed(arrays: Arrays) -> Arrays:
    """The arrays themselves.

    Raises:
        ValueError: Windows share rows, which leaves no place for each one's picture.
    """
    if "segments" in arrays:
        raise ValueError("windows that share a row have no place for their pictures")
    return arrays


def fusion_groups(model: nn.Module, words: WordEncoder, chains: Sequence[ChainCRF]) -> dict[str, list[nn.Parameter]]:
    """Parameters by learning rate: "encoder", "feature" (case shapes), "crf" (``chains``), and the rest as "fusion"."""
    groups = {
        "encoder": [parameter for parameter in words.encoder.parameters() if parameter.requires_grad],
        "feature": [] if words.shapes is None else list(words.shapes.parameters()),
        "crf": [parameter for chain in chains for parameter in chain.parameters()],
    }
    known = {id(parameter) for group in (*groups.values(), list(words.encoder.parameters())) for parameter in group}
    return {**groups, "fusion": [parameter for parameter in model.parameters() if id(parameter) not in known]}
