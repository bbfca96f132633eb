"""Calibrated probabilities of entities: a temperature on the chain's scores, or a curve by label on the log-odds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mner.decode.chain import Chain, Floats

CERTAIN = 1e-9
"""Probabilities nearer to 0 or 1 have the log-odds of this one."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """What turns the exact probability of a span into the calibrated one.

    Attributes:
        temperature: All scores of the chain are divided by it before probabilities are taken (Guo et al. 2017). The
            best path stays the best, so the entities stay; the order of their probabilities may change.
        platt: By label the slope and intercept of a line over the log-odds of the probability (Platt 1999); labels that
            it lacks keep theirs. The order within a label stays.

    >>> Scaling(platt={"PER": (1.0, -1.0)}).curved([0.5, 0.5], ["PER", "LOC"]).round(3).tolist()
    [0.269, 0.5]
    """

    temperature: float = 1.0
    platt: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def chain(self, crf: Chain) -> Chain:
        """The chain whose probabilities are taken; that of forbidden moves stays 0."""
        return Chain(crf.transitions / self.temperature, crf.start / self.temperature, crf.end / self.temperature)

    def emissions(self, emissions: ArrayLike) -> Floats:
        """The label scores whose probabilities are taken."""
        return np.asarray(emissions, dtype=np.float64) / self.temperature

    def curved(self, scores: ArrayLike, labels: Sequence[str]) -> Floats:
        """The probabilities (span,) of spans with these labels by ``platt``; what is impossible stays so."""
        exact = np.asarray(scores, dtype=np.float64)
        if not self.platt:
            return exact
        lines = np.array([self.platt.get(label, (1.0, 0.0)) for label in labels]).reshape(-1, 2)
        curved = 1 / (1 + np.exp(-(lines[:, 0] * log_odds(exact) + lines[:, 1])))
        keeps = np.array([label not in self.platt for label in labels], dtype=bool) | (exact <= 0)
        return np.where(keeps, exact, curved)


def log_odds(scores: NDArray[np.float64]) -> Floats:
    """The logarithm of p / (1 - p), finite also for 0 and 1."""
    clipped = np.clip(scores, CERTAIN, 1 - CERTAIN)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))
