"""Rates that fall from the encoder's top layer to its embeddings (Howard and Ruder, 2018; Clark et al., 2020)."""

from __future__ import annotations

import re
from typing import Any, cast

from torch import nn

from mner.errors import ModelError

_NUMBERED = re.compile(r"(?:^|\.)layers?\.(\d+)\.")


def by_layer(model: nn.Module, groups: dict[str, list[nn.Parameter]]) -> dict[str, list[nn.Parameter]]:
    """A model's parameter groups with the group "encoder" parted by depth; all others stay.

    What the encoder's layers feed, the emission layer, stays "encoder". The top layer becomes "encoder-1", the one
    below "encoder-2", down to the embeddings; the number is the power of ``training.layer_decay``. What belongs to
    no layer goes with the embeddings, such as MPNet's bias by distance, which every layer reads.

    Raises:
        ModelError: The encoder's parameters do not tell its layers.
    """
    encoder: nn.Module = cast(Any, model).tagger.words.encoder
    layer = {id(one): _layer(name) for name, one in encoder.named_parameters()}
    top = max(layer.values())
    if top < 0:
        raise ModelError(
            f"training.layer_decay: the parameters of {type(encoder).__name__} do not tell its layers "
            '(expected names such as "encoder.layer.0. ..."); set training.layer_decay = 1'
        )
    parted: dict[str, list[nn.Parameter]] = {"encoder": []}
    for one in groups["encoder"]:
        below = top + 1 - layer[id(one)] if id(one) in layer else 0
        parted.setdefault(f"encoder-{below}" if below else "encoder", []).append(one)
    return {**groups, **parted}


def _layer(name: str) -> int:
    """The layer that a parameter belongs to, from 0; -1 for one outside the layers."""
    found = _NUMBERED.search(name)
    return int(found[1]) if found else -1
