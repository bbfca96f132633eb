"""Whether an encoder gives the same vectors for packed posts as for padded ones; asked, not assumed."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from mner.models import Model
from mner.runtime.torch import view_tensors
from mner.training.batches import Split, gather

TOLERANCE = 1e-3
"""Largest difference of two word vectors that rounding may explain."""


def packs(model: nn.Module, split: Split, *, pad_id: int) -> bool:
    """True if word vectors of a few posts agree packed and padded; encoders that refuse packed input do not."""
    members = sorted(range(min(len(split), 6)), key=lambda post: split.views["T"][post].tokens)
    built = cast(Model, model)
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            found = []
            for packed in (False, True):
                batch, _ = gather(split, members, built.views, pad_id=pad_id, packed=packed)
                arrays = view_tensors(batch, model)
                found.append([built.word_vectors(arrays, view) for view in arrays])
        pairs = zip(*found, strict=True)
        return all(bool((one - other).abs().max() < TOLERANCE) for one, other in pairs)
    except (TypeError, ValueError, RuntimeError, IndexError, NotImplementedError):
        return False
    finally:
        model.train(training)
