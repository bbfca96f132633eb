"""The record of a search -> its study, where the search's folder is gone: every trial as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial
from pydantic import Field, FiniteFloat, model_validator

from mner.config import space
from mner.errors import DataError, MnerError
from mner.runs.record import Part
from mner.runs.searches import REMEDY, Search, Trial, read_search
from mner.runs.shape import Count, Number, Text
from mner.training.search import study

Sampled = dict[Text, int | FiniteFloat]
Broken = Literal["interrupted", "killed"]


class Epochs(Part):
    """Planned epochs, the score after each one trained, and the number of the one kept (None if it has no score)."""

    planned: Count
    scores: tuple[Number, ...]
    best: Count | None


class EndedTrial(Trial):
    """A trial with all that its study knew of it; ``sampled`` is None in records of mner 0.1."""

    trial: Count
    state: Literal["whole", "pruned", "diverged"]
    sampled: Sampled | None = None
    epochs: Epochs
    seconds: Number
    broken_off: tuple[Broken, ...]
    cpu: Text


class Unfinished(Part):
    """The trial under way, and how each attempt at it was broken off."""

    sampled: Sampled = Field(default_factory=dict)
    broken_off: tuple[Broken, ...] = ()


class Recorded(Search):
    """A search with all that its study knew; machine, versions and date are those of the last trial."""

    fingerprint: Text
    trials: tuple[EndedTrial, ...]
    unfinished: Unfinished | None
    machine: dict[str, Any]
    versions: dict[str, Any]
    date: Text

    @model_validator(mode="after")
    def _has_all_trials(self) -> Recorded:
        if [each.trial for each in self.trials] != list(range(1, self.trials_done + 1)):
            raise ValueError(f"trials: not those numbered 1 to {self.trials_done}")
        return self


def recorded(path: Path, fingerprints: Sequence[str]) -> Recorded | None:
    """The record of a search, if it has one of these fingerprints; None where the file is missing.

    Raises:
        DataError: It is damaged.
        MnerError: It is of other settings, data or another search space.
    """
    if not path.exists():
        return None
    record = read_search(path, Recorded)
    if record.fingerprint not in fingerprints:
        raise MnerError(
            f"{path}: the record of a search with other settings, data or search space; choose another name "
            "(--set name=...) or another --results, or pass --restart to replace it"
        )
    return record


def restore(
    past: optuna.Study,
    record: Recorded,
    path: Path,
    *,
    searched: Mapping[str, space.Values],
    start: Mapping[str, space.Number],
    folder: Path,
) -> bool:
    """Put the trials of a record into its study if that is empty; whether it was.

    Afterwards the study holds what it held when ``path`` was written: numbers, states, values and the scores after
    each epoch of all trials, so that sampling and pruning go on as if nothing had happened.

    Args:
        past: The study in ``folder``.
        record: What ``path`` holds.
        path: The file of the record.
        searched: The values of each key that is searched.
        start: The configuration's own values.
        folder: The search's folder.

    Raises:
        DataError: The values of a trial are not among those searched.
        MnerError: The study holds fewer trials than the record, or the record lacks the values that were sampled.
    """
    if past.get_trials(deepcopy=False):
        if (there := len(study.over(past))) < len(record.trials):
            raise MnerError(
                f"{path}: has {len(record.trials)} trials, {folder} only {there}; to go on from the record remove that "
                "folder, to go on from the folder remove the record"
            )
        return False
    if any(each.sampled is None for each in record.trials):
        raise MnerError(
            f"{path}: the record of a search by mner 0.1, which did not write the exact values of its trials "
            f"('sampled'). It goes on only with its folder: copy that to {folder}. Else choose another name "
            "(--set name=...) or another --results, or pass --restart to replace it"
        )
    known = study.distributions(searched, start)
    try:
        trials = list(_trials(record, known))
    except ValueError as error:
        raise DataError(f"{path}: not the record of this search ({error}); {REMEDY}") from None
    for trial, how in trials:
        study.add(past, trial, how)
    return True


def _trials(record: Recorded, known: Mapping[str, BaseDistribution]) -> Iterator[tuple[FrozenTrial, Broken | None]]:
    """The trials of a record in order, each after the attempts at it; with an attempt how it was broken off."""
    for each in record.trials:
        for how in each.broken_off:
            yield _attempt(each.sampled or {}, known), how
        yield _ended(each, record, known), None
    if under_way := record.unfinished:
        for how in under_way.broken_off:
            yield _attempt(under_way.sampled, known), how


def _attempt(sampled: Sampled, known: Mapping[str, BaseDistribution]) -> FrozenTrial:
    """An attempt that was broken off, maybe before all keys were sampled."""
    distributions = {key: values for key, values in known.items() if key in sampled}
    return create_trial(state=TrialState.FAIL, params=sampled, distributions=distributions)


def _ended(each: EndedTrial, record: Recorded, known: Mapping[str, BaseDistribution]) -> FrozenTrial:
    scores, whole = each.epochs.scores, each.state == "whole"
    origin: dict[str, Any] = {"machine": {"cpu": each.cpu}}
    if each.trial == len(record.trials):
        origin = {"machine": record.machine, "versions": record.versions, "date": record.date}
    facts = {
        "score": each.score,
        "scores": scores,
        "planned": each.epochs.planned,
        "best_epoch": each.epochs.best,
        "dev": {view: score.model_dump(mode="json") for view, score in each.dev.items()},
        "seconds": each.seconds,
        "made": origin,
    }
    return create_trial(
        state=TrialState.COMPLETE if whole else TrialState.PRUNED,
        value=each.score if whole else scores[-1] if scores else None,
        params=each.sampled,
        distributions=dict(known),
        intermediate_values=dict(enumerate(scores, 1)),
        user_attrs=facts | ({"diverged": True} if each.state == "diverged" else {}),
    )
