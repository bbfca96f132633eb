"""The lines of a file, none of them without an end: a device gives one that fills the memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import count
from typing import Any

from mner.errors import DataError

LONGEST = 2**29
"""Bytes or characters of a line, at most; a file of carriage returns alone is one line at first."""


def bounded(stream: Any, name: str) -> Iterator[Any]:
    """The lines of an open file, or of anything else that gives lines, which is taken as it is.

    Raises:
        DataError: A line of a file is longer than ``LONGEST``, or the file cannot be read.
    """
    if not isinstance(stream, io.BufferedReader | io.TextIOWrapper):
        yield from stream
        return
    for number in count(1):
        try:
            line = stream.readline(LONGEST + 1)
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror or error}") from None
        if not line:
            return
        if len(line) > LONGEST:
            raise DataError(f"{name}:{number}: a line of more than {LONGEST:,} bytes, which no such file has")
        yield line
