"""Plain text: one post a line, without labels. It is read only where it is named (``--format text``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from mner.data.formats._columns import Losses, unfit
from mner.data.lines import OnFault, printable
from mner.errors import DataError
from mner.tags import Labels, Scheme
from mner.types import Post
from mner.words import split


def sniff(lines: Sequence[str]) -> bool:
    """False: any file could be plain text."""
    return False


def read(lines: Iterable[str], *, name: str, labels: Labels, on_fault: OnFault) -> Iterator[Post]:
    """The posts, one for each line that is not blank, without labels."""
    count = 0
    for number, line in enumerate(lines, 1):
        if line.strip():
            count += 1
            words, offsets = split(line)
            yield Post(str(count), line, words, offsets, None, None, f"{name}:{number}")


def write(posts: Iterable[Post], stream: TextIO, *, scheme: Scheme, losses: Losses) -> None:
    """Write the texts of posts; all else is lost.

    Raises:
        DataError: A text is blank, has several lines, or characters that a file of text does not have.
    """
    for count, post in enumerate(posts, 1):
        if problem := _unfit(post.text):
            place = printable(f'{post.where or "post"}: "{post.id}"')
            raise DataError(f"{place}: its text {problem}, which a line of plain text cannot hold. Write jsonl")
        losses["words"] += split(post.text) != (post.words, post.offsets)
        losses["id"] += post.id != str(count)
        losses["labels"] += post.spans is not None
        losses["picture"] += bool(post.image)
        losses["extra keys"] += bool(post.extra)
        stream.write(post.text + "\n")


def _unfit(text: str) -> str:
    if not text.strip():
        return "is blank"
    if re.search("[\r\n]", text):
        return "has a line end"
    if text.startswith("\ufeff") or "\0" in text:
        return "has a byte order mark or a NUL"
    return unfit(text.replace("\t", " "))
