"""The trials so far, in optuna's journal (a file of JSON lines), the next one to run, and when one is given up."""

from __future__ import annotations

import fcntl
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from mner.config.space import Number, Values
from mner.errors import MnerError

RANDOM = 5
"""Trials, the first one (the configuration as it is) included, before the sampler learns from them."""

AFTER = 4
"""Whole trials that must be there for comparison before one is given up."""

RULE = "median of whole trials at the same share of their epochs"


@contextmanager
def opened(path: Path, fingerprints: Sequence[str], *, restart: bool = False) -> Iterator[optuna.Study]:
    """The study of a journal, begun if there is none; no other process may open it while the block lasts.

    ``fingerprints`` are that of the search and those that it had in earlier versions. ``restart`` empties the journal
    first. A trial that was running when its process died is marked as killed.

    Raises:
        MnerError: Another process uses it, or it was begun with other settings, data or search space.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        raise MnerError(f"{path}: is a link, which is not written through; choose another --out")
    with path.open("a+b") as journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise MnerError(f"{path.parent}: another process is at work there; choose another --out") from None
        journal.seek(0)
        whole = 0 if restart else journal.read().rfind(b"\n") + 1
        journal.truncate(whole)  # a process that died while writing leaves half a line
        path.with_name(path.name + ".lock").unlink(missing_ok=True)
        storage = JournalStorage(JournalFileBackend(str(path)))
        study = optuna.create_study(study_name="search", storage=storage, direction="maximize", load_if_exists=True)
        if study.user_attrs.get("fingerprint", fingerprints[0]) not in fingerprints:
            raise MnerError(
                f"{path.parent}: holds a search with other settings, data or search space; choose another name "
                "(--set name=...) or another --out, or pass --restart"
            )
        study.set_user_attr("fingerprint", fingerprints[0])
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            break_off(study, trial, "killed")
        yield study


def over(study: optuna.Study) -> list[FrozenTrial]:
    """The trials that ended by themselves, in order: whole, pruned or diverged."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def broken_off(study: optuna.Study) -> list[FrozenTrial]:
    """The attempts at the next trial that did not end by themselves."""
    past = study.get_trials(deepcopy=False)
    last = max((trial.number for trial in over(study)), default=-1)
    return [trial for trial in past if trial.state == TrialState.FAIL and trial.number > last]


def break_off(study: optuna.Study, trial: FrozenTrial | Trial, how: str) -> None:
    """Mark a running trial as interrupted or killed; the same values are tried again by the next one."""
    study.set_user_attr(f"broken off {trial.number}", how)
    study.tell(trial.number, state=TrialState.FAIL)


def add(study: optuna.Study, trial: FrozenTrial, broken: str | None = None) -> None:
    """Append a trial that is over; ``broken`` says how it was broken off, if it did not end by itself."""
    if broken:
        study.set_user_attr(f"broken off {len(study.get_trials(deepcopy=False))}", broken)
    study.add_trial(trial)


def how(study: optuna.Study, trial: FrozenTrial) -> str:
    """How a trial that was broken off ended: interrupted or killed."""
    return str(study.user_attrs[f"broken off {trial.number}"])


def ask(study: optuna.Study, space: Mapping[str, Values], start: Mapping[str, Number], *, seed: int) -> Trial:
    """The next trial: the configuration as it is, then an attempt that was broken off, else what the sampler chooses.

    The sampler (TPE, Bergstra et al. 2011) is seeded again for each trial, so that an interrupted search tries what an
    unbroken one would have tried.
    """
    number = len(over(study))
    torn = broken_off(study)
    if not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        if torn and torn[-1].params.keys() == space.keys():
            study.enqueue_trial(torn[-1].params)
        elif number == 0:
            study.enqueue_trial({key: start[key] for key in space})
    study.sampler = TPESampler(seed=(seed * 1_000_003 + number) % 2**32, n_startup_trials=RANDOM)
    return study.ask(distributions(space, start))


def hopeless(scores: Sequence[float], epochs: int, whole: Sequence[tuple[Sequence[float], int]]) -> bool:
    """Whether a trial's best score so far is below the median of what whole trials had reached by then.

    "By then" is the same share of a trial's planned ``epochs``, rounded down, not the same epoch: the rates fall to
    zero over the planned epochs, so after two epochs of two a trial is better than after two of six.
    ``whole`` holds the scores and planned epochs of each whole trial.

    >>> hopeless([50.0], 2, [([60.0, 70.0], 2)] * 4)
    True
    >>> hopeless([50.0], 4, [([60.0, 70.0], 2)] * 4)  # a quarter in, none of the others had finished an epoch
    False
    """
    if not scores:
        return False
    others = [max(reached[:then]) for reached, planned in whole if (then := len(scores) * planned // epochs)]
    return len(others) >= AFTER and max(scores) < statistics.median(others)


def settings(trial: FrozenTrial | Trial, start: Mapping[str, Number]) -> dict[str, Number]:
    """The settings in which a trial differs from the configuration; drawn ones to three significant digits."""
    changed = {key: value for key, value in trial.params.items() if value != start[key]}
    return {key: _rounded(value, trial.distributions[key]) for key, value in changed.items()}


def _rounded(value: Number, drawn_from: BaseDistribution) -> Number:
    """A value that was drawn from a range, rounded within it; one of several named values as it is."""
    if not isinstance(drawn_from, FloatDistribution):
        return value
    return min(max(float(f"{value:.3g}"), drawn_from.low), drawn_from.high)


def best(study: optuna.Study) -> FrozenTrial | None:
    """The whole trial with the best score, the earliest of equals; None before one is whole."""
    whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return max(whole, key=lambda trial: trial.value or 0.0, default=None)


def distributions(space: Mapping[str, Values], start: Mapping[str, Number]) -> dict[str, BaseDistribution]:
    """What the sampler draws each key from; a key whose value in ``start`` is whole gets whole numbers."""
    return {key: _distribution(values, start[key]) for key, values in space.items()}


def _distribution(values: Values, start: Number) -> BaseDistribution:
    if values.choices:
        return CategoricalDistribution(values.choices)
    low, high = values.ends
    if isinstance(start, int):
        return IntDistribution(int(low), int(high), log=values.log)
    return FloatDistribution(float(low), float(high), log=values.log)
