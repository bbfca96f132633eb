"""UMT: a unified multimodal transformer with an auxiliary task of entity spans (Yu et al., ACL 2020).

Two transformer layers read the encoder's output. The main one meets the picture's grid three times:

    B = text queries the grid            P = the grid queries text            A = text queries P
    g = sigmoid(W [A ; B])               main scores = linear [A ; g * B]

The auxiliary one predicts where entities begin and go on, without their types. Its scores reach the main task
through a fixed matrix, which gives each type its equal share of "B", of "I" and so on:

    emissions = mix * main + (1 - mix) * (auxiliary @ conversion)        loss = L_main + weight * L_auxiliary
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from pydantic import Field
from torch import Tensor, nn

from mner.config import Config
from mner.config.schema import Section
from mner.errors import ConfigError
from mner.models.parts.crf import ChainCRF
from mner.models.parts.encoder import Arrays, WordEncoder, pool
from mner.models.parts.fusion import CrossLayer, begin_as_bert, fusion_groups, refuse_packed
from mner.models.parts.objective import of_views, refuse_alignment
from mner.types import ViewName
from mner.views import Array, Needs


class Options(Section):
    """[model.options] of umt."""

    regions: int = Field(default=49, ge=1)  # most vectors of a picture, the first ones
    width: int = Field(default=2048, ge=1)  # numbers of each vector, as the extractor gives them
    dropout: float = Field(default=0.1, ge=0, lt=1)  # of the encoder's output and the layers behind it
    mix: float = Field(default=0.5, ge=0, le=1)  # share of the main scores; the rest are the auxiliary task's
    auxiliary_weight: float = Field(default=0.5, ge=0)  # of the auxiliary task's loss


def conversion(labels: Sequence[str]) -> tuple[tuple[str, ...], Tensor]:
    """The classes of the auxiliary task, and the matrix (class, label) that turns its scores into the main task's.

    A class is a label without its type. Each label takes its class's score times one over the number of types.

    >>> classes, matrix = conversion(["O", "B-LOC", "I-LOC", "B-PER", "I-PER"])
    >>> classes, matrix.tolist()
    (('O', 'B', 'I'), [[1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.5, 0.0, 0.5, 0.0], [0.0, 0.0, 0.5, 0.0, 0.5]])
    """
    classes = [label.partition("-")[0] for label in labels]
    names = tuple(dict.fromkeys(classes))
    matrix = torch.tensor([[float(name == of_label) for of_label in classes] for name in names])
    return names, matrix / matrix.sum(1, keepdim=True)


class Model(nn.Module):
    """Words and grid vectors -> label scores. Without a picture, what would read it receives zeros."""

    conversion: Tensor
    classes: Tensor

    def __init__(self, config: Config, labels: Sequence[str], encoder: nn.Module) -> None:
        super().__init__()
        self.options = options = Options.model_validate(config.model.options)
        self.config = config
        self.views: tuple[ViewName, ...] = config.loss.views
        settings = config.model
        self.words = WordEncoder.of(encoder, settings)
        width = self.words.width
        heads, inner = _layer_sizes(cast(Any, encoder).config)

        def layer() -> CrossLayer:
            return CrossLayer(width, heads, inner, options.dropout)

        self.dropout = nn.Dropout(options.dropout)
        self.main, self.auxiliary = layer(), layer()
        self.picture = nn.ModuleList(nn.Linear(options.width, width) for _ in range(2))
        self.text_reads_grid, self.grid_reads_text, self.text_reads_back = layer(), layer(), layer()
        self.gate = nn.Linear(2 * width, width)
        self.emission = nn.Linear(2 * width, len(labels))
        names, matrix = conversion(labels)
        self.span_emission = nn.Linear(width, len(names))
        begin_as_bert(module for name, module in self.named_children() if name != "words")
        self.crf, self.span_crf = ChainCRF(len(labels)), ChainCRF(len(names))
        self.register_buffer("conversion", matrix, persistent=False)
        self.register_buffer("classes", matrix.argmax(0), persistent=False)  # of each label

    @staticmethod
    def needs(config: Config) -> Needs:
        """One encoder and the grid of a picture.

        Raises:
            ConfigError: [loss] aligns the views.
        """
        refuse_alignment(config)
        width = Options.model_validate(config.model.options).width
        grid = Array("grid", axes=("post", "region", width))
        return Needs(encoders=(config.model.encoder,), arrays=(grid,), context=False)

    def encoders(self) -> tuple[nn.Module, ...]:
        """The one encoder."""
        return (self.words.encoder,)

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The encoder; both chains; the case shapes; and all layers behind the encoder as "fusion"."""
        return fusion_groups(self, self.words, (self.crf, self.span_crf))

    def word_vectors(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """[A ; g * B] at each word (post, word, 2 * hidden)."""
        arrays = batch[view]
        vectors: Tensor = self.words(arrays, self._fused(arrays, self._hidden(arrays)))
        return vectors

    def emissions(self, batch: Mapping[ViewName, Arrays], view: ViewName) -> Tensor:
        """Label scores (post, word, label) in float32 of one view."""
        return self._scores(batch[view])[0]

    def losses(
        self,
        batch: Mapping[ViewName, Arrays],
        gold: Tensor | None,
        taught: Mapping[ViewName, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """The losses of each post, ``loss`` (post,) being the one to minimise; the arguments are ``Model.losses``'s."""
        scores: dict[ViewName, Tensor] = {}
        parts: dict[ViewName, Tensor] = {}
        lengths = batch[self.views[0]]["lengths"]
        for view in self.views:
            scores[view], spans = self._scores(batch[view])
            if gold is not None:
                auxiliary = self.span_crf.nll(spans, self.classes[gold], lengths)
                parts[view] = self.crf.nll(scores[view], gold, lengths) + self.options.auxiliary_weight * auxiliary
        return of_views(self, self.config, parts, scores, lengths, taught)

    forward = losses

    def _scores(self, arrays: Arrays) -> tuple[Tensor, Tensor]:
        """Emissions (post, word, label), and the auxiliary task's (post, word, class)."""
        hidden = self._hidden(arrays)
        main = self.emission(self.words(arrays, self._fused(arrays, hidden))).float()
        spans = self.span_emission(
            pool(self.auxiliary(hidden, hidden, arrays["attention_mask"]), arrays["word_index"])
        ).float()
        mix = self.options.mix
        return mix * main + (1 - mix) * (spans @ self.conversion), spans

    def _hidden(self, arrays: Arrays) -> Tensor:
        """The encoder's output (window, token, hidden), which both layers read."""
        hidden: Tensor = self.dropout(self.words.hidden(refuse_packed(arrays)))
        return hidden

    def _fused(self, arrays: Arrays, hidden: Tensor) -> Tensor:
        """[A ; g * B] at each sub-token (window, token, 2 * hidden)."""
        owner, tokens = arrays["window_post"], arrays["attention_mask"]
        seen = arrays["grid_mask"][:, : self.options.regions][owner]  # (window, region)
        grid = arrays["grid"][:, : self.options.regions]
        first, second = (layer(grid)[owner] for layer in self.picture)  # (window, region, hidden)
        text = self.main(hidden, hidden, tokens)
        read = self.text_reads_grid(text, first, seen)  # B
        aware = self.grid_reads_text(second, text, tokens)  # P
        back = self.text_reads_back(text, aware, seen)  # A
        gate = torch.sigmoid(self.gate(torch.cat([back, read], -1)))
        return torch.cat([back, gate * read], -1)


def _layer_sizes(shape: Any) -> tuple[int, int]:
    """The heads and the inner width of an encoder's layers, which the layers on top of it share.

    Raises:
        ConfigError: It has no layers.
    """
    heads = getattr(shape, "num_attention_heads", None)
    if heads is None:
        raise ConfigError(
            f'model.encoder: the layers of the model "umt" are as those of its encoder, and {shape.model_type} has '
            "none; such as embedded:minilm or embedded:mpnet has"
        )
    inner = getattr(shape, "intermediate_size", None) or getattr(shape, "hidden_dim", None) or 4 * shape.hidden_size
    return int(heads), int(inner)
