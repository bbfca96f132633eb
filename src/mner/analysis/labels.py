"""Precision, recall and F1 of each label against a baseline (Table 5), and the paper's claim about them tested."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mner.errors import DataError
from mner.evaluation.signature import joint, parts
from mner.types import ViewName

Record = Mapping[str, Any]
THRESHOLD = 0.5
"""Relative F1 gain, in percent, above which the paper's claim speaks of a label."""


@dataclass(frozen=True, slots=True)
class Triple:
    """Precision, recall and F1 of one label, or their gains; in percent, None where there is no such ratio."""

    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class LabelGain:
    """One label in one view of the row, against the baseline's T view; means over runs.

    Attributes:
        label: The label, or "micro" for all.
        view: The row's view.
        baseline: Scores of the baseline.
        row: Scores of the row.
        points: Row minus baseline.
        relative: The same in percent of the baseline; None where that is 0.
        holds: Whether precision gained more than recall, relatively; None where the claim does not speak of it.
    """

    label: str
    view: ViewName
    baseline: Triple
    row: Triple
    points: Triple
    relative: Triple
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Claim:
    """The claim in one view: of ``labels`` that gained enough it holds for ``held``.

    ``p`` is the chance that a coin would be right as often or more often (one-sided sign test); None without labels.
    """

    view: ViewName
    labels: int
    held: int
    p: float | None


@dataclass(frozen=True, slots=True)
class Labels:
    """Two rows by label, each number of ``baseline`` and ``row`` under its signature."""

    baseline: str
    row: str
    split: str
    threshold: float
    gains: tuple[LabelGain, ...]
    claims: tuple[Claim, ...]
    signatures: tuple[str, ...]


def labels(
    baseline: Sequence[Record], row: Sequence[Record], *, split: str = "dev", threshold: float = THRESHOLD
) -> Labels:
    """Scores by label of a row against a baseline, from their run records.

    The claim (ITA, Table 5): where a label's relative F1 gain exceeds ``threshold`` percent, its relative precision
    gain exceeds its relative recall gain.

    Args:
        baseline: Records of the baseline's runs; its T view is the one compared with.
        row: Records of the row's runs.
        split: "dev", or "test" where the records hold scores of it.
        threshold: In percent.

    Raises:
        DataError: A record holds no scores of the split, or the two rows saw different posts or gold labels.
    """
    for record in (*baseline, *row):
        if split not in record:
            raise DataError(f"{name_of(record)}: its record holds no {split} scores; test: mner evaluate RUN --final")
    grounds = _grounds(baseline, row, split)
    if len(grounds) > 1:
        told = "; ".join(f"{name}: {ground}" for ground, name in grounds.items())
        raise DataError(f"different posts or gold labels are not compared: {told}")
    names = sorted({label for record in (*baseline, *row) for label in record[split]["T"]["labels"]})
    gains: list[LabelGain] = []
    views: tuple[ViewName, ...] = ("T", "I+T")
    for view in views:
        for label in (*names, "micro"):
            gains.append(
                _gain(label, view, _mean(baseline, split, "T", label), _mean(row, split, view, label), threshold)
            )
    signatures = [_signature(baseline, split, "T"), *(_signature(row, split, view) for view in views)]
    claims = tuple(_claim(view, [gain for gain in gains if gain.view == view]) for view in views)
    return Labels(name_of(baseline[0]), name_of(row[0]), split, threshold, tuple(gains), claims, tuple(signatures))


def sign_test(held: int, of: int) -> float:
    """The chance that a fair coin falls on one side ``held`` times or more out of ``of``.

    >>> sign_test(3, 4)
    0.3125
    """
    return float(sum(math.comb(of, count) for count in range(held, of + 1)) / 2**of)


def name_of(record: Record) -> str:
    """Data set and row of a record, as "twitter15/text"."""
    return f"{record['data']}/{record['row']}"


def _gain(label: str, view: ViewName, before: Triple, after: Triple, threshold: float) -> LabelGain:
    three = ("precision", "recall", "f1")
    pairs = [(getattr(before, part), getattr(after, part)) for part in three]
    relative = Triple(*(100 * (new - old) / old if old else None for old, new in pairs))
    holds: bool | None = None
    if label != "micro" and relative.f1 is not None and relative.f1 > threshold:
        holds = (relative.precision or 0.0) > (relative.recall or 0.0)
    return LabelGain(label, view, before, after, Triple(*(new - old for old, new in pairs)), relative, holds)


def _claim(view: ViewName, gains: Sequence[LabelGain]) -> Claim:
    told = [gain.holds for gain in gains if gain.holds is not None]
    return Claim(view, len(told), sum(told), sign_test(sum(told), len(told)) if told else None)


def _mean(records: Sequence[Record], split: str, view: str, label: str) -> Triple:
    def of(part: str) -> float:
        scores = [record[split][view] for record in records]
        rows = [one["micro"] if label == "micro" else one["labels"].get(label, {}) for one in scores]
        return statistics.fmean(row.get(part, 0.0) for row in rows)

    return Triple(of("precision"), of("recall"), of("f1"))


def _signature(records: Sequence[Record], split: str, view: str) -> str:
    scores = [record[split][view] for record in records]
    return joint(scores[0]["signature"], [one["micro"]["f1"] for one in scores])


def _grounds(baseline: Sequence[Record], row: Sequence[Record], split: str) -> dict[str, str]:
    """What the runs were scored on, each with the first run that was."""
    told: dict[str, str] = {}
    for record in (*baseline, *row):
        signature = parts(record[split]["T"]["signature"])
        ground = " ".join(f"{key}={signature[key]}" for key in ("data", "scheme", "match"))
        told.setdefault(ground, f"{name_of(record)}/{record['seed']}")
    return told
