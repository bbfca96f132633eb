"""Foreign text made safe to show: in a terminal, Markdown, an error message, or where offsets must not change."""

from __future__ import annotations

import re

# C0 and C1 controls steer terminals, halves of surrogate pairs are not UTF-8, and the rest reverse the writing.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def for_terminal(text: str) -> str:
    r"""The text with every character that could steer a terminal written as an escape; line feeds and TABs stay.

    In a line of JSON the escape stands for the same character, so such a line keeps its meaning.

    >>> for_terminal("a\x1b[31mb\n")
    'a\\u001b[31mb\n'
    """
    return _UNFIT.sub(lambda char: f"\\u{ord(char[0]):04x}", text)


def shown(text: str) -> str:
    r"""The text with each such character replaced by U+FFFD, so that offsets into it stay right.

    >>> shown("a\x1b[31mb\ud800")
    'a�[31mb�'
    """
    return _UNFIT.sub("\ufffd", text)


def printable(text: str) -> str:
    r"""The text with each character that shows nothing, or could steer a terminal, written as an escape.

    >>> printable("a\xa0b\x1b[2J")
    'a\\xa0b\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def clipped(text: str, limit: int = 40) -> str:
    """The beginning of a line or a value, for a message."""
    return text if len(text) <= limit else f"{text[:limit]}..."


def excerpt(value: object) -> str:
    """A value that is not what was expected, for a message: however long it is, its beginning."""
    return clipped(repr(value), 80)


def for_markdown(text: str) -> str:
    r"""One line of Markdown in which the text can begin no HTML and make no link or picture.

    >>> for_markdown("a <script> and\n[b](c)"), for_markdown("f < 5")
    ('a &lt;script> and [b]\\(c)', 'f < 5')
    """
    line = " ".join(shown(text).split())
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", line).replace("](", "]\\(")
