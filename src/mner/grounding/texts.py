"""An entity's words -> the lines of text in a picture that hold them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mner.types import Box, OcrText

MATCHED = 40
"""Words of an entity that are compared with the texts in a picture, from its first one on."""

PART = 0.4
"""Least share of an entity's letters that a line must hold to show part of it."""

LEAST = 0.85
"""Likeness of a misread name, at least."""

SHORT = 5
"""Letters of the shortest name that may be misread: of fewer, one letter makes another name."""


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


def matches(text: str, lines: Sequence[OcrText]) -> tuple[Match, ...]:
    """The lines of text, each by itself, that share words with an entity, the best first; they may have no box.

    >>> matches("New York", [OcrText("york"), OcrText("NEWYORK 2016"), OcrText("Old York Road")])
    (Match(text='NEWYORK 2016', box=None, whole=True, picture=0),)
    """
    whole = {
        line: entry.match != "part" and len(entry.lines) == 1
        for entry in shared(text, lines, least=LEAST)
        for line in entry.lines
    }
    return tuple(Match(lines[line].text, lines[line].box, each, lines[line].picture) for line, each in whole.items())


def shared(text: str, lines: Sequence[OcrText], *, least: float) -> list[Shared]:
    """The lines that hold an entity, the best first; those that hold part of it only where none holds all.

    Blanks and punctuation do not count, so "#ChicagoCubs" is "Chicago Cubs". Neighbouring lines may hold one half each.
    A line holds part of an entity if it is some of its words ("CLEVELAND" for "Cleveland Cavaliers"), or has several of
    its words in a row that make at least half of it.

    Args:
        text: The entity's text.
        lines: What was read.
        least: Likeness of a misread name, at least; 1 for the same letters alone.

    >>> shared("Chicago Cubs", [OcrText("GO"), OcrText("#chicagocubs")], least=0.85)
    [Shared(lines=(1,), match='case', likeness=1.0)]
    """
    words = [letters for word in text.split()[:MATCHED] if (letters := letters_of(word))]
    name = "".join(words)
    if len(name) < 2:
        return []
    runs = _runs([word.casefold() for word in words])
    tokens = [
        (number, letters)
        for number, line in enumerate(lines)
        for word in re.split(r"\s+", line.text)
        if (letters := letters_of(word))
    ]
    chosen: list[Shared] = []
    taken: set[int] = set()
    for entry, places in sorted(_candidates(name, runs, tokens, lines, least), key=_rank):
        if taken.isdisjoint(places):
            taken.update(places)
            chosen.append(entry)
    whole = [entry for entry in chosen if entry.match != "part"]
    best = whole or [entry for entry in chosen if 2 * entry.likeness >= chosen[0].likeness]
    return list({entry.lines: entry for entry in reversed(best)}.values())[::-1]  # a line that says it twice, once


def letters_of(word: str) -> str:
    """A word's letters and digits, in one form of Unicode.

    >>> letters_of("#ChicagoCubs!")
    'ChicagoCubs'
    """
    return "".join(
        char for char in unicodedata.normalize("NFKC", word) if char.isalnum() or unicodedata.category(char)[0] == "M"
    )


_Candidate = tuple[Shared, range]


def _rank(candidate: _Candidate) -> tuple[bool, float, bool, int, int]:
    entry, places = candidate
    return entry.match == "part", -entry.likeness, entry.match != "exact", len(entry.lines), places.start


def _runs(words: Sequence[str]) -> Mapping[str, int]:
    """The entity's words in a row, run together, and how many they are."""
    runs: dict[str, int] = {}
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            run = "".join(words[start:end])
            runs[run] = max(runs.get(run, 0), end - start)
    return runs


def _candidates(
    name: str, runs: Mapping[str, int], tokens: Sequence[tuple[int, str]], lines: Sequence[OcrText], least: float
) -> Iterator[_Candidate]:
    """Each run of words in the lines that is like the entity, and which words these are."""
    folded = name.casefold()
    starts = {at for at, (line, _) in enumerate(tokens) if at == 0 or tokens[at - 1][0] != line}
    for start, (first, _) in enumerate(tokens):
        written, previous, covered = "", first, [first]
        for end, (line, word) in enumerate(tokens[start:], start + 1):
            if line != previous:
                if not neighbours(lines[previous], lines[line]):
                    break
                covered.append(line)
                previous = line
            written += word
            run = written.casefold()
            if len(run) * least > len(folded):
                break
            entire = start in starts and (end == len(tokens) or end in starts)
            if (kind := _kind(name, folded, written, run, runs, entire, least)) is not None:
                yield Shared(tuple(covered), *kind), range(start, end)


def _kind(
    name: str, folded: str, written: str, run: str, runs: Mapping[str, int], entire: bool, least: float
) -> tuple[str, float] | None:
    if written == name:
        return "exact", 1.0
    if run == folded:
        return "case", 1.0
    if run in runs:
        share = len(run) / len(folded)
        part = (entire and len(run) > 1) or (runs[run] > 1 and share >= 0.5)
        return ("part", share) if part and share >= PART else None
    alike = likeness(folded, run, least) if least < 1 else 0.0
    return (f"fuzzy {alike:.2f}", alike) if alike else None


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
