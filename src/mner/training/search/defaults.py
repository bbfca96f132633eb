"""A configuration -> what is searched: the keys that affect its training, around the values it has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mner import config as configs
from mner import models
from mner.config import Config
from mner.config.space import Number, Space, TrainingSpace, Values, checked
from mner.errors import ConfigError
from mner.models.parts.align import loss_weights

FACTORS = {
    "training.encoder_lr": 3,
    "training.crf_lr": 5,
    "loss.weight_it": 4,
    "loss.weight_cva": 4,
    "loss.temperature": 4,
}
"""By default these are searched from the configuration's value divided by this to the value times this, by log."""

WORD_DROPOUT = 0.3
BUDGET_SHARES = (8, 4, 1)
"""A context budget is searched at the configuration's value divided by each of these."""


def searchable(config: Config) -> dict[str, Number]:
    """The value of each key that can be searched and that affects this configuration.

    One view has no loss weights, training without alignment no temperature; the T view alone, empty contexts and a
    model that reads no text of pictures have no budgets; a rate of [training.lr] stays as it is. What a model ignores
    is left out.

    Raises:
        ConfigError: The model cannot be trained so.

    >>> from mner.config import check
    >>> text = searchable(check({"model": {"name": "text"}, "loss": {"views": ["T"]}}))
    >>> [key for key in text if not key.startswith("training.")]
    ['model.word_dropout', 'context.word_pieces']
    """
    views, weights = config.loss.views, loss_weights(config.loss)
    values = {f"training.{key}": getattr(config.training, key) for key in TrainingSpace.model_fields}
    values["model.word_dropout"] = config.model.word_dropout
    values["context.word_pieces"] = config.context.word_pieces
    for group in {"encoder", "crf"} & set(config.training.lr):
        del values[f"training.{group}_lr"]
    if "I+T" in views and config.context.substitute != "empty" and models.needs(config).context:
        budget = config.context.budget
        values |= {f"context.budget.{source}": budget[source] for source in config.context.order if source in budget}
    if len(views) == 2:
        values |= {"loss.weight_t": weights.t, "loss.weight_it": weights.it}
        if config.loss.cva != "none":
            values |= {"loss.weight_cva": weights.cva, "loss.temperature": weights.temperature}
    ignored = models.ignored(config)
    return {key: value for key, value in values.items() if key not in ignored}


def searched(
    config: Config, space: Space | None = None, *, epochs_max: int | None = None
) -> tuple[dict[str, Values], list[str]]:
    """The values of each key that is searched, and the keys of ``space`` that do not affect this configuration.

    Without ``space``: encoder and CRF rates, epochs, word dropout, and where they matter the weights of the I+T view
    and of the alignment, its temperature, and the budget of each kind of context.

    Args:
        config: The resolved configuration; each value it has must be among those searched.
        space: Laid over the defaults, key by key.
        epochs_max: Most epochs of a trial; None: as ``space`` says, else twice the configuration's.

    Raises:
        ConfigError: Values do not suit their key or leave out the configuration's own, or nothing is searched.
    """
    start = searchable(config)
    chosen = _defaults(start)
    left_out = []
    for key, values in (space or Space()).items():
        if key not in start:
            left_out.append(key)
        elif values.keep:
            chosen.pop(key, None)
        else:
            chosen[key] = values
    if epochs_max is not None and "training.epochs" in chosen:
        chosen["training.epochs"] = _at_most(chosen["training.epochs"], epochs_max)
    elif epochs_max is not None and config.training.epochs > epochs_max:
        raise ConfigError(f"training.epochs: {config.training.epochs} is above the most that a trial may take")
    for key, values in chosen.items():
        checked(values, key, start[key])
        for end in values.ends:
            setting(config, {key: end})
    if not chosen:
        raise ConfigError("search space: holds no key that affects this configuration; nothing to search")
    return {key: chosen[key] for key in start if key in chosen}, left_out


def setting(config: Config, settings: Mapping[str, Any], *, name: str | None = None) -> Config:
    """The configuration with some keys (dotted) set, and another name if one is given.

    Raises:
        ConfigError: A value is not valid for its key.
    """
    table = config.model_dump(mode="json")
    for dotted, value in settings.items():
        *sections, key = dotted.split(".")
        section = table
        for name_of_section in sections:
            section = section[name_of_section]
        section[key] = value
    return configs.check(table if name is None else {**table, "name": name}, where="search space")


def as_table(space: Mapping[str, Values]) -> dict[str, dict[str, Any]]:
    """The space as a JSON object."""
    return {key: values.model_dump(mode="json", exclude_defaults=True) for key, values in space.items()}


def fingerprint(space: Mapping[str, Values]) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of a space."""
    return hashlib.sha256(json.dumps(as_table(space), sort_keys=True).encode()).hexdigest()[:12]


def _defaults(start: Mapping[str, Number]) -> dict[str, Values]:
    epochs = int(start["training.epochs"])
    space = {
        key: Values(low=_short(start[key] / factor), high=_short(start[key] * factor), log=True)
        for key, factor in FACTORS.items()
        if start.get(key, 0) > 0
    }
    space["training.epochs"] = Values(low=-(-epochs // 2), high=2 * epochs)
    if (dropout := start.get("model.word_dropout")) is not None:
        space["model.word_dropout"] = Values(low=0.0, high=max(WORD_DROPOUT, dropout))
    for key, value in start.items():
        if key.startswith("context.budget.") and value > 0:
            choices = sorted({max(1, int(value) // share) for share in BUDGET_SHARES})
            space[key] = Values(choices=tuple(choices))
    return space


def _at_most(values: Values, most: int) -> Values:
    if values.choices:
        return Values(choices=tuple(choice for choice in values.choices if choice <= most) or (most,))
    low, high = values.ends
    return values.model_copy(update={"low": min(low, most), "high": min(high, most)})


def _short(value: float) -> float:
    """The value to three significant digits."""
    return float(f"{value:.3g}")
