"""A file -> the format and label scheme it is written in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import IO, Any, NamedTuple

from mner import plugins
from mner.data.lines import Lines, OnFault, printable
from mner.errors import DataError
from mner.tags import Scheme

FORMATS = "mner.data.formats"
SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".conll": "conll",
    ".bio": "conll",
    ".iob": "conll",
}
"""Formats by file name; the first lines decide when they know better."""

ANY_COLUMNS = "conll"
"""The format that accepts any line of two words or more."""

LONGEST_COLUMNS = 4
"""Columns of CoNLL-2003; lines of more words are hardly columns where few of them end with a tag."""

_TAG = re.compile(r"O|[A-Z]-\S+")


class Identity(NamedTuple):
    """The format of a file, and its label scheme where the format has several."""

    format: str
    scheme: Scheme | None


def identify(source: str | Path | IO[Any], *, format: str | None = None, on_fault: OnFault | None = None) -> Identity:
    r"""The format of a file by its first lines and name, and the scheme of its labels.

    >>> import io
    >>> identify(io.StringIO("Kevin B-PER\nLove I-PER\nwon O\n"))
    Identity(format='conll', scheme='IOB2')

    Args:
        source: A path, or an open stream, which is used up.
        format: The format, if it is known.
        on_fault: Called with (line, message) for a line that is not UTF-8; None raises.

    Raises:
        DataError: Nothing reads such a file; the message lists the formats.
    """
    lines = Lines(source, on_fault=on_fault)
    name = format or detect(lines)
    scheme_of = getattr(load(name), "scheme_of", None)
    return Identity(name, scheme_of(lines) if scheme_of is not None else None)


def detect(lines: Lines) -> str:
    """The name of a file's format, by its first lines or else its name.

    Raises:
        DataError: No format, or several, accept the lines.
    """
    head = [line for line in lines.head() if line.strip(" \t")]
    by_suffix = SUFFIXES.get(Path(lines.name).suffix.lower())
    claims = [name for name in plugins.names(FORMATS) if load(name).sniff(head)]
    if len(claims) > 1:  # any line of two words could be columns; another format that accepts it is surer
        claims = [name for name in claims if name != ANY_COLUMNS]
    if claims == [ANY_COLUMNS] and by_suffix is None and _prose(head):
        claims = []
    if len(claims) == 1:
        return claims[0]
    if by_suffix is not None and (by_suffix in claims or not claims):
        return by_suffix
    known = ", ".join(plugins.names(FORMATS))
    if not head:
        raise DataError(f"{lines.name}: no posts: the file is empty. Formats: {known}")
    raise DataError(
        f'{lines.name}: {" or ".join(claims) or "no format"} can read "{printable(head[0][:60])}". '
        f"Name the format: --format NAME, one of {known}"
        + ("" if claims else "; plain text, one post a line: --format text")
    )


def _prose(lines: Sequence[str]) -> bool:
    """Whether lines of words with spaces between them are text, not columns: few end with a tag, and they are long."""
    if any("\t" in line for line in lines):
        return False
    columns = [line.split() for line in lines]
    tagged = sum(_TAG.fullmatch(parts[-1]) is not None for parts in columns if parts)
    return not tagged or (2 * tagged <= len(columns) and max(map(len, columns)) > LONGEST_COLUMNS)


def load(name: str) -> ModuleType:
    """The module of a format, by its name or a dotted module name; an unknown one is a ``PluginError``."""
    return plugins.load(FORMATS, name)


def by_name(path: str | Path) -> str:
    """The format of a file to be written, by its suffix; a suffix that names no format is a ``DataError``."""
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(
            f'{path}: the suffix "{suffix}" names no format. Name it: --to NAME, one of '
            f"{', '.join(plugins.names(FORMATS))}; or end the file name with {', '.join(SUFFIXES)}"
        )
    return SUFFIXES[suffix]
