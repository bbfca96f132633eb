"""The F1 of one reading over the runs of a row, with its signature."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from mner.config import Config
from mner.evaluation import signature
from mner.types import ViewName


@dataclass(frozen=True, slots=True)
class Measured:
    """A micro F1 in percent.

    Attributes:
        f1: Of each run, in order.
        mean: Their mean.
        sd: Their standard deviation; None for one run.
        signature: What exactly was measured.
    """

    f1: tuple[float, ...]
    mean: float
    sd: float | None
    signature: str


def measured(f1: Sequence[float], *, config: Config, data: str, view: ViewName | str) -> Measured:
    """The F1 of each run as one number with its signature.

    Args:
        f1: Micro F1 of each run.
        config: How gold labels were read and predictions decoded.
        data: Data set, split and fingerprint.
        view: The view decoded; a slice or a changed context is told behind it: "I+T:shuffled".

    >>> measured([70.0, 72.0], config=Config(), data="d/dev@1", view="T").mean
    71.0
    """
    line = signature(
        f1=f1,
        view=view,
        scheme=f"iob2-{'repaired' if config.data.labels == 'repair' else 'strict'}",
        decode="constrained" if config.decode.constrained else "unconstrained",
        data=data,
    )
    return Measured(tuple(f1), statistics.fmean(f1), statistics.stdev(f1) if len(f1) > 1 else None, line)
