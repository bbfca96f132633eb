"""What OCR might have read in the picture of a post: at times the post's own words, at times other posts', with faults.

How often a name or another word of the post is repeated is taken from lab/ready/overlap.json. Names are repeated more
often than other words, but of all that is repeated most are other words, as in real pictures: a model must weigh what
is read, it cannot simply trust it. The words of labelled names are looked up for this, so it is for training posts
alone; a dev post simulated in this way would give its labels away.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.ready.overlap import FILE, content
from lab.simulate import LINES, line_of_posters
from mner.types import Post

CONFUSED = {
    "o": "0", "0": "O", "l": "1", "i": "l", "1": "I", "s": "5", "e": "c", "c": "e", "a": "o", "u": "v", "v": "y",
    "n": "r", "m": "rn", "b": "6", "g": "9", "z": "2", "t": "f", "h": "n", "B": "8", "G": "6", "I": "l", "O": "0",
    "S": "5", "Z": "2", "D": "O", "E": "F", "T": "I", "W": "VV", "Q": "O",
}  # fmt: skip
"""Letters and what OCR takes them for."""
OTHER_POST = 0.4
"""Chance that a line that does not repeat the post is a stretch of another one: news, quotes and other names."""
ALONE = 0.6
"""Chance that repeated words make a line by themselves; else they stand in a longer one."""
SPLIT = 0.3
"""Chance that a name of several words is broken over two lines."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Chances, each of a word or a line, that simulated text has a property."""

    entity: float
    entity_in_part: float
    other: float
    glued: float
    garbled: float
    upper: float


def read_rates(file: Path = FILE) -> Rates:
    """What was estimated: repeats from the many quotations, letters' case from the few real readings.

    The captioner that was quoted writes text in sentence case, whatever the picture shows; real OCR does not.
    """
    estimates = json.loads(file.read_text(encoding="utf-8"))
    quoted, read = estimates["quotations"]["rates"], estimates["pictures"]["rates"]
    repeats = {name: quoted[name] for name in ("entity", "entity_in_part", "other", "glued", "garbled")}
    return Rates(**repeats, upper=read["upper"])


def writer(posts: Mapping[str, Post], rates: Rates) -> Callable[[str, random.Random], list[str]]:
    """Picture and dice -> the lines that are read in it, for ``lab.simulate.simulate``.

    Args:
        posts: Training posts by their picture; of them are also the other posts whose words are read.
        rates: See ``read_rates``.
    """
    others = [post.words for _, post in sorted(posts.items()) if len(post.words) > 3]

    def lines(image: str, dice: random.Random) -> list[str]:
        post = posts.get(image)
        repeated = [] if post is None else repeats(post, rates, dice)
        further = [_unrelated(others, dice) for _ in range(dice.choice(LINES))]
        for piece in repeated:
            if further and dice.random() >= ALONE:
                at = dice.randrange(len(further))
                further[at] = " ".join(dice.sample([further[at], piece], 2))
            elif " " in piece and dice.random() < SPLIT:
                further += piece.split(" ", 1)
            else:
                further.append(piece)
        if repeated and dice.random() < 0.5:  # short pictures are common: the repeated words and little else
            further = further[-(len(repeated) + 1) :]
        dice.shuffle(further)
        return [_misread(line, rates, dice) for line in further]

    return lines


def repeats(post: Post, rates: Rates, dice: random.Random) -> list[str]:
    """Stretches of a post that its picture repeats: names whole or in part, and other words."""
    pieces, inside = [], set[int]()
    for span in post.spans or ():
        inside |= set(range(span.start, span.end))
        words = [word.lstrip("#@") for word in post.words[span.start : span.end]]
        chance = dice.random()
        if chance < rates.entity:
            pieces.append(" ".join(words))
        elif chance < rates.entity + rates.entity_in_part:
            pieces.append(dice.choice(words))
    at = 0
    for number, word in enumerate(post.words):
        if number < at or number in inside or not content([word]) or dice.random() >= rates.other:
            continue
        at = number + dice.choice((1, 1, 2))
        stretch = [post.words[place] for place in range(number, min(at, len(post.words))) if place not in inside]
        pieces.append(" ".join(word.lstrip("#") for word in stretch))
    return [piece for piece in pieces if piece]


def _unrelated(others: Sequence[Sequence[str]], dice: random.Random) -> str:
    if not others or dice.random() >= OTHER_POST:
        return line_of_posters(dice)
    words = dice.choice(others)
    start = dice.randrange(len(words))
    stretch = [word for word in words[start : start + dice.randint(1, 4)] if not word.startswith("http")]
    return " ".join(stretch) or line_of_posters(dice)


def _misread(line: str, rates: Rates, dice: random.Random) -> str:
    """The line as OCR returns it: upper case, blanks lost, letters taken for others."""
    if dice.random() < rates.upper:
        line = line.upper()
    words = [_garbled(word, dice) if dice.random() < rates.garbled else word for word in line.split()]
    return ("" if dice.random() < rates.glued else " ").join(words)


def _garbled(word: str, dice: random.Random) -> str:
    """One letter taken for another, lost, or cut off with all that follows it."""
    at = dice.randrange(len(word))
    fault = dice.random()
    if fault < 0.6:
        return word[:at] + CONFUSED.get(word[at], CONFUSED.get(word[at].lower(), "")) + word[at + 1 :]
    return word[:at] + word[at + 1 :] if fault < 0.85 else word[: max(at, 1)]
