"""Several values -> their mean with its deviation, written in one way everywhere."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean, and the sample standard deviation where there are several values.

    A format string writes both numbers:

    >>> f"{Mean.of([74.0, 75.0]):.2f}", f"{Mean.of([74.0]):.1f}"
    ('74.50 ± 0.71', '74.0')
    """

    mean: float
    sd: float | None = None

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean:
        """The mean of at least one value.

        Raises:
            statistics.StatisticsError: There are no values.
        """
        return cls(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)

    def __format__(self, spec: str) -> str:
        deviation = "" if self.sd is None else f" ± {self.sd:{spec}}"
        return f"{self.mean:{spec}}{deviation}"
