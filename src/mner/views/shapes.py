"""How a sub-token is written in the post: what an uncased tokenizer throws away."""

from __future__ import annotations

SHAPES = ("none", "lower", "upper", "title", "single", "mixed", "digit", "symbol", "uncased")
"""Classes of writing, by their id.

none: padding and special tokens. lower, upper (two letters or more), title (first letter upper, the rest lower),
single (one upper-case letter), mixed: decided by the letters alone, digits between them do not matter.
digit, symbol: no letter. uncased: letters of a script without case.
"""

_NONE, _LOWER, _UPPER, _TITLE, _SINGLE, _MIXED, _DIGIT, _SYMBOL, _UNCASED = range(len(SHAPES))


def shape(text: str) -> int:
    """The id in ``SHAPES`` of a stretch of text as the post writes it.

    >>> [SHAPES[shape(text)] for text in ("love", "NBA", "Kevin", "B2", "iPhone", "2016", "#", "猫", "")]
    ['lower', 'upper', 'title', 'single', 'mixed', 'digit', 'symbol', 'uncased', 'none']
    """
    if text.islower():  # the common case; also true beside digits
        return _LOWER
    if not text:
        return _NONE
    letters = [letter for letter in text if letter.isupper() or letter.islower() or letter.istitle()]
    if letters:
        rest_lower = all(letter.islower() for letter in letters[1:])
        if len(letters) == 1:
            return _SINGLE
        if rest_lower and not letters[0].islower():
            return _TITLE
        return _UPPER if text.isupper() else _MIXED
    if any(letter.isalpha() for letter in text):
        return _UNCASED
    return _DIGIT if any(letter.isdigit() for letter in text) else _SYMBOL
