"""What makes a training step cheaper without changing what is learned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from mner.config import TrainingConfig
from mner.models import Model
from mner.training.attention import use_attention
from mner.training.batches import Split
from mner.training.dropout import Dropout
from mner.training.rows import train_used_rows


def lean(model: nn.Module, split: Split, settings: TrainingConfig, *, pad_id: int, device: torch.device) -> None:
    """Prepare a model for training on ``split``, before its optimizer is made.

    - Only the rows of the word-embedding table that the split uses are trained (without weight decay: with it
      the others would shrink).
    - On CPU, dropout draws its random numbers four at a time and attention works with it.
    - Where ``gradient_checkpointing`` is asked for, a layer's inside is computed again instead of kept.
    """
    for number, encoder in enumerate(cast(Model, model).encoders()):
        if settings.weight_decay == 0 and number == 0:  # the one that reads the sub-tokens
            train_used_rows(encoder, _token_ids(split, pad_id))
        if device.type == "cpu":
            _replace_dropout(encoder)
            use_attention(encoder)
        if settings.gradient_checkpointing:
            _keep_less(encoder)


def _keep_less(encoder: Any) -> None:
    # transformers renamed the method; the old name warns in the releases that have both.
    if hasattr(encoder, "activation_checkpointing_enable"):
        encoder.activation_checkpointing_enable()
    else:
        encoder.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def _token_ids(split: Split, pad_id: int) -> np.ndarray:
    """The token ids (row,) of all views of a split, and the padding's."""
    windows: Iterable[np.ndarray] = (ids for some in split.views.values() for one in some for ids in one.windows)
    return np.unique(np.concatenate([np.array([pad_id], np.int64), *windows]))


def _replace_dropout(encoder: nn.Module) -> None:
    for module in list(encoder.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout):
                setattr(module, name, Dropout(child.p))
