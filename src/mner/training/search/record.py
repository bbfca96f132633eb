"""The record of a search: every trial's dev score, on the same terms."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from mner.config.space import Number, Values
from mner.machine import machine
from mner.training.job import Job
from mner.training.records import identity, versions
from mner.training.search.defaults import as_table, fingerprint
from mner.training.search.study import AFTER, RANDOM, RULE, best, broken_off, how, over, settings
from mner.types import ViewName


def search_record(
    study: optuna.Study,
    job: Job,
    *,
    space: Mapping[str, Values],
    start: Mapping[str, Number],
    judged: Sequence[ViewName],
    trials: int,
) -> dict[str, Any]:
    """The record of a search of ``trials``, whole or under way, as a JSON object.

    Scores are percentages, seconds those of training. ``settings`` is what a trial trained with, ``sampled`` the exact
    values of the sampler, from which a search goes on (``resume``). ``unfinished`` is the next trial if attempts at it
    were interrupted or killed. Machine, versions and date are those of the last trial that ended, so that the record of
    a finished search does not change.
    """
    config, done, first = job.config, over(study), best(study)
    rows = _rows(study, space, start)
    torn = broken_off(study)
    place = done[-1].user_attrs["made"] if done else made_here()
    return {
        "format": 1,
        "kind": "search",
        "data": config.data.name,
        "row": config.name,
        "identity": identity(config),
        "seed": config.seed,
        "fingerprint": study.user_attrs["fingerprint"],
        "config_fingerprint": config.fingerprint,
        "config": config.model_dump(mode="json", exclude_none=True),
        "encoder": {"name": job.files.name, "sha256": job.weights},
        "splits": {
            name: {
                "file": getattr(config.data, name, None) or config.data.tasks[name],
                **asdict(split.stamp),
                "contexts": dict(split.coverage),
            }
            for name, split in job.splits.items()
        },
        "space": as_table(space),
        "space_fingerprint": fingerprint(space),
        "sampler": {"name": "TPE", "seed": config.seed, "random_trials": RANDOM},
        "pruning": {"rule": RULE, "after_whole_trials": AFTER},
        "judged_on": {"split": "dev", "views": list(judged), "score": "mean micro F1 of the views"},
        "trials_asked": max(trials, len(done)),
        "trials_done": len(done),
        "best": None if first is None else done.index(first) + 1,
        "trials": rows,
        "unfinished": {
            "trial": len(done) + 1,
            "sampled": _sampled(torn[-1], space),
            "broken_off": [how(study, trial) for trial in torn],
        }
        if torn
        else None,
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        **place,
    }


def made_here() -> dict[str, Any]:
    """Machine, versions and date of now."""
    return {
        "machine": machine(),
        "versions": {**versions(), "optuna": version("optuna")},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def state(trial: FrozenTrial) -> str:
    """How a trial ended: whole, pruned or diverged."""
    if trial.state == TrialState.COMPLETE:
        return "whole"
    return "diverged" if "diverged" in trial.user_attrs else "pruned"


def run_name(number: int) -> str:
    """Name of the configuration that trial ``number`` (from 1) trains."""
    return f"trial-{number:02d}"


def _rows(study: optuna.Study, space: Mapping[str, Values], start: Mapping[str, Number]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    attempts: list[str] = []
    for trial in study.get_trials(deepcopy=False):
        if trial.state == TrialState.FAIL:
            attempts.append(how(study, trial))
        if trial.state not in {TrialState.COMPLETE, TrialState.PRUNED}:
            continue
        facts = trial.user_attrs
        rows.append(
            {
                "trial": len(rows) + 1,
                "state": state(trial),
                "score": facts["score"],
                "settings": settings(trial, start),
                "sampled": _sampled(trial, space),
                "epochs": {"planned": facts["planned"], "scores": facts["scores"], "best": facts["best_epoch"]},
                "dev": facts["dev"],
                "seconds": facts["seconds"],
                "broken_off": attempts,
                "cpu": facts["made"]["machine"]["cpu"],
            }
        )
        attempts = []
    return rows


def _sampled(trial: FrozenTrial, space: Mapping[str, Values]) -> dict[str, Number]:
    return {key: trial.params[key] for key in space if key in trial.params}
