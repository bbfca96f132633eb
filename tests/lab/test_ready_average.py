"""Weights between two models: the ends are the models themselves, halfway is their mean."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lab.ready.average import averaged
from mner.runtime import read_model
from mner.runtime.torch import TorchRuntime, save


@pytest.fixture
def moved(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model with every weight twice as large and one more, as training might leave it."""
    saved = read_model(tiny_model)
    model = TorchRuntime.load(saved).model
    with torch.no_grad():
        for value in model.parameters():
            value.mul_(2).add_(1)
    save(
        model,
        tmp_path / "moved",
        config=saved.config,
        labels=saved.labels,
        tokenizer=saved.tokenizer,
        encoder=saved.manifest["encoder"],
        card="# moved\n",
    )
    return tmp_path / "moved"


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_every_weight_moves_by_the_share(tiny_model: Path, moved: Path, tmp_path: Path, share: float) -> None:
    folder = averaged(tiny_model, moved, share, tmp_path / "average")
    first, second, between = (
        TorchRuntime.load(read_model(each)).model.state_dict() for each in (tiny_model, moved, folder)
    )
    for name, value in between.items():
        if value.is_floating_point():
            torch.testing.assert_close(value, torch.lerp(first[name], second[name], share), msg=name)
