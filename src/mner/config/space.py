"""The search space: which keys of a configuration are tried, and which values each may take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, model_validator

from mner.config.read import read_toml, validated
from mner.config.schema import Section, Source
from mner.errors import ConfigError

Number = int | float


class Values(Section):
    """What one key may be: from ``low`` to ``high``, one of ``choices``, or the configuration's own (``keep``)."""

    low: Number | None = None
    high: Number | None = None
    log: bool = False  # drawn evenly over the logarithm
    choices: tuple[Number, ...] = ()
    keep: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Values:
        ends = (self.low is not None) + (self.high is not None)
        if ends == 1 or (ends == 2) + bool(self.choices) + self.keep != 1:
            raise ValueError("give low and high, or choices, or keep = true")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        if self.log and (self.low is None or self.low <= 0):
            raise ValueError("log = true needs a low above 0")
        if len(set(self.choices)) < len(self.choices):
            raise ValueError("choices: each once")
        return self

    @property
    def ends(self) -> tuple[Number, ...]:
        """The choices, or both ends of the range."""
        return self.choices or tuple(end for end in (self.low, self.high) if end is not None)

    def holds(self, value: Number) -> bool:
        """Whether ``value`` is one of these."""
        return value in self.choices if self.choices else min(self.ends) <= value <= max(self.ends)

    def __str__(self) -> str:
        if self.choices:
            return "|".join(f"{choice:g}" for choice in self.choices)
        return f"{self.low:g}..{self.high:g}{' log' if self.log else ''}"


class TrainingSpace(Section):
    """Keys of [training]."""

    encoder_lr: Values | None = None
    crf_lr: Values | None = None
    feature_lr: Values | None = None
    epochs: Values | None = None
    posts_per_step: Values | None = None
    weight_decay: Values | None = None
    warmup: Values | None = None
    clip_norm: Values | None = None


class ModelSpace(Section):
    """Keys of [model]."""

    word_dropout: Values | None = None


class LossSpace(Section):
    """Keys of [loss]."""

    weight_t: Values | None = None
    weight_it: Values | None = None
    weight_cva: Values | None = None
    temperature: Values | None = None


class ContextSpace(Section):
    """Keys of [context]."""

    word_pieces: Values | None = None
    budget: dict[Source, Values] = Field(default_factory=dict)


class Space(Section):
    """A search space as a file states it: the sections and keys of a configuration, each with its values.

    >>> str(Space.model_validate({"training": {"epochs": {"choices": [2, 4]}}}).training.epochs)
    '2|4'
    """

    training: TrainingSpace = TrainingSpace()
    model: ModelSpace = ModelSpace()
    loss: LossSpace = LossSpace()
    context: ContextSpace = ContextSpace()

    def items(self) -> Iterator[tuple[str, Values]]:
        """Each key that is set, dotted, with its values."""
        yield from _items("", self)


def read_space(path: Path) -> Space:
    """The search space of a TOML file; it is laid over the defaults, ``keep = true`` takes a key out.

    Raises:
        ConfigError: The file is missing, is not TOML or has faults; all are listed.
    """
    return validated(Space, read_toml(path), where=str(path))


def checked(values: Values, key: str, start: Number) -> None:
    """Refuse values that do not suit a key, or that leave out the configuration's own.

    Raises:
        ConfigError: They are not whole numbers where the key needs them, or leave out ``start``, the first trial.
    """
    if isinstance(start, int) and not all(isinstance(end, int) for end in values.ends):
        raise ConfigError(f"search space: {key}: expected whole numbers, found {values}")
    if not values.holds(start):
        raise ConfigError(
            f"search space: {key}: {values} leaves out the configuration's {start:g}, which the first trial has; "
            f"widen it, or change the configuration: --set {key}={values.ends[-1]}"
        )


def _items(path: str, table: Any) -> Iterator[tuple[str, Values]]:
    for key, value in table.items() if isinstance(table, dict) else ((k, getattr(table, k)) for k in _keys(table)):
        if isinstance(value, Values):
            yield f"{path}{key}", value
        elif value is not None:
            yield from _items(f"{path}{key}.", value)


def _keys(table: BaseModel) -> Iterator[str]:
    yield from type(table).model_fields
