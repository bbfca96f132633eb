"""Token ids -> one vector a word: a pretrained encoder, first sub-token pooling, word dropout, case shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from mner.config import ModelConfig
from mner.models.parts import last_layer
from mner.views import SHAPES

Arrays = Mapping[str, Tensor]
"""One view of a batch of posts, by the names of ``views.Batch``: input_ids, attention_mask and shapes
(window, token), word_index (post, word), lengths (post,); in a packed batch also segments and positions."""


class WordEncoder(nn.Module):
    """Word vectors of one view: the encoder's last layer at each word's first sub-token.

    A word without sub-token has a zero vector and keeps its place. Word dropout zeroes whole vectors without
    rescaling the others, as the release does. Context words are encoded with the post's own and then left out.

    Args:
        encoder: Any transformers encoder whose output has ``last_hidden_state``.
        word_dropout: Chance that a word's whole vector is zeroed in training.
        case_shape: Whether a learned embedding of how each sub-token is written joins the input embeddings;
            it gives an uncased encoder the capitals back. It starts from zero: training begins with the
            encoder's own behaviour.
    """

    def __init__(self, encoder: Any, *, word_dropout: float, case_shape: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.word_dropout = word_dropout
        self.width = int(encoder.config.hidden_size)
        self.shapes = nn.Embedding(len(SHAPES), embedding_width(encoder)) if case_shape else None
        if self.shapes is not None:
            nn.init.zeros_(self.shapes.weight)
        self._at_words = last_layer.prepare(encoder)

    @classmethod
    def of(cls, encoder: Any, config: ModelConfig) -> WordEncoder:
        """The word encoder that [model] describes."""
        return cls(encoder, word_dropout=config.word_dropout, case_shape=config.case_shape)

    def forward(self, arrays: Arrays, hidden: Tensor | None = None) -> Tensor:
        """Word vectors (post, word, hidden); ``hidden`` is the encoder's last layer where it is known already."""
        if hidden is None:
            return self.of_views([arrays])[0]
        return self.drop(pool(hidden, arrays["word_index"]))

    def of_views(self, views: Sequence[Arrays]) -> list[Tensor]:
        """Word vectors (post, word, hidden) of each of some views that share their tokens, in one pass.

        The encoder's last layer is computed at the words' first sub-tokens alone where it can be.
        """
        indices = [arrays["word_index"] for arrays in views]
        if not self._at_words or last_layer.recomputed(self.encoder):
            hidden = self.hidden(views[0])
            return [self.drop(pool(hidden, index)) for index in indices]
        flat = torch.cat([index.flatten() for index in indices])
        real = flat >= 0
        with last_layer.only(torch.cat([flat.new_zeros(1), flat[real]])):  # never empty
            hidden = self.hidden(views[0])  # (1, place, hidden)
        places = torch.split(torch.where(real, real.long().cumsum(0), -1), [index.numel() for index in indices])
        return [self.drop(pool(hidden, place.view_as(index))) for place, index in zip(places, indices, strict=True)]

    def drop(self, words: Tensor) -> Tensor:
        """Word vectors (post, word, hidden) after word dropout."""
        if self.training and self.word_dropout > 0:
            keep = torch.rand(words.shape[:2], device=words.device) >= self.word_dropout
            words = words * keep.unsqueeze(-1).to(words.dtype)
        return words

    def hidden(self, arrays: Arrays) -> Tensor:
        """The encoder's last layer (window, token, hidden).

        In a packed batch (``segments``, ``positions``) each window attends to itself alone.
        """
        if self.shapes is None:
            embedded = {"input_ids": arrays["input_ids"]}
        else:
            embedded = {"inputs_embeds": self.embedded(arrays)}
        if "segments" in arrays:
            embedded["position_ids"] = arrays["positions"] + first_position(self.encoder)
            embedded["attention_mask"] = segment_mask(self.encoder, arrays["segments"])
        else:
            embedded["attention_mask"] = arrays["attention_mask"]
        output = self.encoder(**embedded)
        hidden: Tensor = output.last_hidden_state
        return hidden

    def embedded(self, arrays: Arrays) -> Tensor:
        """The encoder's input embeddings (window, token, embedding), with the case shapes where it has them."""
        vectors: Tensor = cast(Any, self.encoder).get_input_embeddings()(arrays["input_ids"])
        return vectors if self.shapes is None else vectors + self.shapes(arrays["shapes"])


def pool(hidden: Tensor, word_index: Tensor) -> Tensor:
    """The vectors (post, word, hidden) at flat positions ``word_index`` of (window, token, hidden); -1 gives zeros."""
    flat = hidden.flatten(0, 1)
    words = flat[word_index.clamp_min(0)]
    return words * (word_index >= 0).unsqueeze(-1).to(words.dtype)


def mean_pool(hidden: Tensor, word_index: Tensor, pieces: Tensor) -> Tensor:
    """The mean vector (post, word, hidden) of each word's sub-tokens in (window, token, hidden).

    Args:
        hidden: Of each sub-token.
        word_index: Flat position of each word's first one (post, word); -1 gives zeros.
        pieces: How many each word has (post, word).
    """
    steps = torch.arange(
        cast(int, pieces.max()), device=hidden.device
    )  # a tensor, so that a traced graph keeps it open
    places = word_index.unsqueeze(-1) + steps  # (post, word, piece)
    real = ((steps < pieces.unsqueeze(-1)) & (word_index >= 0).unsqueeze(-1)).to(hidden.dtype)
    flat = hidden.flatten(0, 1)
    vectors = flat[places.clamp(0, flat.shape[0] - 1)] * real.unsqueeze(-1)  # (post, word, piece, hidden)
    means: Tensor = vectors.sum(2) / real.sum(2).clamp_min(1).unsqueeze(-1)
    return means


def segment_mask(encoder: Any, segments: Tensor) -> Tensor:
    """The mask (window, 1, token, token) by which each sub-token attends to its own segment alone.

    What is added to the attention scores for encoders that attend by their own code, else True and False.
    """
    same = (segments[:, :, None] == segments[:, None, :])[:, None]
    if (getattr(encoder.config, "_attn_implementation", None) or "eager") != "eager":
        return same
    return torch.zeros(same.shape, device=same.device).masked_fill(~same, torch.finfo(torch.float32).min)


def first_position(encoder: Any) -> int:
    """The position id of an input's first token: past the padding id in encoders shaped like RoBERTa, else 0."""
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return 0 if padding is None else int(padding) + 1


def embedding_width(encoder: Any) -> int:
    """The width of the encoder's input embeddings, which need not be its hidden width."""
    return int(encoder.get_input_embeddings().embedding_dim)
