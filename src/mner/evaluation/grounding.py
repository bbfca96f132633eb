"""Entities with the boxes that show them -> scores of grounded NER: GMNER, MNER and EEG.

The three tasks of Yu et al., "Grounded Multimodal Named Entity Recognition on Social Media" (ACL 2023):

- MNER: words and type of an entity are right;
- EEG, entity extraction and grounding: words and region are right;
- GMNER: words, type and region are right.

A region is right where the picture shows the entity and the predicted box overlaps any of its gold boxes by an IoU
(intersection over union) of at least 0.5, or where the picture does not show it and no box is predicted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from mner.errors import DataError
from mner.evaluation.scores import PRF, prf, score
from mner.types import Box, Span

Grounded = tuple[Span, Sequence[Box]]
"""An entity and its boxes in the picture: of a gold entity all of them, of a predicted one the best first."""


@dataclass(frozen=True, slots=True)
class GroundedScores:
    """Scores of entities with their boxes.

    Attributes:
        gmner: Words, type and region.
        mner: Words and type; what ``score`` gives.
        eeg: Words and region.
        labels: GMNER by label, sorted.
        boxed: GMNER of the entities with a box alone.
        unboxed: GMNER of the entities without a box alone.
        posts: The number of posts scored.
        iou: The least overlap of a box that is right.

    >>> score_grounded([[(Span(0, 1, "PER"), [(0, 0, 9, 9)])]], [[(Span(0, 1, "PER"), [])]]).eeg.f1
    0.0
    """

    gmner: PRF
    mner: PRF
    eeg: PRF
    labels: Mapping[str, PRF]
    boxed: PRF
    unboxed: PRF
    posts: int
    iou: float

    def matches(self) -> dict[str, str]:
        """What counts as correct in each task, as a signature names it.

        >>> score_grounded([[]], [[]]).matches()
        {'gmner': 'exact+iou0.5', 'mner': 'exact', 'eeg': 'span+iou0.5'}
        """
        return {"gmner": f"exact+iou{self.iou:g}", "mner": "exact", "eeg": f"span+iou{self.iou:g}"}

    def to_dict(self) -> dict[str, Any]:
        """The scores as a JSON object with the keys gmner, mner, eeg, labels, boxed, unboxed, posts, iou.

        >>> score_grounded([[]], [[]]).to_dict()["posts"]
        1
        """
        return asdict(self)


def score_grounded(
    gold: Sequence[Sequence[Grounded]], predicted: Sequence[Sequence[Grounded]], *, iou: float = 0.5
) -> GroundedScores:
    """The scores of predicted entities with boxes against gold ones.

    Each gold entity is found at most once, and each prediction finds at most one, since words must agree exactly and a
    post's gold entities never share words. Of a predicted entity's boxes the first is scored, as systems of the field
    predict one. The same words with the same type and box count once; a gold entity that is there twice has the boxes
    of both. A ratio over nothing is 0.

    Args:
        gold: Gold entities of each post.
        predicted: Predicted entities of each post, in the same order of posts.
        iou: The least overlap of a box that is right, above 0 and at most 1.

    Raises:
        DataError: The numbers of posts differ, or two gold entities of a post have the same words and different types.
        ValueError: ``iou`` is out of range.

    >>> gold = [[(Span(0, 2, "PER"), [(0, 0, 100, 100)]), (Span(5, 6, "LOC"), [])]]
    >>> predicted = [[(Span(0, 2, "PER"), [(0, 0, 100, 60)]), (Span(5, 6, "ORG"), [])]]
    >>> scores = score_grounded(gold, predicted)  # an overlap of 0.6; a wrong type
    >>> scores.gmner.f1, scores.mner.f1, scores.eeg.f1
    (50.0, 50.0, 100.0)
    """
    if not 0 < iou <= 1:
        raise ValueError(f"iou: expected a number above 0 and at most 1, found {iou}")
    mner = score([[span for span, _ in post] for post in gold], [[span for span, _ in post] for post in predicted])
    truth = _by_words(gold)
    guesses = list(
        dict.fromkeys(
            _Guess(post, span, tuple(boxes[0]) if boxes else None)
            for post, entities in enumerate(predicted)
            for span, boxes in entities
        )
    )
    located = [guess for guess, right in zip(guesses, _located(guesses, truth, iou), strict=True) if right]
    typed = [guess for guess in located if truth[guess.words][0].label == guess.span.label]
    shown = {words for words, (_, boxes) in truth.items() if boxes}
    in_both = {guess.words for guess in typed}
    boxed = [guess for guess in guesses if guess.box is not None]
    labels = sorted({span.label for span, _ in truth.values()} | {guess.span.label for guess in guesses})
    return GroundedScores(
        gmner=prf(len(in_both), len(guesses), len(truth)),
        mner=mner.micro,
        eeg=prf(
            len({guess.words for guess in located}), len({(guess.words, guess.box) for guess in guesses}), len(truth)
        ),
        labels={
            label: prf(
                sum(truth[words][0].label == label for words in in_both),
                sum(guess.span.label == label for guess in guesses),
                sum(span.label == label for span, _ in truth.values()),
            )
            for label in labels
        },
        boxed=prf(len(in_both & shown), len(boxed), len(shown)),
        unboxed=prf(len(in_both - shown), len(guesses) - len(boxed), len(truth) - len(shown)),
        posts=len(gold),
        iou=iou,
    )


_Words = tuple[int, int, int]
"""The number of a post, and the first word and the end of an entity of it."""


class _Guess(NamedTuple):
    """A predicted entity: the number of its post, its words and type, and its box, if it has one."""

    post: int
    span: Span
    box: tuple[float, ...] | None

    @property
    def words(self) -> _Words:
        return self.post, self.span.start, self.span.end


def _by_words(gold: Sequence[Sequence[Grounded]]) -> dict[_Words, Grounded]:
    truth: dict[_Words, Grounded] = {}
    for number, entities in enumerate(gold):
        for span, boxes in entities:
            words = number, span.start, span.end
            known, shown = truth.get(words, (span, ()))
            if known != span:
                raise DataError(f"post {number}: two gold entities over words {span.start} to {span.end}; keep one")
            truth[words] = span, (*shown, *boxes)
    return truth


def _located(guesses: Sequence[_Guess], truth: Mapping[_Words, Grounded], iou: float) -> np.ndarray:
    """Which predicted entities (guess,) have the words of a gold one and its region."""
    right = np.zeros(len(guesses), dtype=bool)
    owners: list[int] = []
    pairs: list[tuple[Sequence[float], Box]] = []
    for number, guess in enumerate(guesses):
        if guess.words not in truth:
            continue
        boxes = truth[guess.words][1]
        if guess.box is None:
            right[number] = not boxes
            continue
        owners += [number] * len(boxes)
        pairs += [(guess.box, box) for box in boxes]
    if pairs:
        sides = np.asarray(pairs, dtype=np.float64)  # (pair, 2, 4)
        shared, united = overlaps(sides[:, 0], sides[:, 1])
        # Not divided: whole pixels stay exact, so an overlap of exactly 0.5 is one.
        np.logical_or.at(right, owners, (shared > 0) & (shared >= iou * united))
    return right


def overlaps(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The areas of intersection and union (pair,) of boxes (pair, 4): left, top, right, bottom.

    A box whose right or bottom is not beyond its left or top has no area.

    >>> overlaps(np.array([[0, 0, 10, 10]]), np.array([[0, 5, 10, 20]]))
    (array([50]), array([200]))
    """
    lower = np.maximum(first[:, :2], second[:, :2])
    upper = np.minimum(first[:, 2:], second[:, 2:])
    shared = _area(lower, upper)
    return shared, _area(first[:, :2], first[:, 2:]) + _area(second[:, :2], second[:, 2:]) - shared


def _area(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    area: np.ndarray = (upper - lower).clip(min=0).prod(axis=1)
    return area
