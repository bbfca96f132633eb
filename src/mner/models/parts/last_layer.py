"""An encoder's last layer at chosen sub-tokens alone: what nobody reads of it is not computed.

All sub-tokens of the layer below are still attended to, so what is computed is what a whole pass gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from torch import Tensor, nn

STEPS = {
    "bert": "attention.output",
    "camembert": "attention.output",
    "electra": "attention.output",
    "mpnet": "attention.LayerNorm",  # behind the product that the others do there
    "roberta": "attention.output",
    "xlm-roberta": "attention.output",
}
"""The first module of a layer, by the kind of encoder, that takes each sub-token by itself, as all after it do."""

_chosen: ContextVar[Tensor | None] = ContextVar("chosen sub-tokens", default=None)


def prepare(encoder: Any) -> bool:
    """Let the last layer of an encoder follow ``only``; False where its inside is not known."""
    step = STEPS.get(getattr(encoder.config, "model_type", ""))
    layers = getattr(getattr(encoder, "encoder", None), "layer", None)
    if step is None or not layers:
        return False
    module: nn.Module = layers[-1].get_submodule(step)
    if _choose not in module._forward_pre_hooks.values():  # tagged by two word encoders
        module.register_forward_pre_hook(_choose)
    return True


def recomputed(encoder: nn.Module) -> bool:
    """Whether the backward pass computes layers again, when ``only`` is over: such layers must be whole."""
    return encoder.training and any(getattr(module, "gradient_checkpointing", False) for module in encoder.modules())


@contextmanager
def only(places: Tensor) -> Iterator[None]:
    """Within it, the last layer of a prepared encoder is (1, place, hidden).

    Args:
        places: Flat positions (place,) of (window, token).
    """
    token = _chosen.set(places)
    try:
        yield
    finally:
        _chosen.reset(token)


def _choose(module: nn.Module, vectors: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
    places = _chosen.get()
    return None if places is None else tuple(each.flatten(0, 1)[places].unsqueeze(0) for each in vectors)
