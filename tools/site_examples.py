"""Show the examples of docstrings as code: for griffe, which takes only those of a section "Examples" for code."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\s*$).+)*", re.MULTILINE)
"""From a prompt to the next empty line."""


def fenced(text: str) -> str:
    r"""A docstring with its examples in fences.

    >>> fenced("Adds.\n\n>>> 1 + 1\n2").splitlines()[2:]
    ['```pycon', '>>> 1 + 1', '2', '```']
    """
    return EXAMPLE.sub(lambda match: f"```pycon\n{re.sub(r'  # doctest: .*', '', match[0])}\n```", text)


class Examples(griffe.Extension):
    """Fences the examples of every docstring that is read."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Fence those of one."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)
