"""Cheaper training steps that learn the same model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from mner.config import TrainingConfig
from mner.errors import ConfigError
from mner.models import Model
from mner.runtime.torch import view_tensors
from mner.training.batches import Split, gather
from mner.training.cpu_speed.dropout import Dropout, use_attention
from mner.training.cpu_speed.mpnet import replace_attention
from mner.training.used_embeddings import train_used_embeddings

TOLERANCE = 1e-3
"""Largest difference between two word vectors that rounding can explain."""


def speed_up(
    model: nn.Module, splits: Sequence[Split], settings: TrainingConfig, *, pad_id: int, device: torch.device
) -> None:
    """Prepare a model for training on ``splits``, before its optimizer is made.

    - Only the word embeddings that the splits use are trained (without weight decay, which would shrink the others).
    - On CPU, dropout draws its random numbers four at a time, also inside attention; MPNet adds up the bias of its
      positions and the mask once for all layers.
    - With ``gradient_checkpointing``, a layer's inner values are computed again instead of kept.

    Raises:
        ConfigError: The encoder cannot compute them again.
    """
    if device.type == "cpu":
        _replace_dropout(model)
    for number, encoder in enumerate(cast(Model, model).encoders()):
        if settings.weight_decay == 0 and number == 0:  # the one that reads the sub-tokens
            train_used_embeddings(encoder, _token_ids(splits, pad_id))
        if device.type == "cpu" and not use_attention(encoder):
            replace_attention(encoder)
        if settings.gradient_checkpointing:
            _keep_less(encoder)


def _keep_less(encoder: Any) -> None:
    try:
        # transformers renamed the method; the old name warns in the releases that have both.
        if hasattr(encoder, "activation_checkpointing_enable"):
            encoder.activation_checkpointing_enable()
        else:
            encoder.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    except ValueError:
        raise ConfigError(
            f"training.gradient_checkpointing: transformers cannot do this in {encoder.config.model_type}; set it to "
            "false, and a smaller training.tokens_per_batch if memory is short"
        ) from None


def _token_ids(splits: Sequence[Split], pad_id: int) -> np.ndarray:
    """The token ids (token,) of all views of the splits, and the padding's."""
    windows: Iterable[np.ndarray] = (
        ids for split in splits for encoded in split.views.values() for post in encoded for ids in post.windows
    )
    return np.unique(np.concatenate([np.array([pad_id], np.int64), *windows]))


def _replace_dropout(model: nn.Module) -> None:
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout):
                setattr(module, name, Dropout(child.p))


def can_pack(model: nn.Module, split: Split, *, pad_id: int) -> bool:
    """Whether a few posts have the same word vectors packed and padded; an encoder may also refuse packed input.

    The longest are among them: layers that attend to what is near differ in nothing else.
    """
    built = cast(Model, model)
    longest = [
        max(len(window) for view in built.views for window in split.views[view][post].windows)
        for post in range(len(split))
    ]
    members = sorted({*range(min(len(split), 3)), *nlargest(3, range(len(split)), key=longest.__getitem__)})
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            vectors = []
            for packing in (False, True):
                batch, _ = gather(split, members, built.views, pad_id=pad_id, packed=packing)
                arrays = view_tensors(batch, model)
                vectors.append([built.word_vectors(arrays, view) for view in arrays])
        pairs = zip(*vectors, strict=True)
        return all(bool((padded - packed).abs().max() < TOLERANCE) for padded, packed in pairs)
    except (TypeError, ValueError, RuntimeError, IndexError, AssertionError):
        return False
    finally:
        model.train(training)
