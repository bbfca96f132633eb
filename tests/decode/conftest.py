"""Chains small enough to enumerate, and the enumeration."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise, product
from types import SimpleNamespace

import numpy as np
import pytest

from mner.decode import Chain


@pytest.fixture
def chain() -> Callable[..., Chain]:
    """Makes a random chain over a number of labels."""

    def make(labels: int, *, seed: int = 0, scale: float = 1.0) -> Chain:
        draw = np.random.default_rng(seed)
        return Chain(*(scale * draw.normal(size=shape) for shape in ((labels, labels), labels, labels)))

    return make


@pytest.fixture
def enumerated() -> Callable[..., SimpleNamespace]:
    """All label sequences of one post's emissions (word, label): ``paths``, ``scores`` and ``probabilities``."""

    def run(emissions: np.ndarray, crf: Chain) -> SimpleNamespace:
        words, labels = emissions.shape
        paths = np.array(list(product(range(labels), repeat=words)))
        scores = np.array(
            [
                crf.start[path[0]]
                + sum(float(emissions[word, label]) for word, label in enumerate(path))
                + sum(crf.transitions[a, b] for a, b in pairwise(path))
                + crf.end[path[-1]]
                for path in paths
            ]
        )
        log_partition = np.logaddexp.reduce(scores)
        return SimpleNamespace(
            paths=paths, scores=scores, log_partition=log_partition, probabilities=np.exp(scores - log_partition)
        )

    return run
