"""Two models of one architecture, the second trained on from the first -> the weights between them, as a model."""

from __future__ import annotations

from pathlib import Path

import torch

from mner.runtime import read_model
from mner.runtime.torch import TorchRuntime, save
from mner.training.initial import continue_from


def averaged(first: Path, second: Path, share: float, out: Path) -> Path:
    """Write the model whose weights are ``share`` of the second's and the rest of the first's (Wortsman et al., 2022).

    A model trained on from another keeps more of what the first knew, at little cost to what it learned.

    Args:
        first: The saved model that the second began from; an exported one without weights for torch will do.
        second: A saved model with weights for torch, whose labels, configuration and tokenizer the new one gets.
        share: From 0, the first, to 1, the second.
        out: Folder of the new model.

    Raises:
        ModelError: A folder holds no such model, or the encoders differ in shape.
    """
    start, end = read_model(first), read_model(second)
    model = TorchRuntime.load(end).model
    learned = {name: value.clone() for name, value in model.state_dict().items()}
    continue_from(model, end.labels, start)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                value.lerp_(learned[name], share)
    card = f"# {end.config.name}\n\n{share:.0%} of its weights' difference from the model it began from.\n"
    save(
        model,
        out,
        config=end.config,
        labels=end.labels,
        tokenizer=end.tokenizer,
        encoder=end.manifest["encoder"],
        card=card,
    )
    return out
