"""The entities of one post beside its gold ones -> which are right, and how the others are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mner.types import Entity

Outcome = Literal["correct", "wrong type", "wrong span", "spurious", "missed"]
"""What an entity is beside the gold ones.

correct: a gold entity has its characters and its label. wrong type: one has its characters, with another label.
wrong span: it shares characters with one. spurious: with none. missed: a gold entity that shares characters with no
entity that was found.
"""

OUTCOMES: tuple[Outcome, ...] = ("correct", "wrong type", "wrong span", "spurious", "missed")


@dataclass(frozen=True, slots=True)
class Judged:
    """An entity and what it is.

    Attributes:
        entity: The entity that was found; of a missed one the gold entity.
        outcome: What it is.
        gold: The gold entity that it is compared with; None of a spurious one.
    """

    entity: Entity
    outcome: Outcome
    gold: Entity | None


def judge(predicted: Sequence[Entity], gold: Sequence[Entity]) -> tuple[Judged, ...]:
    """Each entity that was found, in order, then each that was missed.

    >>> city, new = Entity(0, 8, "New York", "LOC", 1), Entity(0, 3, "New", "LOC", 0.8)
    >>> [one.outcome for one in judge([new], [city])], [one.outcome for one in judge([], [city])]
    (['wrong span'], ['missed'])
    """
    judged = [_judged(entity, gold) for entity in predicted]
    missed = [Judged(each, "missed", each) for each in gold if not any(_shared(each, other) for other in predicted)]
    return (*judged, *missed)


def _judged(entity: Entity, gold: Sequence[Entity]) -> Judged:
    nearest = max(gold, key=lambda other: (_shared(entity, other), other.label == entity.label), default=None)
    if nearest is None or not _shared(entity, nearest):
        return Judged(entity, "spurious", None)
    if (nearest.start, nearest.end) != (entity.start, entity.end):
        return Judged(entity, "wrong span", nearest)
    return Judged(entity, "correct" if nearest.label == entity.label else "wrong type", nearest)


def _shared(entity: Entity, other: Entity) -> int:
    """Characters that two entities share."""
    return max(0, min(entity.end, other.end) - max(entity.start, other.start))
