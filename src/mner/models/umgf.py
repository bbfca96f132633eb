"""UMGF: graph fusion of words and grounded objects (Zhang et al., AAAI 2021).

The objects are regions of the picture that were found by the words for entity types ("person", "location", ...), each
one vector of a ResNet; where nothing is found, the whole picture stands in. Words and objects become the nodes of a
graph, which several layers fuse (``parts.fusion.GraphLayer``):

    x_i = W h_i        o_j = two linear layers with ReLU        emissions = linear [h_i ; fused x_i]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from mner.config import Config
from mner.config.schema import Section
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays, WordEncoder
from mner.models.parts.fusion import GraphLayer, fusion_groups, refuse_packed
from mner.models.parts.objective import Supervised, refuse_alignment
from mner.types import ViewName
from mner.views import Array, Needs


class Options(Section):
    """[model.options] of umgf."""

    objects: int = Field(default=4, ge=1)  # most objects of a picture, the first ones: one for each entity type
    width: int = Field(default=2048, ge=1)  # numbers of each object, as the extractor gives them
    nodes: int = Field(default=512, ge=1)  # width of the graph's nodes
    layers: int = Field(default=6, ge=1)  # of graph fusion
    heads: int = Field(default=8, ge=1)  # they divide the width of the nodes
    inner: int = Field(default=256, ge=1)  # width inside a layer's feed-forward part
    dropout: float = Field(default=0.4, ge=0, lt=1)  # of everything behind the encoder

    @model_validator(mode="after")
    def _heads_divide(self) -> Options:
        if self.nodes % self.heads:
            raise ValueError(f"nodes: {self.heads} heads do not divide {self.nodes}")
        return self


class Model(Supervised):
    """Words and grounded objects -> label scores. Without a picture words receive no messages from objects."""

    def __init__(self, config: Config, labels: Sequence[str], encoder: nn.Module) -> None:
        super().__init__()
        self.options = options = Options.model_validate(config.model.options)
        self.config = config
        self.views: tuple[ViewName, ...] = config.loss.views
        settings = config.model
        self.words = WordEncoder.of(encoder, settings)
        self.text = nn.Linear(self.words.width, options.nodes)
        self.objects = nn.Sequential(
            nn.Linear(options.width, options.nodes),
            nn.ReLU(),
            nn.Dropout(options.dropout),
            nn.Linear(options.nodes, options.nodes),
            nn.ReLU(),
            nn.Dropout(options.dropout),
        )
        self.layers = nn.ModuleList(
            GraphLayer(options.nodes, options.heads, options.inner, options.dropout, last=left == 1)
            for left in range(options.layers, 0, -1)
        )
        self.emission = nn.Linear(self.words.width + options.nodes, len(labels))
        self.crf = ChainCRF(len(labels))

    @staticmethod
    def needs(config: Config) -> Needs:
        """One encoder and the objects of a picture.

        Raises:
            ConfigError: [loss] aligns the views.
        """
        refuse_alignment(config)
        width = Options.model_validate(config.model.options).width
        crops = Array("crops", axes=("post", "region", width))
        return Needs(encoders=(config.model.encoder,), arrays=(crops,), context=False)

    def encoders(self) -> tuple[nn.Module, ...]:
        """The one encoder."""
        return (self.words.encoder,)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The encoder, the chain, the case shapes, and all layers behind the encoder as "fusion"."""
        return fusion_groups(self, self.words, (self.crf,))

    def word_vectors(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """[encoder's vector ; fused vector] of each word (post, word, hidden + nodes)."""
        arrays = refuse_packed(batch[view])
        hidden = self.words.hidden(arrays)
        vectors: Tensor = self.words(arrays, torch.cat([hidden, self._fused(arrays, hidden)], -1))
        return vectors

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        scores: Tensor = self.emission(self.word_vectors(batch, view))
        return scores.float()

    def _fused(self, arrays: Arrays, hidden: Tensor) -> Tensor:
        """The words' nodes after the last layer (window, token, nodes)."""
        owner, tokens = arrays["window_post"], arrays["attention_mask"]
        most = self.options.objects
        seen = arrays["crops_mask"][:, :most][owner]  # (window, object)
        # In float32: between the layers as within the encoder, mixed precision rounds products alone.
        words: Tensor = self.text(hidden).float()
        objects: Tensor = self.objects(arrays["crops"][:, :most]).float()[owner]
        for layer in self.layers:
            words, objects = layer(words, objects, tokens, seen)
        return words
