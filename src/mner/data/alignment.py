"""Words and a text -> where each word is in it."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from mner.errors import DataError
from mner.types import Post, Span
from mner.words import BLANKS, split

MOST = 1_000_000
"""Places that are tried, at most, for words that leave out parts of a text."""

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")

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
    """The character offsets of words that occur in a text in this order; None if they do not, or in several ways.

    Words with nothing but white space between them always align. Where words leave out parts of the text, each begins
    and ends where a word of the text does, or right next to another of the words: "Oslo" is not found in "@Oslocats".

    >>> align("Hi,Bo @Bolt", ["Hi", "Bo"])
    ((0, 2), (3, 5))
    >>> align("Bo and Bo", ["Bo"]) is None
    True
    """
    whole, offsets = joined(words)
    if whole == text:
        return offsets
    if (gapless := _gapless(text, words)) is not None:
        return gapless
    _, tokens = split(text)
    begins, ends = {begin for begin, _ in tokens}, {end for _, end in tokens}
    count, placed = _placed(text, words, begins, ends)
    if not count:  # a word may be part of a word of the text, such as the name of a #hashtag
        edges = {at for at in range(len(text) + 1) if not (_inner(text[at - 1 : at]) and _inner(text[at : at + 1]))}
        count, placed = _placed(text, words, edges, edges)
    return placed if count == 1 else None


def _inner(char: str) -> bool:
    """Whether a character is a letter, a digit or a mark on one."""
    return char.isalnum() or (char != "" and unicodedata.category(char)[0] == "M")


def _gapless(text: str, words: Sequence[str]) -> Offsets | None:
    """The offsets of words with nothing but white space between them; None if there is more."""
    offsets, at = [], 0
    for word in words:
        while not text.startswith(word, at):
            if at == len(text) or not BLANKS.fullmatch(text, at, at + 1):
                return None
            at += 1
        offsets.append((at, at + len(word)))
        at += len(word)
    return tuple(offsets) if BLANKS.fullmatch(text, at) else None


def _placed(text: str, words: Sequence[str], begins: AbstractSet[int], ends: AbstractSet[int]) -> tuple[int, Offsets]:
    """In how many ways the words can be placed (0, 1 or more), and the only way if there is one.

    A word begins at one of ``begins`` or where the word before it ends, and ends at one of ``ends`` or where the word
    after it begins.
    """
    ends = ends | {0}  # where the first word may be placed after
    # By the end of the word placed last: the number of ways to place it and all before it.
    steps: list[dict[int, int]] = [{0: 1}]
    tried = 0
    for word, starts in zip(words, _starts(text, words), strict=True):
        before, reached = sorted(steps[-1].items()), dict[int, int]()
        passed = ways = 0
        tried += len(starts)
        if tried > MOST:
            return 2, ()
        for start in starts:
            while passed < len(before) and before[passed][0] <= start:
                end, count = before[passed]
                ways += count if end in ends else 0
                passed += 1
            beside = steps[-1].get(start, 0)
            possible = (ways + (0 if start in ends else beside)) if start in begins else beside
            if possible:
                reached[start + len(word)] = min(possible, 2)
        steps.append(reached)
    last = [end for end in steps[-1] if end in ends]
    count = sum(steps[-1][end] for end in last)
    if count != 1:
        return count, ()
    offsets, end = [], last[0]
    for word, step in zip(reversed(words), reversed(steps[:-1]), strict=True):
        start = end - len(word)
        offsets.append((start, end))
        earlier = (at for at in step if at in ends and at < start) if start in begins else iter(())
        end = start if start in step else next(earlier, 0)
    return count, tuple(reversed(offsets))


def _starts(text: str, words: Sequence[str]) -> Iterator[list[int]]:
    """Where each word may begin, so that all before it and all after it still have a place."""
    latest, at = [], len(text)
    for word in reversed(words):
        at = text.rfind(word, 0, max(at, 0))
        latest.append(at)
    places = {word: [match.start() for match in re.finditer(f"(?={re.escape(word)})", text)] for word in set(words)}
    first = 0
    for word, last in zip(words, reversed(latest), strict=True):
        starts = places[word]
        starts = starts[bisect_left(starts, first) : bisect_right(starts, last)]
        yield starts
        first = starts[0] + len(word) if starts else len(text)


def whole(post: Post) -> Post:
    r"""The post with each surrogate pair of two characters made one character, offsets included.

    Only strings made in Python hold such halves; JSON has no way to write them, so offsets that count both would be
    wrong as soon as they are written.

    >>> whole(Post("1", "\ud83d\ude00 Bo", ("Bo",), ((3, 5),))).offsets
    ((2, 4),)
    """
    if post.text.isascii() or not (pairs := [match.start() for match in _PAIR.finditer(post.text)]):
        return post
    offsets = tuple((a - bisect_left(pairs, a), b - bisect_left(pairs, b)) for a, b in post.offsets)
    text = _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), post.text)
    words = tuple(text[begin:end] for begin, end in offsets)
    return replace(post, text=text, words=words, offsets=offsets) if all(words) else post


def word_span(start: int, end: int, label: str, offsets: Offsets, *, text: str) -> Span:
    """The word span of an entity given by character offsets.

    White space around the entity is left out; every word that it touches must be wholly inside.

    Raises:
        DataError: The entity is empty, leaves the text, touches no word or cuts a word. The message has no place.

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
