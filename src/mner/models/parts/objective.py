"""Losses of the trained views -> the one that is minimised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mner.config import Config, LossConfig
from mner.errors import ConfigError
from mner.models.parts.align import loss_weights
from mner.models.parts.encoder import Arrays
from mner.types import ViewName

if TYPE_CHECKING:
    from mner.models import Model


def supervised(model: Model, config: LossConfig, batch: Mapping[ViewName, Arrays], gold: Tensor) -> dict[str, Tensor]:
    """``loss`` (post,) to minimise, and each trained view's negative log-likelihood; ``gold`` is (post, word)."""
    return of_views(
        config,
        {view: model.crf.nll(model.emissions(batch, view), gold, batch[view]["lengths"]) for view in model.views},
    )


def of_views(config: LossConfig, parts: Mapping[ViewName, Tensor]) -> dict[str, Tensor]:
    """``loss`` (post,), the weighted sum of the views' losses, and those losses by the names of the views."""
    weights = loss_weights(config)
    of_view: dict[ViewName, float] = {"T": weights.t, "I+T": weights.it}
    total = torch.stack([of_view[view] * loss for view, loss in parts.items()]).sum(0)
    return {"loss": total, **{str(view): loss for view, loss in parts.items()}}


def refuse_alignment(config: Config) -> None:
    """Nothing, unless [loss] aligns the views of a model that does not.

    Raises:
        ConfigError: It does.
    """
    if config.loss.cva != "none":
        raise ConfigError(f'loss.cva: the model "{config.model.name}" does not align its views; set loss.cva = "none"')


def refuse_padded(config: Config) -> None:
    """Nothing, unless sub-tokens are to be labelled in a model that has one vector a word.

    Raises:
        ConfigError: They are.
    """
    if config.model.subtoken_labels != "first":
        raise ConfigError(f'model.subtoken_labels: the model "{config.model.name}" has one vector a word; set "first"')
