"""Run records -> what each run found in each post, as counts that a bootstrap can draw from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mner.errors import DataError
from mner.evaluation.outcomes import counts
from mner.runs.experiments import Experiment
from mner.runs.record import RunRecord, ScoredSplit
from mner.types import ViewName


def labels_of(record: RunRecord, split: ScoredSplit) -> set[str]:
    """The labels that a record has scores or outcomes of."""
    scored = {label for scores in (record.scores(split) or {}).values() for label in scores.labels}
    return scored | set(record.outcomes.get(split, {}).get("labels", ()))


def post_counts(experiment: Experiment, split: ScoredSplit, view: ViewName, labels: Sequence[str]) -> np.ndarray | None:
    """Entities correct, predicted and gold of each post in each run, (post, run, column, 3).

    The first column is over all labels, then one for each of ``labels``. None where a run kept no outcomes.

    Raises:
        DataError: Outcomes are damaged, or disagree with the scores.
    """
    runs = []
    for path, record in zip(experiment.paths, experiment.records, strict=True):
        outcomes = record.outcomes.get(split)
        scores = (record.scores(split) or {}).get(view)
        if not outcomes or scores is None:
            return None
        try:
            of_labels = counts(outcomes, view)
        except (KeyError, DataError) as error:
            raise DataError(
                f"{path}: damaged outcomes ({error}); copy the record again from its run directory"
            ) from None
        table = np.zeros((len(of_labels.gold), len(labels) + 1, 3), dtype=np.int64)
        for number, label in enumerate(of_labels.labels):
            sides = (of_labels.correct, of_labels.predicted, of_labels.gold)
            counted = np.stack([side[:, number] for side in sides], axis=-1)
            table[:, labels.index(label) + 1] = counted
            table[:, 0] += counted
        recorded = [scores.micro.correct, scores.micro.predicted, scores.micro.gold]
        if len(table) != scores.posts or table[:, 0].sum(axis=0).tolist() != recorded:
            raise DataError(
                f"{path}: outcomes of {split} posts and scores disagree; copy it again from its run directory"
            )
        runs.append(table)
    return np.stack(runs, axis=1)
