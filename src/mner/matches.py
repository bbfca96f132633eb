"""An entity's words -> the texts in a picture that share words with it."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mner.types import Box, OcrText

MATCHED = 40
"""Words of an entity that are compared with the texts in a picture, from its first one on."""


@dataclass(frozen=True, slots=True)
class Match:
    """A text in the picture that shares words with an entity; ``whole`` if it holds all of the entity's words.

    ``picture`` says which of several pictures, from 0.
    """

    text: str
    box: Box | None
    whole: bool
    picture: int = 0


def matches(words: Sequence[str], texts: Sequence[OcrText]) -> tuple[Match, ...]:
    """Texts in a picture that share words with an entity, whatever their case and punctuation; the best ones first.

    A text matches by the words in a row that it shares with the entity, apart or run together ("NEW YORK" and
    "#newyork"), of which neighbouring lines may hold one half each. These are all of the entity's words, or all of the
    text's ("CLEVELAND" for "Cleveland Cavaliers"), or several that make at least half of the entity. Texts that share
    less than half of what the best one shares are left out.

    >>> matches(["New", "York"], [OcrText("york"), OcrText("NEWYORK 2016"), OcrText("Old York Road")])[0]
    Match(text='NEWYORK 2016', box=None, whole=True, picture=0)
    """
    wanted = [plain for word in words if (plain := _plain(word))][:MATCHED]
    length = len("".join(wanted))
    if length < 2:
        return ()
    runs: dict[str, int] = {}  # of the entity's words, run together -> how many they are
    for start in range(len(wanted)):
        for end in range(start + 1, len(wanted) + 1):
            run = "".join(wanted[start:end])
            runs[run] = max(runs.get(run, 0), end - start)
    lines = [[plain for word in re.split(r"\s+", text.text) if (plain := _plain(word))] for text in texts]
    shared: dict[int, tuple[int, bool]] = {}  # line -> the most that it shares, and whether that is the whole entity
    for covered, run in _shared(lines, texts, runs, length):
        for line, tokens in covered.items():
            whole = len(run) == length and len(covered) == 1
            entire = tokens == len(lines[line]) and len("".join(lines[line])) > 1
            if whole or entire or (runs[run] > 1 and 2 * len(run) >= length):
                shared[line] = max(shared.get(line, (0, False)), (len(run), whole))
    best = max(shared.values(), default=(0, False))[0]
    order = sorted(shared, key=lambda line: (-shared[line][0], not shared[line][1], line))
    best_lines = [line for line in order if 2 * shared[line][0] >= best]
    return tuple(Match(texts[line].text, texts[line].box, shared[line][1], texts[line].picture) for line in best_lines)


def _shared(
    lines: Sequence[Sequence[str]], texts: Sequence[OcrText], runs: Mapping[str, int], length: int
) -> Iterator[tuple[dict[int, int], str]]:
    """Each run of an entity's words in the lines: how many words of which line it takes, and the run."""
    tokens = [(line, word) for line, words in enumerate(lines) for word in words]
    for start in range(len(tokens)):
        run, covered = "", Counter[int]()
        for line, word in tokens[start:]:
            before = max(covered, default=line)
            run += word
            if len(run) > length or (line != before and not _neighbours(texts[before], texts[line])):
                break
            covered[line] += 1
            if run in runs:
                yield dict(covered), run


def _neighbours(line: OcrText, other: OcrText) -> bool:
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


def _plain(word: str) -> str:
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(char for char in folded if char.isalnum() or unicodedata.category(char)[0] == "M")
