"""A row's records -> what each run found in each post, as counts that a bootstrap can draw from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mner.errors import DataError
from mner.evaluation.outcomes import counts
from mner.evaluation.pairing import Split
from mner.evaluation.records import Record, Row
from mner.types import ViewName


def labels_of(record: Record, split: Split) -> set[str]:
    """The labels that a record has scores or outcomes of."""
    scored = {label for view in ("T", "I+T") for label in record[split][view]["labels"]}
    return scored | set(record.get("outcomes", {}).get(split, {}).get("labels", ()))


def post_counts(row: Row, split: Split, view: ViewName, labels: Sequence[str]) -> np.ndarray | None:
    """Entities correct, predicted and gold of each post in each run, (post, run, column, 3).

    The first column is over all labels, then one for each of ``labels``. None where a run kept no outcomes.

    Raises:
        DataError: Outcomes are damaged, or disagree with the scores.
    """
    runs = []
    for path, record in zip(row.paths, row.records, strict=True):
        kept = record.get("outcomes", {}).get(split)
        if not kept:
            return None
        try:
            found = counts(kept, view)
        except (KeyError, DataError) as error:
            raise DataError(
                f"{path}: damaged outcomes ({error}); copy the record again from its run directory"
            ) from None
        table = np.zeros((len(found.gold), len(labels) + 1, 3), dtype=np.int64)
        for number, label in enumerate(found.labels):
            told = np.stack([side[:, number] for side in (found.correct, found.predicted, found.gold)], axis=-1)
            table[:, labels.index(label) + 1] = told
            table[:, 0] += told
        micro = record[split][view]["micro"]
        recorded = [micro[name] for name in ("correct", "predicted", "gold")]
        if len(table) != record[split][view]["posts"] or table[:, 0].sum(axis=0).tolist() != recorded:
            raise DataError(
                f"{path}: outcomes of {split} posts and scores disagree; copy it again from its run directory"
            )
        runs.append(table)
    return np.stack(runs, axis=1)
