"""MPNet's attention for training on CPU, on ``attention`` of all other encoders.

transformers adds the bias of relative positions and the mask to the scores in every layer, in float32 and for each
window by itself. Here their sum is made once for all layers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mner.training.cpu_speed.dropout import attention

Named = dict[str, Any]
"""What a module is called with by name."""


class Attention(nn.Module):
    """transformers' ``MPNetSelfAttention``, on its parameters.

    Args:
        theirs: The module that it stands for.
    """

    def __init__(self, theirs: Any) -> None:
        super().__init__()
        self.q, self.k, self.v, self.o = theirs.q, theirs.k, theirs.v, theirs.o
        self.width = int(theirs.attention_head_size)
        self.dropout = theirs.dropout

    def forward(self, hidden_states: Tensor, added: Tensor | None = None, *_: Any, **options: Any) -> tuple[Tensor]:
        """What (window, token, hidden) gathers from itself; ``added`` (window, head, token, token) joins its scores."""
        query, key, value = (
            part(hidden_states).unflatten(-1, (-1, self.width)).transpose(1, 2) for part in (self.q, self.k, self.v)
        )
        rate = self.dropout.p if self.training else 0.0
        gathered, _weights = attention(self, query, key, value, added, dropout=rate)
        return (self.o(gathered.flatten(-2)),)


def replace_attention(encoder: Any) -> None:
    """Let MPNet attend by ``Attention``; nothing where the encoder is another, or does so already."""
    if getattr(encoder.config, "model_type", "") != "mpnet" or _add_up in encoder.encoder._forward_pre_hooks.values():
        return
    layers = encoder.encoder
    for layer in layers.layer:
        layer.attention.attn = Attention(layer.attention.attn)
    layers.register_forward_pre_hook(_add_up, with_kwargs=True)
    layers.compute_position_bias = _none  # it is part of the mask by now


def _add_up(
    layers: Any, inputs: tuple[Tensor, ...], named: dict[str, Any]
) -> tuple[tuple[Tensor, ...], dict[str, Any]]:
    """The layers' inputs, where the bias of relative positions is part of ``attention_mask``."""
    (hidden,), mask = inputs, named["attention_mask"]
    kind = hidden.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype
    bias: Tensor = type(layers).compute_position_bias(layers, hidden[:1])  # (1, head, token, token)
    added = bias.to(dtype) if mask is None else bias.to(dtype) + mask.to(dtype)
    return inputs, {**named, "attention_mask": added}


def _none(hidden: Tensor) -> None:
    """No bias."""
