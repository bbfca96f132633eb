"""Which runs of two experiments may be compared, on which views and seeds, under which signature."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from mner.errors import DataError
from mner.runs.experiments import Experiment
from mner.runs.record import RunRecord, ScoredSplit
from mner.types import ViewName


def opposite(view: ViewName, other: Experiment) -> ViewName:
    """The view of another experiment that a view is fairly compared with."""
    return view if view in other.trained else other.trained[0]


def paired(a: Experiment, b: Experiment) -> tuple[Experiment, Experiment, tuple[str, ...]]:
    """Both experiments on the seeds that they share, and what was left out; those that share none stay as they are."""
    notes = [f"{path}: not finished, left out" for experiment in (a, b) for path in experiment.unfinished]
    shared = set(a.seeds) & set(b.seeds)
    if not shared:
        return a, b, (*notes, "the two share no seed: all seeds of both count")
    for experiment, other in ((a, b), (b, a)):
        if alone := [seed for seed in experiment.seeds if seed not in shared]:
            seeds = f"seed{'s' * (len(alone) > 1)} {', '.join(map(str, alone))}"
            notes.append(
                f"{seeds} of {experiment.name} left out: {other.name} lacks {'them' * (len(alone) > 1) or 'it'}"
            )
    return only(a, shared), only(b, shared), tuple(notes)


def only(experiment: Experiment, seeds: Collection[int]) -> Experiment:
    """The experiment with these seeds alone."""
    places = [number for number, seed in enumerate(experiment.seeds) if seed in seeds]
    records = tuple(experiment.records[place] for place in places)
    return replace(experiment, records=records, paths=tuple(experiment.paths[place] for place in places))


def scored(experiment: Experiment, split: ScoredSplit) -> Experiment:
    """The experiment on the runs that have the split's scores."""
    return only(experiment, {record.seed for record in experiment.records if record.scores(split) is not None})


def check_same(a: Experiment, b: Experiment, split: ScoredSplit) -> None:
    """Refuse runs whose scores may not be subtracted.

    Raises:
        DataError: A run has no scores of the split, or two runs differ in data, scheme, match or decoding.
    """
    first: tuple[Path, dict[str, str]] | None = None
    for path, record in zip((*a.paths, *b.paths), (*a.records, *b.records), strict=True):
        if record.scores(split) is None:
            raise DataError(f"{path}: no {split} scores; mner evaluate --final RUN scores test, or compare --split dev")
        conditions = _conditions(record, split)
        first = first or (path, conditions)
        differing = [
            f"{name} {first[1][name]} and {conditions[name]}"
            for name in conditions
            if conditions[name] != first[1][name]
        ]
        if differing:
            raise DataError(
                f"{first[0]} and {path}: not comparable: {'; '.join(differing)}; "
                "train and score both on the same data in the same way"
            )


def _conditions(record: RunRecord, split: ScoredSplit) -> dict[str, str]:
    """All that must be the same before two scores may be subtracted; posts of further tasks may differ."""
    signature = record.signature(split, "T")
    splits = [f"{name}@{record.splits[name].fingerprint}" for name in ("train", "dev") if name in record.splits]
    posts = f"{split}@{record.posts_fingerprint(split)[:6]}"
    return {
        "scheme": signature.scheme,
        "match": signature.match,
        "decode": signature.decode,
        "data": " ".join([*splits, posts]),
    }
