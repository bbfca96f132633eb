"""Plain text: one post a line, without labels. It is read only where it is named (``--format text``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TextIO

from mner.data.formats._columns import Losses, unfit
from mner.data.lines import OnFault, printable
from mner.errors import DataError
from mner.tags import Reading, Scheme
from mner.types import Post
from mner.words import split


def sniff(lines: Sequence[str]) -> bool:
    """False: any file could be plain text."""
    return False


def read(
    lines: Iterable[str], *, name: str, labels: Reading | Literal[False] = "repair", on_fault: OnFault | None = None
) -> Iterator[Post]:
    """The posts, one a line that is not blank; none has labels.

    Args:
        lines: Without their line feed.
        name: The file, for messages.
        labels: Without effect.
        on_fault: Without effect.
    """
    count = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            count += 1
            words, offsets = split(line)
            yield Post(str(count), line, words, offsets, None, None, f"{name}:{number}")


def write(posts: Iterable[Post], stream: TextIO, *, scheme: Scheme = "IOB2", losses: Losses | None = None) -> int:
    """The number of posts written; all but the text is lost. ``scheme`` has no effect.

    Raises:
        DataError: A text is blank, has several lines, or characters that a file of text does not have.
    """
    lost = losses if losses is not None else Losses()
    count = 0
    for count, post in enumerate(posts, 1):
        if problem := _unfit(post.text):
            place = printable(f'{post.where or "post"}: "{post.id}"')
            raise DataError(f"{place}: its text {problem}, which a line of plain text cannot hold. Write jsonl")
        lost["words"] += split(post.text) != (post.words, post.offsets)
        lost["id"] += post.id != str(count)
        lost["labels"] += post.spans is not None
        lost["picture"] += bool(post.image)
        lost["extra keys"] += bool(post.extra)
        stream.write(post.text + "\n")
    return count


def _unfit(text: str) -> str:
    if not text.strip():
        return "is blank"
    if re.search("[\r\n]", text):
        return "has a line end"
    if text.startswith("\ufeff") or "\0" in text:
        return "has a byte order mark or a NUL"
    return unfit(text.replace("\t", " "))
