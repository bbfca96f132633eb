"""How alike two names are, by the letters that one must change to get the other."""

from __future__ import annotations

from collections import Counter

SHORT = 5
"""Letters of the shortest name that may be misread: of fewer, one letter makes another name."""


def likeness(name: str, other: str, least: float) -> float:
    """One minus the edit distance divided by the longer name's length; 0 where that is under ``least``.

    Names with other digits are never alike, nor are names of fewer than ``SHORT`` letters.

    >>> likeness("cleveland", "clevelano", 0.85), likeness("superbowl50", "superbowl51", 0.85)
    (0.8888888888888888, 0.0)
    """
    longest = max(len(name), len(other))
    most = int((1 - least) * longest + 1e-9)
    if min(len(name), len(other)) < SHORT or abs(len(name) - len(other)) > most:
        return 0.0
    if (Counter(name) & Counter(other)).total() < longest - most or _digits(name) != _digits(other):
        return 0.0
    distance = _distance(name, other)
    return 1 - distance / longest if distance <= most else 0.0


def _digits(name: str) -> list[str]:
    return [char for char in name if char.isdigit()]


def _distance(name: str, other: str) -> int:
    """Letters to insert, delete or replace (Levenshtein)."""
    row = list(range(len(other) + 1))
    for place, char in enumerate(name, 1):
        above, row[0] = row[0], place
        for at, letter in enumerate(other, 1):
            above, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, above + (char != letter))
    return row[-1]
