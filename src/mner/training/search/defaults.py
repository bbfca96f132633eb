"""A configuration -> what is searched: the keys that bear on its row, around the values it has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from mner import config as configs
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
"""Without other word these are searched from the configuration's value over this to the value times this, by log."""

WORD_DROPOUT = 0.3
BUDGET_SHARES = (8, 4, 1)
"""A context budget is searched at the configuration's value divided by each of these."""


def bearing(config: Config) -> dict[str, Number]:
    """The value of each key that can be searched and that bears on this row.

    A row that trains one view has no loss weights, one without alignment no temperature, one that never sees a
    context no budget.

    >>> from mner.config import check
    >>> text = bearing(check({"model": {"name": "text"}, "loss": {"views": ["T"]}}))
    >>> [key for key in text if not key.startswith("training.")]
    ['model.word_dropout', 'context.word_pieces']
    """
    views, weights = config.loss.views, loss_weights(config.loss)
    found = {f"training.{key}": getattr(config.training, key) for key in TrainingSpace.model_fields}
    found["model.word_dropout"] = config.model.word_dropout
    found["context.word_pieces"] = config.context.word_pieces
    if not config.model.case_shape:
        del found["training.feature_lr"]
    if "I+T" in views:
        budget = config.context.budget
        found |= {f"context.budget.{source}": budget[source] for source in config.context.order if source in budget}
    if len(views) == 2:
        found |= {"loss.weight_t": weights.t, "loss.weight_it": weights.it}
        if config.loss.cva != "none":
            found |= {"loss.weight_cva": weights.cva, "loss.temperature": weights.temperature}
    return found


def searched(
    config: Config, space: Space | None = None, *, epochs_max: int | None = None
) -> tuple[dict[str, Values], list[str]]:
    """The values of each key that is searched, and the keys of ``space`` that do not bear on this row.

    Without ``space``: encoder and CRF rates, epochs, word dropout, and where the row has them the weights of the
    I+T view and of the alignment, its temperature, and the budget of each kind of context.

    Args:
        config: The resolved configuration; each value it has must be among those searched.
        space: Laid over the defaults, key by key.
        epochs_max: Most epochs of a trial; None: as ``space`` says, else twice the configuration's.

    Raises:
        ConfigError: Values do not suit their key or leave out the configuration's own, or nothing is searched.
    """
    start = bearing(config)
    found = _defaults(start)
    left_out = []
    for key, values in (space or Space()).items():
        if key not in start:
            left_out.append(key)
        elif values.keep:
            found.pop(key, None)
        else:
            found[key] = values
    if epochs_max is not None and "training.epochs" in found:
        found["training.epochs"] = _at_most(found["training.epochs"], epochs_max)
    elif epochs_max is not None and config.training.epochs > epochs_max:
        raise ConfigError(f"training.epochs: {config.training.epochs} is above the most that a trial may take")
    for key, values in found.items():
        checked(values, key, start[key])
        for end in values.ends:
            setting(config, {key: end})
    if not found:
        raise ConfigError("search space: holds no key that bears on this row; nothing to search")
    return {key: found[key] for key in start if key in found}, left_out


def setting(config: Config, settings: Mapping[str, Any], *, name: str | None = None) -> Config:
    """The configuration with some keys (dotted) set, and another name if one is given.

    Raises:
        ConfigError: A value is none that its key may have.
    """
    table = config.model_dump(mode="json")
    for dotted, value in settings.items():
        *sections, key = dotted.split(".")
        section = table
        for one in sections:
            section = section[one]
        section[key] = value
    return configs.check(table if name is None else {**table, "name": name}, where="search space")


def told(space: Mapping[str, Values]) -> dict[str, dict[str, Any]]:
    """The space as a JSON object."""
    return {key: values.model_dump(mode="json", exclude_defaults=True) for key, values in space.items()}


def fingerprint(space: Mapping[str, Values]) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of a space."""
    return hashlib.sha256(json.dumps(told(space), sort_keys=True).encode()).hexdigest()[:12]


def _defaults(start: Mapping[str, Number]) -> dict[str, Values]:
    epochs, dropout = int(start["training.epochs"]), start["model.word_dropout"]
    found = {
        key: Values(low=_short(start[key] / factor), high=_short(start[key] * factor), log=True)
        for key, factor in FACTORS.items()
        if start.get(key, 0) > 0
    }
    found["training.epochs"] = Values(low=-(-epochs // 2), high=2 * epochs)
    found["model.word_dropout"] = Values(low=0.0, high=max(WORD_DROPOUT, dropout))
    for key, value in start.items():
        if key.startswith("context.budget.") and value > 0:
            choices = sorted({max(1, int(value) // share) for share in BUDGET_SHARES})
            found[key] = Values(choices=tuple(choices))
    return found


def _at_most(values: Values, most: int) -> Values:
    if values.choices:
        kept = tuple(choice for choice in values.choices if choice <= most)
        return Values(choices=kept or (most,))
    low, high = values.ends
    return values.model_copy(update={"low": min(low, most), "high": min(high, most)})


def _short(value: float) -> float:
    """The value to three significant digits."""
    return float(f"{value:.3g}")
