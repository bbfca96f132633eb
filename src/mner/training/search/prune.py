"""When a trial is given up: the median rule, at equal shares of the trials' own epochs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

AFTER = 4
"""No trial is given up before so many whole ones can be compared with it."""

RULE = "median of whole trials at the same share of their epochs"


def hopeless(scores: Sequence[float], epochs: int, whole: Sequence[tuple[Sequence[float], int]]) -> bool:
    """Whether a trial's best score so far is below the median of what whole trials had reached by then.

    "By then" is the same share of a trial's planned epochs, rounded down, not the same epoch: the rates fall to zero
    over the planned epochs, so after two epochs of two a trial is better than after two of six, which says nothing.

    Args:
        scores: Dev scores of the trial's epochs so far.
        epochs: Epochs it plans.
        whole: Scores and planned epochs of each trial that went to its end.

    >>> hopeless([50.0], 2, [([60.0, 70.0], 2)] * 4)
    True
    >>> hopeless([50.0], 4, [([60.0, 70.0], 2)] * 4)  # a quarter in, none of the others had finished an epoch
    False
    """
    if not scores:
        return False
    others = [max(reached[:then]) for reached, planned in whole if (then := len(scores) * planned // epochs)]
    return len(others) >= AFTER and max(scores) < statistics.median(others)
