"""Texts that a backend wrote, made fit for one line of a terminal and of a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from mner.types import Caption, OcrText

LONGEST = 1000
"""Characters of a caption or of a line of text that are kept; no model reads so many."""

_Entry = TypeVar("_Entry", Caption, OcrText)
_LEFT_OUT = {"Cc", "Cs", "Co", "Zl", "Zp"}


def clean(text: str, *, longest: int = LONGEST) -> str:
    """A text without control characters, in one line, of at most ``longest`` characters.

    >>> clean(" a dog" + chr(10) + chr(27) + "[31m on  a beach"), clean("long", longest=2)
    ('a dog [31m on a beach', 'lo')
    """
    visible = "".join(" " if unicodedata.category(char) in _LEFT_OUT else char for char in text)
    return " ".join(visible.split())[:longest].rstrip()


def cleaned(entries: Iterable[_Entry]) -> Iterator[_Entry]:
    """The entries, their texts made clean where need be; an entry without a text is left out."""
    for entry in entries:
        if not _fit(entry.text):
            entry = replace(entry, text=clean(entry.text))
        if entry.text.strip():
            yield entry


def _fit(text: str) -> bool:
    return len(text) <= LONGEST and not any(unicodedata.category(char) in _LEFT_OUT for char in text)
