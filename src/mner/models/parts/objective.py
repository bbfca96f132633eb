"""Losses of the trained views -> the one that is minimised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from mner.config import Config
from mner.errors import ConfigError
from mner.models.parts.align import loss_weights
from mner.models.parts.encoder import Arrays
from mner.models.parts.lesson import lesson
from mner.types import ViewName

if TYPE_CHECKING:
    from mner.models import Model


class Supervised(nn.Module):
    """A network that learns by its label scores alone; the class of a model adds the rest of ``Model``."""

    config: Config

    def losses(
        self,
        batch: Mapping[ViewName, Arrays],
        gold: Tensor | None,
        taught: Mapping[ViewName, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """The losses of each post, ``loss`` (post,) being the one to minimise; the arguments are ``Model.losses``'s."""
        model = cast("Model", self)
        scores = {view: model.emissions(batch, view) for view in model.views}
        lengths = batch[model.views[0]]["lengths"]
        parts = {} if gold is None else {view: model.crf.nll(each, gold, lengths) for view, each in scores.items()}
        return of_views(model, self.config, parts, scores, lengths, taught)

    forward = losses


def of_views(
    model: Model,
    config: Config,
    parts: Mapping[ViewName, Tensor],
    scores: Mapping[ViewName, Tensor],
    lengths: Tensor,
    taught: Mapping[ViewName, Tensor] | None,
) -> dict[str, Tensor]:
    """``loss`` (post,) to minimise, and what it is the weighted sum of, by name.

    Args:
        model: Its chain gives what it believes.
        config: Its weights.
        parts: The loss (post,) of each trained view; none for posts without labels.
        scores: The label scores (post, word, label) of each trained view.
        lengths: Words of each post (post,).
        taught: Log-posteriors of the teachers (post, word, label) for each trained view; None without teachers.
    """
    weights = loss_weights(config.loss)
    of_view: dict[ViewName, float] = {"T": weights.t, "I+T": weights.it}
    named = {str(view): loss for view, loss in parts.items()}
    weighed = [of_view[view] * loss for view, loss in parts.items()]
    if taught is not None:
        named["teachers"] = lesson(config.teachers, model.crf, taught, scores, of_view, lengths)
        weighed.append(config.teachers.weight * named["teachers"])
    return {"loss": torch.stack(weighed).sum(0), **named}


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
