"""The learned part of a linear-chain CRF outside the emissions: transition, start and end scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mner.errors import ModelError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ILLEGAL = -1e30
"""Score of a forbidden move: its probability is exactly 0, and sums and differences of it stay finite."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Transition scores (label, label) as [from, to], start scores (label,) and end scores (label,), in float64.

    Raises:
        ModelError: The three shapes do not belong together.
    """

    transitions: Floats
    start: Floats
    end: Floats

    def __post_init__(self) -> None:
        for name in ("transitions", "start", "end"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))
        labels = self.start.shape[0] if self.start.ndim == 1 else 0
        if labels < 1 or self.end.shape != (labels,) or self.transitions.shape != (labels, labels):
            raise ModelError(
                "a chain needs transitions (label, label), start (label,) and end (label,); it got "
                f"{self.transitions.shape}, {self.start.shape} and {self.end.shape}"
            )

    @property
    def labels(self) -> int:
        """The number of labels."""
        return int(self.start.shape[0])

    def constrained(self, legal: tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]) -> Chain:
        """The same chain without its illegal moves; whatever sums over paths then renormalises itself.

        Args:
            legal: Which starts (label,), transitions (label, label) and ends (label,) are allowed, as
                ``mner.tags.legal`` gives them.

        >>> yes, no = np.array([True, True]), np.array([True, False])
        >>> chain = Chain(np.zeros((2, 2)), np.zeros(2), np.zeros(2)).constrained((no, np.eye(2, dtype=bool), yes))
        >>> np.exp(chain.start).tolist()
        [1.0, 0.0]
        """
        start, transitions, end = legal
        return Chain(
            np.where(transitions, self.transitions, ILLEGAL),
            np.where(start, self.start, ILLEGAL),
            np.where(end, self.end, ILLEGAL),
        )


def masked(emissions: ArrayLike, lengths: ArrayLike, crf: Chain) -> tuple[Floats, Ints, NDArray[np.bool_]]:
    """Emissions (batch, word, label) in float64 with zeros past each length, the lengths, and the mask (batch, word).

    Raises:
        ModelError: The shapes do not fit the chain, or a score of a real word is not a finite number.
    """
    scores, counts = np.asarray(emissions), np.asarray(lengths, dtype=np.int64)
    if scores.ndim != 3 or scores.shape[2] != crf.labels or counts.shape != scores.shape[:1]:
        raise ModelError(
            f"expected emissions (batch, word, {crf.labels}) and lengths (batch,), "
            f"got {scores.shape} and {counts.shape}"
        )
    if counts.size and not 0 <= counts.min() <= counts.max() <= scores.shape[1]:
        raise ModelError(f"lengths must lie between 0 and {scores.shape[1]} words, got {counts.tolist()}")
    mask = np.arange(scores.shape[1]) < counts[:, None]
    exact = np.where(mask[..., None], scores, 0).astype(np.float64, copy=False)
    if not np.isfinite(exact).all():
        post = int(np.argwhere(~np.isfinite(exact))[0, 0])
        raise ModelError(f"the label scores of post {post} of the batch are not all finite: the model is damaged")
    return exact, counts, mask
