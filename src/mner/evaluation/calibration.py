"""Entities with probabilities beside gold ones -> how far the probabilities can be taken at their word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mner.decode import ScoredSpan
from mner.errors import DataError
from mner.types import Span

BINS = 10
"""Most bins of a reliability table."""

FEWEST = 10
"""Entities of a bin, where there are as many: the share of correct ones among fewer says little."""


@dataclass(frozen=True, eq=False)
class Graded:
    """Entities of a set of posts, each with its probability and whether it is right.

    Attributes:
        post: The number of the post that each lies in (entity,).
        label: Its label (entity,).
        score: Its probability (entity,).
        correct: Whether a gold entity has its words and label (entity,).
        posts: The number of posts, those without an entity included.
    """

    post: NDArray[np.int64]
    label: NDArray[np.str_]
    score: NDArray[np.float64]
    correct: NDArray[np.bool_]
    posts: int

    def __len__(self) -> int:
        return len(self.score)

    def of(self, label: str) -> Graded:
        """The entities of one label, in the same posts."""
        return self.where(self.label == label)

    def within(self, chosen: NDArray[np.bool_]) -> Graded:
        """The entities of the chosen posts (post,), which are numbered again."""
        number = np.cumsum(chosen) - 1
        inside = self.where(chosen[self.post])
        return Graded(number[inside.post], inside.label, inside.score, inside.correct, int(chosen.sum()))

    def scored(self, score: NDArray[np.float64]) -> Graded:
        """The same entities with other probabilities."""
        return Graded(self.post, self.label, score, self.correct, self.posts)

    def where(self, rows: NDArray[np.bool_]) -> Graded:
        """The chosen entities (entity,), in the same posts."""
        return Graded(self.post[rows], self.label[rows], self.score[rows], self.correct[rows], self.posts)


def grade(gold: Sequence[Iterable[Span]], predicted: Sequence[Iterable[ScoredSpan]]) -> Graded:
    """The predicted entities of each post, graded by its gold ones.

    Raises:
        DataError: The numbers of posts differ.

    >>> graded = grade([[Span(0, 1, "PER")]], [[ScoredSpan(0, 1, "PER", 0.9), ScoredSpan(2, 3, "LOC", 0.4)]])
    >>> graded.score.tolist(), graded.correct.tolist()
    ([0.9, 0.4], [True, False])
    """
    if len(gold) != len(predicted):
        raise DataError(f"{len(predicted)} posts were predicted and {len(gold)} have gold entities; they must be equal")
    rows = [
        (number, entity.label, entity.score, entity.span in truth)
        for number, (truth, entities) in enumerate(zip(map(frozenset, gold), predicted, strict=True))
        for entity in entities
    ]
    return _graded(rows, len(gold))


def grade_gold(gold: Sequence[Iterable[Span]], returned: Sequence[Iterable[ScoredSpan]]) -> Graded:
    """The gold entities of each post, each with the probability that it was returned with; -1 where it was not.

    >>> grade_gold([[Span(0, 1, "PER"), Span(3, 4, "LOC")]], [[ScoredSpan(0, 1, "PER", 0.9)]]).score.tolist()
    [0.9, -1.0]
    """
    scores = [{entity.span: entity.score for entity in entities} for entities in returned]
    rows = [
        (number, span.label, scores[number].get(span, -1.0), span in scores[number])
        for number, truth in enumerate(gold)
        for span in sorted(set(truth))
    ]
    return _graded(rows, len(gold))


def _graded(rows: Sequence[tuple[int, str, float, bool]], posts: int) -> Graded:
    return Graded(
        np.array([number for number, *_ in rows], dtype=np.int64),
        np.array([label for _, label, *_ in rows], dtype=np.str_),
        np.array([score for *_, score, _ in rows], dtype=np.float64),
        np.array([correct for *_, correct in rows], dtype=np.bool_),
        posts,
    )


@dataclass(frozen=True, slots=True)
class Bin:
    """Entities of like probability: the mean of their probabilities and the share of them that is correct, 0 to 1."""

    score: float
    correct: float
    entities: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the probabilities of entities agree with what came true.

    Attributes:
        ece: Expected calibration error in percent: the gap between mean probability and share of correct entities of
            each bin, weighed by its entities.
        brier: Brier score, 0 to 1: the mean squared distance of the probability from 1 (correct) or 0 (wrong).
        score: Mean probability, 0 to 1.
        correct: Share of correct entities, 0 to 1; below ``score`` the model is too sure of itself.
        entities: The number of entities.
        bins: The reliability table, from the least probable entities to the most probable.
    """

    ece: float
    brier: float
    score: float
    correct: float
    entities: int
    bins: tuple[Bin, ...]

    def to_dict(self) -> dict[str, Any]:
        """The calibration as a JSON object, rounded to six digits."""
        rounded: dict[str, Any] = {
            key: round(value, 6) if isinstance(value, float) else value
            for key, value in asdict(self).items()
            if key != "bins"
        }
        rounded["bins"] = [
            {"score": round(each.score, 6), "correct": round(each.correct, 6), "entities": each.entities}
            for each in self.bins
        ]
        return rounded


def calibration(graded: Graded) -> Calibration | None:
    """The calibration of entities; None where there are none.

    The bins hold equally many entities, so that none rests on a handful: ``BINS`` of them, or fewer where they would
    hold less than ``FEWEST`` entities each. Entities of equal probability share a bin.

    >>> graded = grade([[Span(0, 1, "PER")]], [[ScoredSpan(0, 1, "PER", 0.9), ScoredSpan(2, 3, "LOC", 0.5)]])
    >>> result = calibration(graded)
    >>> round(result.ece, 6), round(result.brier, 6)
    (20.0, 0.13)
    """
    count = len(graded)
    if not count:
        return None
    order = np.argsort(graded.score, kind="stable")
    score, correct = graded.score[order], graded.correct[order].astype(np.float64)
    bounds = _bounds(score, max(1, min(BINS, count // FEWEST)))
    bins = tuple(
        Bin(float(score[start:end].mean()), float(correct[start:end].mean()), end - start)
        for start, end in pairwise(bounds)
    )
    return Calibration(
        ece=100 * sum(each.entities * abs(each.score - each.correct) for each in bins) / count,
        brier=float(np.mean((score - correct) ** 2)),
        score=float(score.mean()),
        correct=float(correct.mean()),
        entities=count,
        bins=bins,
    )


def by_label(graded: Graded) -> dict[str, Calibration]:
    """The calibration of the entities of each label, sorted."""
    labels = sorted(set(graded.label.tolist()))
    return {label: result for label in labels if (result := calibration(graded.of(label))) is not None}


def table(graded: Graded) -> Mapping[str, Any]:
    """What a record keeps of calibration: over all entities under "micro", and by label; empty without entities."""
    whole = calibration(graded)
    if whole is None:
        return {}
    labels = {label: result.to_dict() for label, result in by_label(graded).items()}
    return {"micro": whole.to_dict(), "labels": labels}


def _bounds(score: NDArray[np.float64], bins: int) -> list[int]:
    """Where each bin of sorted scores begins, and the end; a bound moves up until no equal scores lie on both sides."""
    bounds = [0]
    for number in range(1, bins):
        bound = round(number * len(score) / bins)
        while bound < len(score) and score[bound] == score[bound - 1]:
            bound += 1
        if bounds[-1] < bound < len(score):
            bounds.append(bound)
    return [*bounds, len(score)]
