"""Graded entities -> the temperature or the curves that make their probabilities true, and what that mends."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from mner.decode.scaling import Scaling, log_odds
from mner.evaluation.calibration import Graded

TEMPERATURES: tuple[float, ...] = tuple(round(1.05**step, 4) for step in range(-14, 29))
"""The temperatures that are tried: from 0.5 to 3.9 in steps of 5 %; 1 leaves the probabilities."""

FEWEST = 50
"""Entities that a label needs for a curve of its own; others share one."""

FOLDS = 5

Fit = Callable[[NDArray[np.bool_]], Callable[[NDArray[np.bool_]], NDArray[np.float64]]]
"""Fits on the chosen entities (entity,); gives what computes the probabilities of others."""


def temperature_of(by_temperature: NDArray[np.float64], correct: NDArray[np.bool_]) -> int:
    """The number of the temperature in ``TEMPERATURES`` under which the entities' fates are most probable.

    Args:
        by_temperature: The probability of each entity at each temperature (temperature, entity).
        correct: Whether each is right (entity,).
    """
    clipped = np.clip(by_temperature, 1e-12, 1 - 1e-12)
    likelihood = np.where(correct, np.log(clipped), np.log1p(-clipped)).mean(axis=1)
    return int(likelihood.argmax())


def platt_of(graded: Graded, types: Sequence[str]) -> dict[str, tuple[float, float]]:
    """The slope and intercept over the log-odds for each of the entity types.

    Types with fewer than ``FEWEST`` entities, and those whose own slope would not rise, have the curve of all entities
    together; there, too, a slope that does not rise leaves the probabilities.
    """
    shared = _line(graded)
    lines = {}
    for label in sorted(types):
        own = graded.of(label)
        line = _line(own) if len(own) >= FEWEST else shared
        line = line if line[0] > 0 else shared
        lines[label] = line if line[0] > 0 else (1.0, 0.0)
    return lines


def held_out(graded: Graded, fit: Fit) -> Graded:
    """The entities with probabilities that were fitted on other posts: each of ``FOLDS`` parts by the rest."""
    part = np.random.default_rng(1).permutation(graded.posts)[graded.post] % FOLDS
    scores = graded.score.copy()
    for fold in range(FOLDS):
        if (part == fold).any() and (part != fold).any():
            scores[part == fold] = fit(part != fold)(part == fold)
    return graded.scored(scores)


def temperature_fit(by_temperature: NDArray[np.float64], correct: NDArray[np.bool_]) -> Fit:
    """``temperature_of`` as ``held_out`` calls it."""

    def fit(train: NDArray[np.bool_]) -> Callable[[NDArray[np.bool_]], NDArray[np.float64]]:
        chosen = temperature_of(by_temperature[:, train], correct[train])
        return lambda rest: by_temperature[chosen, rest]

    return fit


def platt_fit(graded: Graded, types: Sequence[str]) -> Fit:
    """``platt_of`` as ``held_out`` calls it."""

    def fit(train: NDArray[np.bool_]) -> Callable[[NDArray[np.bool_]], NDArray[np.float64]]:
        scaling = Scaling(platt=platt_of(graded.where(train), types))
        return lambda rest: scaling.curved(graded.score[rest], graded.label[rest].tolist())

    return fit


def _line(graded: Graded) -> tuple[float, float]:
    """Logistic regression of the fates on the log-odds, by Newton's method; Platt's smoothed targets keep it finite."""
    right = int(graded.correct.sum())
    wrong = len(graded) - right
    targets = np.where(graded.correct, (right + 1) / (right + 2), 1 / (wrong + 2))
    inputs = np.stack([log_odds(graded.score), np.ones(len(graded))])  # (slope or intercept, entity)
    weights = np.array([1.0, 0.0])
    for _ in range(100):
        chance = 1 / (1 + np.exp(-(weights @ inputs)))
        spread = np.maximum(chance * (1 - chance), 1e-12)
        step = np.linalg.solve(inputs * spread @ inputs.T + 1e-9 * np.eye(2), inputs @ (targets - chance))
        weights = weights + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-10:
            break
    return float(weights[0]), float(weights[1])
