"""Records of searches on dev, ``tune/<data>/<name>.json``: what was tried, and the settings that were best."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidationError, model_validator

from mner.errors import DataError
from mner.runs.record import EncoderFacts, Identity, Part
from mner.runs.shape import Count, Number, Settings, Text, fault
from mner.types import ViewName

SEARCHES = "tune"
"""Folder of the records of searches in a folder of results, so no data set can have this name."""

REMEDY = "restore it from version control, or search again with mner tune --restart"
"""What to do about a damaged record."""

Kind = TypeVar("Kind", bound="Search")


class TrialScore(Part):
    """F1 of one view on dev, and its printed signature."""

    f1: Number = 0.0
    signature: Text


class Trial(Part):
    """One trial: its settings by dotted key, and its score, the mean F1 of the views that are judged."""

    score: Number | None
    settings: dict[str, Any]
    dev: dict[ViewName, TrialScore] = Field(default_factory=dict)


class Judged(Part):
    """What the score is of."""

    views: Annotated[tuple[ViewName, ...], Field(min_length=1)]


class Search(Part):
    """One search, whole or under way.

    Attributes:
        name: The name of the configuration that was searched; ``row`` in the file.
        identity: The experiment it is of; None in records of the first version.
        config: That configuration as a table.
        best: Number of the best trial, from 1; None where none has a score.
        seconds: Of training, all trials together.
    """

    data: Text
    name: Text = Field(alias="row")
    identity: Identity | None = None
    config: Settings
    encoder: EncoderFacts
    judged_on: Judged
    trials_asked: Count
    trials_done: Count
    best: Count | None
    trials: tuple[Trial, ...]
    seconds: Number

    @model_validator(mode="after")
    def _has_its_best(self) -> Search:
        if self.best is not None and not 1 <= self.best <= len(self.trials):
            raise ValueError(f"best: there is no trial {self.best}")
        for trial in self.trials:
            self.configured(trial)
        return self

    @property
    def best_trial(self) -> Trial | None:
        """The best trial; None where none has a score."""
        return None if self.best is None else self.trials[self.best - 1]

    def is_of(self, data: str, identity: Identity) -> bool:
        """Whether it searched the settings of this experiment on these data."""
        own = self.identity or Identity(experiment=self.name)
        return (self.data, own.experiment, own.variant) == (data, identity.experiment, identity.variant)

    def configured(self, trial: Trial) -> dict[str, Any]:
        """The configuration of a trial."""
        changed = copy.deepcopy(self.config)
        for dotted, value in trial.settings.items():
            *sections, key = dotted.split(".")
            table = changed
            for section in sections:
                table = table.setdefault(section, {})
                if not isinstance(table, dict):
                    raise ValueError(f"settings: {dotted}: {section} is a value, not a section")
            table[key] = value
        return changed


def setting(config: Mapping[str, Any], dotted: str) -> Any:
    """What a configuration has under a dotted key; None where it has nothing."""
    value: Any = config
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def read_searches(results: Path) -> list[Search]:
    """The searches on record in a folder of results, by data set and name.

    Raises:
        DataError: A record is damaged.
    """
    return [read_search(path, Search) for path in sorted((results / SEARCHES).glob("*/*.json"))]


def read_search(path: Path, kind: type[Kind]) -> Kind:
    """The search in a file; ``kind`` says how much of it is read.

    Raises:
        DataError: The record is damaged.
    """
    try:
        return kind.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        why = fault(error)
    except (OSError, ValueError, RecursionError) as error:
        why = str(error)
    raise DataError(f"{path}: not the record of a search ({why}); {REMEDY}")
