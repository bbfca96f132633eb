"""Begin training from a saved model whose labels may differ: what both have in common is carried over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from mner.errors import ModelError
from mner.models import Model
from mner.runtime.saved import SavedModel
from mner.runtime.torch import head_state, load_encoder

BY_LABEL = {
    "emission.weight": (0,),
    "emission.bias": (0,),
    "crf.transitions": (0, 1),
    "crf.start": (0,),
    "crf.end": (0,),
}
"""Axes of each array that run over labels."""


def continue_from(model: nn.Module, labels: Sequence[str], saved: SavedModel) -> list[str]:
    """Copy a saved model's weights into ``model``; the labels that begin anew.

    The encoder is copied whole; scores and transitions of labels that both models know are copied too, the
    rest keep their fresh values.

    Raises:
        ModelError: The encoders differ in shape, or the saved model holds no torch encoder.
    """
    for name, encoder in zip(saved.needs.encoders, cast(Model, model).encoders(), strict=False):
        if not saved.holds(name):
            raise ModelError(f"{saved.folder}: no {name}/ to continue from; this model can only predict")
        try:
            encoder.load_state_dict(load_encoder(saved.folder / name).state_dict())
        except RuntimeError as error:
            raise ModelError(f"{saved.folder}: its encoder is not the one of model.encoder: {error}") from error
    shared = [label for label in labels if label in saved.labels]
    here = torch.tensor([list(labels).index(label) for label in shared])
    there = torch.tensor([saved.labels.index(label) for label in shared])
    with torch.no_grad():
        for name, value in head_state(model).items():
            if name not in saved.head:
                continue
            array = torch.from_numpy(saved.head[name])
            axes = BY_LABEL.get(name, ())
            if len(axes) == 2:
                value[here[:, None], here] = array[there[:, None], there]
            elif axes:
                value[here] = array[there]
            elif value.shape == array.shape:
                value.copy_(array)
    return [label for label in labels if label not in saved.labels]
