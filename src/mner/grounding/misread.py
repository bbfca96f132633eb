"""A name and a text that may begin with it, misread: the edit distance to every beginning, in one pass."""

from __future__ import annotations

from collections.abc import Iterator

LEAST = 0.85
"""Likeness of a misread name, at least."""

SHORT = 5
"""Letters of the shortest name that may be misread: of fewer, one letter makes another name."""

LONG = 200
"""Letters of the longest name that may be misread; a longer one is compared letter by letter."""


def likenesses(name: str, text: str, least: float) -> Iterator[tuple[int, float]]:
    """The beginnings of a text that are like a name: how many letters each has, and its likeness.

    Likeness is one minus the edit distance divided by the longer one's length. Names with other digits are never alike,
    nor are names of fewer than ``SHORT`` or more than ``LONG`` letters. Each letter of the text is read once, and none
    after the last one that could still be part of a beginning that is alike.

    Args:
        name: The name.
        text: The text.
        least: Likeness, at least; over 0.

    >>> list(likenesses("cleveland", "clevelano", 0.85)), list(likenesses("superbowl50", "superbowl51", 0.85))
    ([(8, 0.8888888888888888), (9, 0.8888888888888888)], [])
    """
    if not SHORT <= len(name) <= LONG:
        return
    longest = longest_like(name, least)
    most = edits(longest, least)
    digits, read = [char for char in name if char.isdigit()], 0
    # Myers (1999), "A fast bit-vector algorithm for approximate string matching", with the distance of Hyyro (2003).
    places: dict[str, int] = {}
    for at, char in enumerate(name):
        places[char] = places.get(char, 0) | 1 << at
    whole, last = (1 << len(name)) - 1, 1 << len(name) - 1
    more, less, distance = whole, 0, len(name)  # bit i: name[: i + 1] is an edit further away than name[:i], or nearer
    for length, char in enumerate(text[:longest], 1):
        if char.isdigit():
            if digits[read : read + 1] != [char]:
                return
            read += 1
        here = places.get(char, 0)
        same = (((here & more) + more) ^ more) | here
        further, nearer = less | ~(same | more), more & same
        distance += bool(further & last) - bool(nearer & last)
        further, nearer = further << 1 | 1, nearer << 1
        here |= less
        more, less = (nearer | ~(here | further)) & whole, further & here
        if distance - (longest - length) > most:
            return
        longer = max(len(name), length)
        if length >= SHORT and distance <= edits(longer, least) and read == len(digits):
            yield length, 1 - distance / longer


def edits(letters: int, least: float) -> int:
    """Letters to insert, delete or replace, at most, where the longer of two names has so many."""
    return int((1 - least) * letters + 1e-9)


def longest_like(name: str, least: float) -> int:
    """Letters of the longest text that can be like a name.

    >>> longest_like("cleveland", 0.85)
    10
    """
    letters = int(len(name) / least) + 1
    while letters * least > len(name):
        letters -= 1
    return letters
