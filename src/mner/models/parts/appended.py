"""A picture's vectors behind the text, as further inputs of its encoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mner.config import Config
from mner.errors import ConfigError
from mner.models.parts.encoder import Arrays, WordEncoder, first_position
from mner.models.parts.fusion import refuse_packed


def append(words: WordEncoder, arrays: Arrays, vectors: Tensor, real: Tensor, *, types: bool = False) -> Tensor:
    """The encoder's last layer at the text's tokens (window, token, hidden), a picture's vectors behind the text.

    A window's picture counts its positions from the window's own end, wherever padding stands.

    Args:
        words: The encoder.
        arrays: One view of a batch.
        vectors: Of each post's picture, as wide as input embeddings (post, region, embedding).
        real: 1 where a vector is real (post, region).
        types: Whether the picture has token type 1, where the encoder knows two types.

    Raises:
        ValueError: The batch is packed: windows that share a row have no place for their pictures.
    """
    encoder = words.encoder
    owner, mask = refuse_packed(arrays)["window_post"], arrays["attention_mask"]
    text = words.embedded(arrays)  # (window, token, embedding)
    seen = real[owner]  # (window, region)
    tokens = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
    regions = mask.sum(1, keepdim=True) + torch.arange(seen.shape[1], device=mask.device)
    table = getattr(getattr(encoder, "embeddings", None), "token_type_embeddings", None)
    typed = {}
    if types and table is not None and table.num_embeddings > 1:
        typed["token_type_ids"] = torch.cat([torch.zeros_like(mask), torch.ones_like(seen)], 1)
    output = encoder(
        inputs_embeds=torch.cat([text, vectors[owner].to(text.dtype)], 1),
        attention_mask=torch.cat([mask, seen], 1),
        position_ids=torch.cat([tokens, regions], 1) + first_position(encoder),
        **typed,
    )
    hidden: Tensor = output.last_hidden_state[:, : mask.shape[1]]
    return hidden


def room_for(encoder: Any, regions: int, config: Config) -> None:
    """Nothing, if the longest text and a picture's vectors fit the encoder's positions.

    Raises:
        ConfigError: They do not, or it is a table of word vectors.
    """
    positions = getattr(encoder.config, "max_position_embeddings", None)
    if positions is None:
        kind = encoder.config.model_type
        raise ConfigError(
            f'model.encoder: the model "{config.model.name}" puts vectors of the picture into a transformer, and this '
            f"encoder ({kind}) has no positions for them; such as embedded:minilm or embedded:mpnet has"
        )
    room = int(positions) - first_position(encoder) - regions
    if config.context.max_tokens > room:
        raise ConfigError(
            f"context.max_tokens: {config.context.max_tokens} sub-tokens and a picture's {regions} vectors "
            f"are more than the encoder's {room + regions} positions; set context.max_tokens = {room}"
        )
