"""What the two column formats share: posts from words and tags, and what a column cannot hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mner.data.alignment import align, joined
from mner.data.lines import printable
from mner.data.pictures import SUFFIXES
from mner.errors import DataError
from mner.tags import Reading, Scheme, from_spans, parse, to_spans
from mner.types import Post

Losses = Counter[str]
"""What a format could not hold -> in how many posts."""


class Known:
    """The labels of a scheme that were seen, so that each is checked once."""

    def __init__(self, scheme: Scheme) -> None:
        self.scheme = scheme
        self._seen = {"O"}

    def problem(self, tag: str) -> str:
        """What is wrong with a label, "" if nothing."""
        if tag in self._seen:
            return ""
        try:
            parse(tag, scheme=self.scheme)
        except DataError as error:
            return str(error)
        self._seen.add(tag)
        return ""


def shown(line: str, limit: int = 40) -> str:
    """The beginning of a line, for a message."""
    return line if len(line) <= limit else f"{line[:limit]}..."


def post(
    words: Sequence[str],
    tags: Sequence[str],
    *,
    name: str,
    scheme: Scheme,
    labels: Reading,
    image: str | None,
    where: str,
    text: str | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Post:
    """A post of words with one tag each; its text is the given one where the words stand in it, else joined."""
    whole, offsets = joined(words)
    if text is not None and (found := align(text, words)) is not None:
        whole, offsets = text, found
    spans = to_spans(tags, scheme=scheme, labels=labels)
    return Post(name, whole, tuple(words), offsets, spans, image, where, extra or {})


def tags_of(post: Post, *, scheme: Scheme, format_name: str, first: str = "") -> list[str]:
    """One tag a word, after a check that lines of columns can hold the post.

    ``first`` is a word that the format cannot hold as a post's first.

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
    if first and post.words[:1] == (first,):
        raise DataError(f"{which}: its first word {first} marks a document in {format_name}. Write jsonl")
    for span in post.spans:
        if " " in span.label or "\r" in span.label or unfit(span.label):
            raise DataError(f"{which}: the label {span.label!r} cannot stand in a column. Write jsonl")
    if post.image is not None and (problem := unfit(post.image.replace("\r", "\n"))):
        raise DataError(f"{which}: the image {post.image!r} {problem}, which {format_name} cannot hold. Write jsonl")
    return from_spans(post.spans, len(post.words), scheme=scheme)


def unfit(value: str) -> str:
    """Why a value cannot stand in a column or header line, "" where it can."""
    if not value:
        return "is empty"
    if "\t" in value or "\n" in value:
        return "holds a TAB or a line end"
    if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
        return "holds half a surrogate pair, which is not Unicode text"
    return ""


def picture_of(written: str) -> str:
    """The picture an ``IMGID`` names: itself if it has a picture's suffix, else with ".jpg"."""
    return written if written.lower().endswith(SUFFIXES) else f"{written}.jpg"
