"""The lines of a column file -> which column is the word and which the label, where that is certain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mner.data.lines import OnFault
from mner.tags import trimmed

DOCUMENT = "-DOCSTART-"
"""The word of a line that separates documents."""

HOW = 'Name the columns in the first line, such as "# global.columns = ID FORM POS NER"'
"""How a file names its columns, as in CoNLL-U Plus."""

HEADER = "global.columns"
_HEADER = re.compile(rf"# ?{re.escape(HEADER)} = (.*)")
_NUMBER = re.compile(r"(\d{1,9})([-.]\d+)?")
_TAG = re.compile(r"O|[BIESLU]-\S.*")
_KEYS = ("ner", "name", "namedentity", "ne", "entity")
_WORD_NAMES = {"form", "word", "token", "text"}
_LABEL_NAMES = {"ner", "label", "labels", "tag", "tags", "ne", "ner_tags", "ner_tag", "iob", "bio"}
_MISC = 10
_ENOUGH = 200
"""Lines after which it is certain that most do not begin with a number."""


class Layout(NamedTuple):
    """The columns of the word and the label; a label of -1 is in the last column.

    ``numbered``: the first column counts the words, from ``first`` in each post. ``key``: the label is the value of
    this key in its column, as in the MISC column of CoNLL-U (``SpaceAfter=No|NER=B-PER``).
    """

    word: int = 0
    label: int = -1
    numbered: bool = False
    first: str = ""
    key: str = ""

    def of(self, parts: Sequence[str]) -> tuple[str, str, list[str]]:
        """Word, label and the other columns; the word is "" if there are too few columns."""
        place = self.label if self.label >= 0 else len(parts) - 1
        if not self.word < place < len(parts):
            return "", parts[-1], []
        others = [part for at, part in enumerate(parts) if at not in {self.word, place} and (at or not self.numbered)]
        if not self.key:
            return parts[self.word], parts[place], others
        return parts[self.word], _values(parts[place]).get(self.key, "O"), [*others, parts[place]]

    def skips(self, parts: Sequence[str]) -> bool:
        """Whether a line of a numbered file is not a word but a comment, a range (1-2) or an empty node (1.1)."""
        if not self.numbered:
            return False
        number = _NUMBER.fullmatch(parts[0])
        return parts[0].startswith("#") or bool(number and number[2])

    def restarts(self, parts: Sequence[str]) -> bool:
        """Whether a line of a numbered file is the first of a post, blank line or not."""
        return parts[0] == self.first


def find(rows: Iterable[tuple[int, list[str]]], *, on_fault: OnFault, labelled: bool = True) -> Layout | None:
    """The layout of a file, given the number and the columns of each line; None if uncertain, after ``on_fault``.

    The word is first and the label last. If the first column counts the words, the word is second. A line
    ``# global.columns = ID FORM NER`` states the layout. ``labelled``: whether labels are read, so that their column
    matters.
    """
    counted, plain = _Counted(), Counter[int]()
    first = 0
    begins = True
    for number, parts in rows:
        if not parts or parts[0] == DOCUMENT:
            begins = True
        elif header := _HEADER.fullmatch(" ".join(parts)):
            return _named(header[1].split(), number, on_fault)
        elif not (begins and parts[0].startswith("#")):
            written = _NUMBER.fullmatch(parts[0]) if len(parts) > 2 else None
            if written is None:
                plain[len(parts)] += 1
            elif not written[2]:
                first = first or number
                counted.add(int(written[1]), parts, begins=begins)
            begins = begins and written is not None and bool(written[2])
            if counted.lines + plain.total() == _ENOUGH and counted.lines < plain.total():
                break
    # A line that lacks its number is not as wide as others; where the width is the same, numbers are words.
    if not counted.lines or plain[counted.width] > 0.1 * counted.lines or plain.total() > counted.lines:
        return Layout()
    if counted.lines == 1 or counted.ordered < 0.9 * counted.lines:
        if plain.total() > 0.1 * counted.lines or (counted.lines == 1 and not counted.ordered):
            return Layout()
        on_fault(first, f"the first column holds numbers alone; does it count the words? {HOW}")
        return None
    if not labelled:
        return Layout(word=1, numbered=True, first=str(counted.first))
    return _numbered(counted, line=first, on_fault=on_fault)


def resembles_index(words: Sequence[str]) -> bool:
    """Whether the words of a post, in several columns, could be taken for an index."""
    numbers = sum(_NUMBER.fullmatch(word) is not None for word in words)
    return 0 < 2 * numbers >= sum(not word.startswith("#") for word in words)


class _Counted:
    """Counts of lines that begin with a number: how many are in order, and what their last columns hold."""

    def __init__(self) -> None:
        self.lines = self.ordered = 0
        self.widths: Counter[int] = Counter()
        self.types: tuple[set[str], set[str]] = (set(), set())
        self.values: dict[str, set[str]] = {}
        self.first = -1
        self._before = -1

    @property
    def width(self) -> int:
        """The number of columns that most of the lines have."""
        return self.widths.most_common(1)[0][0]

    def add(self, count: int, parts: Sequence[str], *, begins: bool) -> None:
        """Count a line."""
        self.lines += 1
        self.widths[len(parts)] += 1
        restarts = count in {0, 1} and (begins or count < self._before)
        self.ordered += restarts or count == self._before + 1 > 0
        self.first = count if self.first < 0 else min(self.first, count)
        self._before = count
        for column, types in zip((-1, -2), self.types, strict=True):
            if _TAG.fullmatch(tag := trimmed(parts[column])):
                types.add(tag[2:] or "O")
        for key, value in _values(parts[-1]).items():
            if key in _KEYS:
                self.values.setdefault(key, set()).add(value)


def _numbered(counted: _Counted, *, line: int, on_fault: OnFault) -> Layout | None:
    """The layout of a file whose first column counts the words: the word is the second."""
    types, beside = counted.types
    if types:
        if beside - {"O"} and (types & beside - {"O"} or types == {"O"}):
            on_fault(line, f"the last two columns both hold labels; which is meant? {HOW}")
            return None
        return Layout(word=1, numbered=True, first=str(counted.first))
    values = counted.values
    keys = [key for key in _KEYS if key in values]
    key = next((key for key in keys if all(map(_TAG.fullmatch, values[key]))), "")
    if not key and counted.width == _MISC:
        said = f"{keys[0]}={min(values[keys[0]])}" if keys else "nothing of entities"
        on_fault(line, f"CoNLL-U, whose last column says {said}; expected a label such as B-PER, or NER=B-PER. {HOW}")
        return None
    return Layout(word=1, numbered=True, first=str(counted.first), key=key)


def _named(names: Sequence[str], line: int, on_fault: OnFault) -> Layout | None:
    """The layout that a first line gives."""
    plain = [name.rpartition(":")[2].casefold() for name in names]
    word = next((at for at, name in enumerate(plain) if name in _WORD_NAMES), None)
    label = next((at for at, name in enumerate(plain) if name in _LABEL_NAMES), None)
    if word is None or label is None or label < word:
        on_fault(line, f"expected a column FORM and after it a column NER, found {' '.join(names)}")
        return None
    return Layout(word, -1 if label == len(names) - 1 else label, plain[0] in {"id", "index"} and word > 0)


def _values(misc: str) -> dict[str, str]:
    """The pairs of a MISC column, keys in lower case."""
    if "=" not in misc:
        return {}
    pairs = (pair.partition("=") for pair in misc.split("|"))
    return {key.strip().casefold(): value.strip() for key, _, value in pairs}
