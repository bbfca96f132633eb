"""How much of a gain is the picture's: the whole method against the best experiment without the post's own picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lab.contexts import remark
from mner.analysis.oracle import Oracle, oracle
from mner.errors import DataError
from mner.runs import Experiment
from mner.runs.compare import Comparison
from mner.runs.pairing import only, opposite, scored
from mner.runs.record import ScoredSplit
from mner.runs.settings import settings_that_differ
from mner.show.baseline_gains import (
    SPLITS,
    alike,
    baseline_of,
    comparison_notes,
    comparison_table,
    signatures,
    tried,
)
from mner.show.display import signed
from mner.show.tables import Part

BASELINE = "text"
WHOLE = "ita-ga-cva"
CONTROLS = {
    "text-double-steps": (BASELINE, "training.passes"),
    "ita-ga-cva-empty": (WHOLE, "context.substitute"),
    "ita-ga-cva-shuffled": (WHOLE, "context.substitute"),
}
"""Experiments that gain without the picture: more steps, alignment without a context, or with another picture's.

Each with the experiment whose settings it must have, and the one setting in which it differs from that.
"""


def against_text(experiment: Experiment, experiments: Mapping[str, Experiment]) -> Experiment | None:
    """The words alone that an experiment is compared with."""
    return baseline_of(experiment, experiments, BASELINE)


def whole_methods(experiments: Mapping[str, Experiment]) -> Iterator[tuple[Experiment, Experiment]]:
    """The whole method on each encoder, tuned or not, each with the words alone that are tuned alike."""
    for experiment in experiments.values():
        text = against_text(experiment, experiments)
        if experiment.identity.experiment == WHOLE and remark(experiment) is None and alike(experiment, text):
            yield experiment, text  # type: ignore[misc]  # alike() of None is False


def shares(
    experiments: Mapping[str, Experiment], splits: Sequence[ScoredSplit] = SPLITS
) -> tuple[list[Comparison], list[str]]:
    """The whole method against the best experiment without the post's own picture, and what must be known of that.

    All are read on the seeds that all of them have, and a control counts only with the settings of the experiment
    whose control it is.
    """
    comparisons: list[Comparison] = []
    notes: list[str] = []
    for experiment, text in whole_methods(experiments):
        controls = list(_controls(experiment, text, experiments, notes))
        if not controls:
            continue
        known = {control.identity.experiment for control in controls}
        if absent := [_called(name, experiment, WHOLE) for name in CONTROLS if name not in known]:
            missing = ", ".join(absent)
            notes.append(f"{experiment.name}: no records of {missing}, without which the share may be too large")
        for split in splits:
            first, *others = _on_shared_seeds((experiment, text, *controls), split, notes)
            if not first.records:
                continue
            for view in experiment.trained:
                best = max(others, key=lambda other: _mean(other.f1(split, opposite(view, other))))
                comparisons += tried(first, best, split, notes, view=view)
                gain = _mean(first.f1(split, view)) - _mean(others[0].f1(split, opposite(view, others[0])))
                notes.append(f"{experiment.name} {view}, {split}: over {others[0].name}, {signed(gain)} on these seeds")
    return comparisons, notes


def _controls(
    experiment: Experiment, text: Experiment, experiments: Mapping[str, Experiment], notes: list[str]
) -> Iterator[Experiment]:
    for name, (of, free) in CONTROLS.items():
        row = experiment if of == WHOLE else text
        control = next(
            (each for each in experiments.values() if each.identity.experiment == name and alike(each, row)), None
        )
        if control is None or control.encoder != row.encoder:
            continue
        first, second = (each.records[0].config for each in (control, row))
        if differing := settings_that_differ(first, second, but={"name", free}):
            notes.append(f"{control.name}: no control of {row.name}, its settings are others: {'; '.join(differing)}")
        else:
            yield control


def _called(name: str, experiment: Experiment, known: str) -> str:
    """What an experiment would be called that is tuned as another is, and on the same encoder."""
    return experiment.name.replace(known, name, 1)


def _on_shared_seeds(experiments: Sequence[Experiment], split: ScoredSplit, notes: list[str]) -> list[Experiment]:
    """The experiments on the seeds of which all have the split's scores; without any such seed none has a run."""
    runs = [scored(each, split) for each in experiments]
    shared = set.intersection(*(set(each.seeds) for each in runs))
    if not shared and all(each.records for each in runs):
        names = ", ".join(each.name for each in experiments)
        notes.append(f"{names}: no seed of {split} is common to all, so there is no share")
    for each in runs if shared else ():
        if alone := [str(seed) for seed in each.seeds if seed not in shared]:
            notes.append(f"{each.name}, {split}: {' '.join(alone)} left out, seeds that not all rows of the share have")
    return [only(each, shared) for each in runs]


def share(experiments: Mapping[str, Experiment]) -> Iterator[Part]:
    """What of the gain is the picture's, as one part; none where there is no control."""
    comparisons, notes = shares(experiments)
    if comparisons or notes:
        yield Part(
            "The picture's share",
            f"{WHOLE} minus the best of {', '.join((BASELINE, *CONTROLS))}: what is left when more steps and alignment "
            "alone are taken off. All are read on the seeds that all of them have. The best is picked by the same "
            "split's mean, which can only make the share smaller.",
            comparison_table(("row", "view", "best of the others", "split", "seeds"), comparisons),
            notes=tuple(dict.fromkeys((*notes, *comparison_notes(comparisons)))),
            signatures=tuple(signatures(comparisons)),
        )


def oracles(experiments: Mapping[str, Experiment]) -> list[Oracle]:
    """The oracle of the whole method against the words alone, on each encoder whose records keep outcomes of posts."""
    results = []
    for experiment, text in whole_methods(experiments):
        if not experiment.whole:
            continue
        for split in SPLITS:
            try:
                results.append(oracle(experiment, baseline=text, split=split))
            except DataError:
                continue  # runs without outcomes are named where the experiments are compared
            break
    return results


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
