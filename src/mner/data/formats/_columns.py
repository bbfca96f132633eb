"""What the column formats share: checks of lines and labels that are read, and of posts that are written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from mner.data.lines import clipped, printable
from mner.errors import DataError
from mner.picture_files import SUFFIXES, UNDECODED, short_name
from mner.tags import Scheme, check_type, from_spans, parse, trimmed
from mner.types import Post

_GLUED = re.compile(r"(?:\t|^[^\t]* )(?:O|[BIES]-[^\s\ufeff]+)([\r\ufeff])")

Losses = Counter[str]
"""What a format could not hold -> in how many posts."""


class Known:
    """The labels of a scheme that have occurred, each checked once."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self._seen = {"O": ("O", "")}

    def tag(self, written: str) -> tuple[str, str]:
        """A label without invisible characters around it and its type, and what is wrong with it, or ""."""
        if written not in self._seen:
            try:
                self._seen[written] = self._read(trimmed(written)), ""
            except (DataError, ValueError) as error:
                return written, str(error)
        return self._seen[written]

    def _read(self, tag: str) -> str:
        letter, kind = parse(tag, scheme=self.scheme)
        if letter == "O":
            return tag
        try:
            kind = check_type(kind)
        except ValueError as error:
            raise DataError(f'label "{tag}": {error}') from None
        if " " in kind:
            raise DataError(f'label "{tag}" holds a space: several labels? One word has one label; choose one')
        return f"{letter}-{kind}"


def glued(line: str, *, inside: bool) -> str:
    r"""What is wrong with a line that contains the end of another, or ""; ``inside`` a post or before its first word.

    >>> glued("Anna\tB-PER\rBo\tB-PER", inside=False)
    'a carriage return follows a label: two lines in one? Give each its own line'
    """
    if "\r" not in line and "\ufeff" not in line:
        return ""
    if inside and line.startswith("\ufeff") and line[1:2] not in {"\t", " "}:
        return "a byte order mark inside a post: were two files joined? Put a blank line in its place"
    if end := _GLUED.search(line):
        what = "carriage return" if end[1] == "\r" else "byte order mark"
        return f"a {what} follows a label: two lines in one? Give each its own line"
    return ""


def missing(columns: Sequence[str], line: str) -> str:
    """What is wrong with a line that has no word or no label."""
    number = f"{len(columns)} column{'s' if len(columns) != 1 else ''}" if columns[0] else "no word"
    return f'expected "word<TAB>label", found {number} ("{clipped(line)}")'


def tags_of(post: Post, *, scheme: Scheme, format_name: str, reserved: str = "") -> list[str]:
    """One tag for each word, after a check that columns can hold the post; they cannot hold the word ``reserved``.

    Raises:
        DataError: The post has no labels, or a word, label or image a line cannot hold.
    """
    place = f"{post.where}: " if post.where else ""
    which = printable(f'{place}post "{post.id}"')
    if post.spans is None:
        raise DataError(
            f"{which} has no labels, and {format_name} cannot tell that from a post without entities. "
            "Write jsonl instead: mner data convert IN OUT.jsonl"
        )
    for at, word in enumerate(post.words):
        if problem := unfit(word):
            raise DataError(f"{which}: word {at} ({word!r}) {problem}, which {format_name} cannot hold. Write jsonl")
        if word == reserved:
            raise DataError(f"{which}: its word {word} marks a document in {format_name}. Write jsonl")
        if word.startswith("\ufeff"):
            raise DataError(f"{which}: word {at} ({word!r}) begins with a byte order mark. Write jsonl")
        if glued(word, inside=False):
            raise DataError(f"{which}: word {at} ({word!r}) would be read as two lines in one. Write jsonl")
    for span in post.spans:
        if " " in span.label or "\r" in span.label or unfit(span.label):
            raise DataError(f"{which}: a column cannot hold the label {span.label!r}. Write jsonl")
    if post.image is not None and (problem := unfit(post.image.replace("\r", "\n"))):
        raise DataError(
            f"{which}: the image {short_name(post.image)!r} {problem}, which {format_name} cannot hold. Write jsonl"
        )
    return from_spans(post.spans, len(post.words), scheme=scheme)


def unfit(value: str) -> str:
    """Why a column or a header line cannot hold a value, "" if it can."""
    if not value:
        return "is empty"
    if "\t" in value or "\n" in value:
        return "holds a TAB or a line end"
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        return "holds half a surrogate pair, which is not Unicode text"
    return ""


def picture_of(written: str) -> str:
    """The picture an ``IMGID`` names: itself if it has a picture's suffix, else with ".jpg"."""
    return written if written.lower().endswith((*SUFFIXES, *UNDECODED)) else f"{written}.jpg"
