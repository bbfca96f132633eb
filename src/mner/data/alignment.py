"""Words and a text -> where each word stands in it."""

from __future__ import annotations

from collections.abc import Sequence

from mner.errors import DataError
from mner.types import Span

Offsets = tuple[tuple[int, int], ...]


def joined(words: Sequence[str]) -> tuple[str, Offsets]:
    """The words joined by one space, and the character offsets of each.

    >>> joined(["Hi", "Bo"])
    ('Hi Bo', ((0, 2), (3, 5)))
    """
    offsets, at = [], 0
    for word in words:
        offsets.append((at, at + len(word)))
        at += len(word) + 1
    return " ".join(words), tuple(offsets)


def align(text: str, words: Sequence[str]) -> Offsets | None:
    """The character offsets of words that stand in a text in this order; None where they do not.

    Each word is taken at its first place after the word before it; words joined by one space always align so
    that nothing but those spaces is left.

    >>> align("Hi,Bo", ["Hi", "Bo"])
    ((0, 2), (3, 5))
    """
    whole, offsets = joined(words)
    if whole == text:
        return offsets
    found, at = [], 0
    for word in words:
        start = text.find(word, at)
        if start < 0:
            return None
        at = start + len(word)
        found.append((start, at))
    return tuple(found)


def word_span(start: int, end: int, label: str, offsets: Offsets, *, text: str) -> Span:
    """The word span of an entity given by character offsets.

    White space around the entity is let go; the words it touches must lie wholly inside.

    Raises:
        DataError: The entity is empty, leaves the text, touches no word or cuts one. The message has no place.

    >>> word_span(0, 5, "PER", ((0, 2), (3, 5)), text="Al Bo")
    Span(start=0, end=2, label='PER')
    """
    shown = f'entity {start}-{end} "{text[max(start, 0) : max(end, 0)]}"'
    if not 0 <= start < end <= len(text):
        raise DataError(f"{shown} is not within the text of {len(text)} characters; end is exclusive")
    touched = [at for at, (begin, stop) in enumerate(offsets) if begin < end and start < stop]
    if not touched:
        raise DataError(f"{shown} touches no word")
    first, last = touched[0], touched[-1]
    for at in (first, last):
        begin, stop = offsets[at]
        if begin < start or stop > end:
            raise DataError(
                f'{shown} cuts the word "{text[begin:stop]}" at {begin}-{stop}; move the offsets, '
                'or set the words yourself with a "words" list'
            )
    return Span(first, last + 1, label)
