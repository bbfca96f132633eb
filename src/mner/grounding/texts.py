"""An entity's words -> the lines of text in a picture that hold them."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from mner.grounding.misread import LEAST, LONG, SHORT, edits, likenesses, longest_like
from mner.types import Box, OcrText

MATCHED = 40
"""Words of an entity that are compared with the texts in a picture, from its first one on."""

PART = 0.4
"""Least share of an entity's letters that a line must hold to show part of it."""

MOST = 32
"""Matches of an entity, at most: the best ones."""

EFFORT = 500_000
"""Letters that are compared for the entities of one post, at most; those that come after have no matches.

A page full of text takes a tenth of it. The limit is for texts written to be like many names at many places.
"""

_BREAK = "\0"
"""Stands between lines that are no neighbours; it occurs in no word."""


@dataclass(frozen=True, slots=True)
class Match:
    """A text in the picture that shares words with an entity; ``whole`` if it holds all of the entity's words.

    ``picture`` says which of several pictures, from 0.
    """

    text: str
    box: Box | None
    whole: bool
    picture: int = 0


@dataclass(frozen=True, slots=True)
class Shared:
    """Lines that hold an entity's words, or part of them.

    Attributes:
        lines: The places of one line, or of several neighbouring ones.
        match: "exact", "case", "fuzzy 0.86" or "part".
        likeness: 1 for the same letters; less for a misread name, and for the share of its letters in a part.
    """

    lines: tuple[int, ...]
    match: str
    likeness: float


class _Candidate(NamedTuple):
    """A run of words in the lines that is like an entity."""

    match: str
    likeness: float
    start: int
    stop: int


class PictureTexts:
    """The lines of text in a post's pictures, to be compared with its entities. Not for use from several threads.

    Args:
        lines: What was read; they may have no box.
        least: Likeness of a misread name, at least; 1 for the same letters alone.
    """

    def __init__(self, lines: Sequence[OcrText], *, least: float = LEAST) -> None:
        self._lines, self._least, self._left = lines, least, EFFORT
        self._filled: list[int] = []  # the lines that have words
        self._words: list[str] = []
        self._line_of: list[int] = []  # of each word, by place in _filled
        self._begins: list[int] = []  # where each word begins in _text
        self._ends: dict[int, int] = {}  # where a word ends in _text -> the place of the next one
        self._text = self._joined()
        self._firsts = {begin: word for word, begin in enumerate(self._begins)}
        self._results: dict[str, tuple[Shared, ...]] = {}

    def _joined(self) -> str:
        """All words run together, in small letters."""
        parts: list[str] = []
        size = 0
        for number, line in enumerate(self._lines):
            words = [letters for word in line.text.split() if (letters := letters_of(word))]
            if not words:
                continue
            if self._filled and not neighbours(self._lines[self._filled[-1]], line):
                parts.append(_BREAK)
                size += len(_BREAK)
            for word in words:
                self._words.append(word)
                self._line_of.append(len(self._filled))
                self._begins.append(size)
                parts.append(word.casefold())
                size += len(parts[-1])
                self._ends[size] = len(self._words)
            self._filled.append(number)
        return "".join(parts)

    def matches(self, name: str) -> tuple[Match, ...]:
        """The lines, each by itself, that share words with an entity, the best first.

        >>> texts = PictureTexts([OcrText("york"), OcrText("NEWYORK 2016"), OcrText("Old York Road")])
        >>> texts.matches("New York")
        (Match(text='NEWYORK 2016', box=None, whole=True, picture=0),)
        """
        whole = {
            line: entry.match != "part" and len(entry.lines) == 1 for entry in self.shared(name) for line in entry.lines
        }
        read = [(self._lines[line], each) for line, each in whole.items()]
        return tuple(Match(line.text, line.box, each, line.picture) for line, each in read[:MOST])

    def shared(self, name: str) -> tuple[Shared, ...]:
        """The lines that hold an entity, the best first; those that hold part of it only where none holds all.

        Blanks and punctuation do not count, so "#ChicagoCubs" is "Chicago Cubs". Neighbouring lines may hold one half
        each. A line holds part of an entity if it is some of its words ("CLEVELAND" for "Cleveland Cavaliers"), or has
        several of its words in a row that make at least half of it.

        >>> PictureTexts([OcrText("GO"), OcrText("#chicagocubs")]).shared("Chicago Cubs")
        (Shared(lines=(1,), match='case', likeness=1.0),)
        """
        if name not in self._results:
            self._results[name] = self._best(self._candidates(name))
        return self._results[name]

    def _best(self, candidates: list[_Candidate]) -> tuple[Shared, ...]:
        """The best candidates that have no word in common."""
        chosen: list[Shared] = []
        taken: set[int] = set()
        for candidate in sorted(candidates, key=self._rank):
            words = range(candidate.start, candidate.stop)
            if taken.isdisjoint(words):
                taken.update(words)
                lines = self._filled[self._line_of[words[0]] : self._line_of[words[-1]] + 1]
                chosen.append(Shared(tuple(lines), candidate.match, candidate.likeness))
        whole = [entry for entry in chosen if entry.match != "part"]
        best = whole or [entry for entry in chosen if 2 * entry.likeness >= chosen[0].likeness]
        once = {entry.lines: entry for entry in reversed(best)}  # a line that says it twice
        return tuple(reversed(once.values()))[:MOST]

    def _rank(self, candidate: _Candidate) -> tuple[bool, float, bool, int, int, int]:
        match, likeness, start, stop = candidate
        lines = self._line_of[stop - 1] - self._line_of[start]
        return match == "part", -likeness, match != "exact", lines, start, stop

    def _candidates(self, name: str) -> list[_Candidate]:
        """Each run of words in the lines that is like the entity."""
        words = [letters for word in name.split()[:MATCHED] if (letters := letters_of(word))]
        name = "".join(words)
        if len(name) < 2:
            return []
        folded = name.casefold()
        whole = [
            _Candidate("exact" if "".join(self._words[start:stop]) == name else "case", 1.0, start, stop)
            for start, stop in self._runs(folded)
        ]
        parts = self._parts([word.casefold() for word in words])
        return whole + self._partial(folded, parts) + list(self._misread(folded, {folded, *parts}))

    def _find(self, letters: str, cost: int) -> Iterator[int]:
        """Each place in the text that has these letters in a row."""
        at = self._text.find(letters)
        while at >= 0 and self._left > 0:
            self._left -= cost
            yield at
            at = self._text.find(letters, at + 1)

    def _runs(self, letters: str) -> Iterator[tuple[int, int]]:
        """Each run of whole words that has just these letters."""
        for at in self._find(letters, len(letters)):
            start, stop = self._firsts.get(at), self._ends.get(at + len(letters))
            if start is not None and stop is not None:
                yield start, stop

    def _parts(self, words: Sequence[str]) -> dict[str, int]:
        """The entity's words in a row, run together, that occur in the text, and how many they are."""
        parts: dict[str, int] = {}
        for start in range(len(words)):
            for stop in range(start + 1, len(words) + 1):
                part = "".join(words[start:stop])
                if part not in self._text:
                    break
                parts[part] = max(parts.get(part, 0), stop - start)
        return parts

    def _partial(self, folded: str, parts: dict[str, int]) -> list[_Candidate]:
        """Runs that are some of the entity's words: lines of their own, or several words that are half of it."""
        candidates = []
        for part, words in parts.items():
            share = len(part) / len(folded)
            if part != folded and share >= PART:
                several = words > 1 and share >= 0.5
                for start, stop in self._runs(part):
                    if several or (len(part) > 1 and self._fills_lines(start, stop)):
                        candidates.append(_Candidate("part", share, start, stop))
        return candidates

    def _fills_lines(self, start: int, stop: int) -> bool:
        """Whether a run of words is whole lines."""
        line = self._line_of
        return (start == 0 or line[start - 1] != line[start]) and (stop == len(line) or line[stop - 1] != line[stop])

    def _misread(self, folded: str, known: set[str]) -> Iterator[_Candidate]:
        """Runs that are like the entity and hold other letters than those that are known already."""
        longest = longest_like(folded, self._least)
        for start in sorted(self._starts(folded, edits(longest, self._least))):
            begin = self._begins[start]
            text = self._text[begin : begin + longest].partition(_BREAK)[0]
            self._left -= len(text)
            if self._left < 0:
                return
            for length, likeness in likenesses(folded, text, self._least):
                stop = self._ends.get(begin + length)
                if stop is not None and text[:length] not in known:
                    yield _Candidate(f"fuzzy {likeness:.2f}", likeness, start, stop)

    def _starts(self, folded: str, most: int) -> set[int]:
        """The words with which a misread name can begin.

        Of a name cut into one piece more than there are letters wrong, at least one piece is read right.
        """
        if not most or not SHORT <= len(folded) <= LONG:
            return set()
        if len(folded) <= most:
            return set(range(len(self._words)))
        starts: set[int] = set()
        cuts = [len(folded) * cut // (most + 1) for cut in range(most + 2)]
        for left, right in pairwise(cuts):
            for at in self._find(folded[left:right], 1):
                near = bisect_left(self._begins, at - left - most), bisect_right(self._begins, at - left + most)
                starts.update(range(*near))
        return starts


def letters_of(word: str) -> str:
    """A word's letters and digits, in one form of Unicode.

    >>> letters_of("#ChicagoCubs!")
    'ChicagoCubs'
    """
    return "".join(
        char for char in unicodedata.normalize("NFKC", word) if char.isalnum() or unicodedata.category(char)[0] == "M"
    )


def neighbours(line: OcrText, other: OcrText) -> bool:
    """Whether two lines touch where the first is made larger by its height on all sides; without boxes they do."""
    if line.picture != other.picture:
        return False
    if line.box is None or other.box is None:
        return True
    (left, top, right, bottom), height = line.box, line.box[3] - line.box[1]
    return (
        other.box[0] <= right + height
        and other.box[2] >= left - height
        and other.box[1] <= bottom + height
        and other.box[3] >= top - height
    )
