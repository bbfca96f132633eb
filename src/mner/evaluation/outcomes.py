"""Predicted and gold entities -> one short word a post: found, missed and made up; and back to counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Any

import numpy as np

from mner.data import Stamp
from mner.errors import DataError
from mner.types import Post, Span

LETTERS = digits + ascii_letters
MISSED, SPURIOUS, NOTHING = "-", "+", "."


@dataclass(frozen=True, slots=True)
class Counts:
    """Entities of each post by label, as whole numbers.

    Attributes:
        labels: The labels, sorted.
        correct: (post, label) predicted entities that are gold.
        predicted: (post, label) predicted entities.
        gold: (post, label) gold entities.
    """

    labels: tuple[str, ...]
    correct: np.ndarray
    predicted: np.ndarray
    gold: np.ndarray


def outcomes(posts: Sequence[Post], predicted: Mapping[Any, Sequence[Sequence[Span]]], stamp: Stamp) -> dict[str, Any]:
    """What a run record keeps of a split's posts: its fingerprint, the labels, and one line of words for each view.

    A post's word has one letter for each gold entity, in order, with "-" before it if it was missed, then "+" and a
    letter for each wrong prediction; "." stands for a post with neither. A letter is the number of the
    entity's label. So ``0-3+1`` reads: the first entity found, the second missed, a third made up.

    >>> from mner.data import stamp
    >>> post = Post("1", "a b", ("a", "b"), ((0, 1), (2, 3)), (Span(0, 1, "LOC"), Span(1, 2, "PER")))
    >>> outcomes([post], {"T": [[Span(0, 1, "LOC"), Span(1, 2, "LOC")]]}, stamp([post]))["T"]
    '0-1+0'
    """
    gold = [sorted(set(post.spans or ())) for post in posts]
    guesses = [spans for of_view in predicted.values() for spans in of_view]
    labels = sorted({span.label for spans in (*gold, *guesses) for span in spans})
    letters = {label: letter(number) for number, label in enumerate(labels)}
    return {
        "fingerprint": stamp.fingerprint,
        "labels": labels,
        **{
            view: " ".join(_word(truth, guess, letters) for truth, guess in zip(gold, each, strict=True))
            for view, each in predicted.items()
        },
    }


def letter(number: int) -> str:
    """The letter of a label by its number: 0 to 9, a to z, A to Z, then letters beyond ASCII.

    >>> letter(0), letter(10), letter(61), letter(62)
    ('0', 'a', 'Z', 'Ā')
    """
    return LETTERS[number] if number < len(LETTERS) else chr(0x100 + number - len(LETTERS))


def counts(recorded: Mapping[str, Any], view: str) -> Counts:
    """The counts that a view's line of ``outcomes`` holds.

    Raises:
        DataError: The line has a letter that stands for no label.

    >>> counts({"labels": ["LOC", "PER"], "T": "0-1+0 . 1"}, "T").gold.tolist()
    [[1, 1], [0, 0], [0, 1]]
    """
    line = np.frombuffer(recorded[view].encode("utf-32-le"), dtype=np.uint32)
    before = np.concatenate(([ord(" ")], line[:-1])) if len(line) else line
    post = np.cumsum(line == ord(" "))
    size = int(post[-1]) + 1 if len(line) else 0
    labels = tuple(recorded["labels"])
    tables = {name: np.zeros((size, len(labels)), dtype=np.int64) for name in ("correct", "predicted", "gold")}
    known = np.isin(line, [ord(sign) for sign in (" ", MISSED, SPURIOUS, NOTHING)])
    for number in range(len(labels)):
        here = line == ord(letter(number))
        known |= here
        missed, spurious = before == ord(MISSED), before == ord(SPURIOUS)
        for name, other in (("correct", missed | spurious), ("predicted", missed), ("gold", spurious)):
            tables[name][:, number] = np.bincount(post[here & ~other], minlength=size)
    if not known.all():
        raise DataError(
            f'outcomes of view {view}: "{chr(line[~known][0])}" stands for no label: there are {len(labels)}'
        )
    return Counts(labels, **tables)


def _word(gold: Sequence[Span], predicted: Iterable[Span], letters: Mapping[str, str]) -> str:
    guess = set(predicted)
    signs = [letters[span.label] if span in guess else MISSED + letters[span.label] for span in gold]
    signs += [SPURIOUS + letters[span.label] for span in sorted(guess.difference(gold))]
    return "".join(signs) or NOTHING
