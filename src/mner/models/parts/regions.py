"""An encoder of BERT's shape that reads text and regions of a picture together (Oscar, VinVL)."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from mner.errors import ConfigError
from mner.models.parts.encoder import Arrays, WordEncoder
from mner.models.parts.fusion import refuse_packed
from mner.views import Array

BOX = 6
"""Numbers of a box: left, top, right, bottom, width and height, as shares of the picture's sides."""


def region_arrays(width: int) -> tuple[Array, Array]:
    """Regions (post, region, width) and their boxes (post, region, 6), as a model declares them."""
    return Array("regions", ("post", "region", width)), Array("boxes", ("post", "region", BOX))


START = {"regions.visual": "img_embedding", "regions.norm": "img_norm"}
"""Layers of a model's ``regions`` that start from VinVL's weights, and their names in its encoder's folder."""


class RegionEncoder(nn.Module):
    """Text, object tags and regions in one sequence, as Oscar's checkpoints expect them (Zhang et al., CVPR 2021).

    Text has token type 0 and what follows the first separator, the object tags, type 1. A region passes through one
    linear layer and joins the sequence after the embedding layer's norm: it has neither position nor type.

    Args:
        words: The encoder's inputs and pooling.
        width: Numbers of a region; the six of its box come on top.
        most: Regions of a picture that are read, the first ones.
        dropout: Of the projected regions.
        norm: Whether a norm follows the projection, as in VinVL; Oscar's first release has none.

    Raises:
        ConfigError: The encoder does not have BERT's parts.
    """

    def __init__(self, words: WordEncoder, width: int, most: int, dropout: float, *, norm: bool) -> None:
        super().__init__()
        network = cast(Any, words.encoder)
        table = getattr(getattr(network, "embeddings", None), "token_type_embeddings", None)
        if table is None or table.num_embeddings < 2 or not hasattr(network, "encoder"):
            raise ConfigError(
                "model.encoder: regions need an encoder of BERT's shape, with two token types; "
                "VinVL's own weights are one: mner encoder import"
            )
        self.words = words
        self.most = most
        self.visual = nn.Linear(width + BOX, words.width)
        self.norm = nn.LayerNorm(words.width, eps=1e-12) if norm else nn.Identity()
        self.dropout = nn.Dropout(dropout)

    def forward(self, arrays: Arrays) -> Tensor:
        """The last layer at the text's tokens (window, token, hidden) of one view."""
        network = cast(Any, self.words.encoder)
        owner = refuse_packed(arrays)["window_post"]
        mask = arrays["attention_mask"]
        seen = arrays["regions_mask"][:, : self.most]  # (post, region)
        regions = torch.cat([arrays["regions"], arrays["boxes"]], -1)[:, : self.most]
        text = network.embeddings(inputs_embeds=self.words.embedded(arrays), token_type_ids=token_types(arrays))
        visual = self.dropout(self.norm(self.visual(regions)))[owner].to(text.dtype)
        sequence = torch.cat([text, visual], 1)
        real = torch.cat([mask, seen[owner]], 1)
        hidden: Tensor = network.encoder(sequence, attention_mask=_mask(network, real)).last_hidden_state
        return hidden[:, : mask.shape[1]]


def token_types(arrays: Arrays) -> Tensor:
    """0 for the words of a window and its first separator, 1 for what follows (window, token)."""
    ends = separators(arrays)
    return (ends.cumsum(1) - ends).clamp(max=1) * arrays["attention_mask"]


def separators(arrays: Arrays) -> Tensor:
    """1 at the separators of a window (window, token): behind the words and behind each piece of context."""
    ids, mask = arrays["input_ids"], arrays["attention_mask"]
    separator = ids.gather(1, mask.sum(1, keepdim=True) - 1)  # every window ends in one
    return ((ids == separator) & (mask == 1)).long()


def _mask(network: Any, real: Tensor) -> Tensor:
    """What tells the encoder's layers which positions are real (window, 1, 1, position)."""
    wide = real[:, None, None].bool()
    if (getattr(network.config, "_attn_implementation", None) or "eager") != "eager":
        return wide.expand(-1, 1, real.shape[1], -1)
    return torch.zeros(wide.shape, device=real.device).masked_fill(~wide, torch.finfo(torch.float32).min)
