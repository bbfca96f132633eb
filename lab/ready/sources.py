"""The data sets of the ready model, and the one annotation policy that all are read under: docs/reference/labels.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mner import data
from mner.data.alignment import joined
from mner.data.reading import rename
from mner.types import Post, Span

TYPES = ("PER", "LOC", "ORG", "MISC")
ARTICLE = "the"
POSSESSIVE = ("'s", "’s", "'S", "’S")
HANDLE = re.compile(r"\w+")
EVERY = 10
"""Of a data set without a dev split, every tenth post is kept from training and becomes one."""


@dataclass(frozen=True, slots=True)
class Source:
    """One data set: where its splits are, what its types mean, which of ours its annotators looked for.

    Attributes:
        files: Of each split, the files below the folder of data sets.
        format: As mner names it.
        rename: Type in the files -> our type.
        types: Types that were labelled; one that is not among them may be anywhere in its posts, unlabelled.
        held_out: Whether every tenth post of "train" is the dev split.
        glued_handles: Whether ``@ name`` is to be read as the handle ``@name``, which is no entity.
        as_published: Splits that are read as published, so that scores on them compare with those of others.
    """

    files: Mapping[str, Sequence[str]]
    format: str = "conll"
    rename: Mapping[str, str] = field(default_factory=dict)
    types: tuple[str, ...] = TYPES
    held_out: bool = False
    glued_handles: bool = False
    as_published: tuple[str, ...] = ()


TWITTER = {"format": "twitter", "rename": {"OTHER": "MISC"}, "as_published": ("dev", "test")}
SOURCES: dict[str, Source] = {
    **{
        name: Source({split: (f"{name}/{file}.txt",) for split, file in files.items()}, **TWITTER)  # type: ignore[arg-type]
        for name in ("twitter2015", "twitter2017")
        for files in [{"train": "train", "dev": "valid", "test": "test"}]
    },
    "wnut17": Source(
        {
            "train": ("wnut17/wnut17train.conll",),
            "dev": ("wnut17/emerging.dev.conll",),
            "test": ("wnut17/emerging.test.annotated",),
        },
        rename={
            "person": "PER",
            "location": "LOC",
            "corporation": "ORG",
            "group": "ORG",
            "product": "MISC",
            "creative-work": "MISC",
        },
    ),
    "btc": Source(
        {"train": tuple(f"btc/btc.{section}.conll" for section in "abeg")},
        types=("PER", "LOC", "ORG"),
        held_out=True,
        glued_handles=True,
    ),
}


def posts_of(folder: Path, name: str, split: str) -> list[Post]:
    """The posts of one split under the annotation policy; none where the data set has no such split or file."""
    source = SOURCES[name]
    origin = "train" if source.held_out and split == "dev" else split
    files = [folder / file for file in source.files.get(origin, ())]
    posts = [post for file in files if file.is_file() for post in data.read(file, format=source.format)]
    if source.held_out:
        posts = [post for number, post in enumerate(posts) if (number % EVERY == 0) is (split == "dev")]
    return [_read(post, source, split) for post in posts]


def _read(post: Post, source: Source, split: str) -> Post:
    post = rename(post, dict(source.rename))
    if split in source.as_published:
        return post
    if source.glued_handles:
        post = glue_handles(post)
    return replace(post, spans=tuple(_trimmed(post.words, post.spans or ())))


def _trimmed(words: Sequence[str], spans: Sequence[Span]) -> Iterator[Span]:
    """Spans without a leading "the", unless they are titles, and without a possessive ending of its own."""
    for span in spans:
        start, end = span.start, span.end
        if span.label != "MISC" and words[start].casefold() == ARTICLE:
            start += 1
        if words[end - 1] in POSSESSIVE:
            end -= 1
        if start < end:
            yield Span(start, end, span.label)


def glue_handles(post: Post) -> Post:
    """The post with each ``@ name`` written as the handle ``@name``, which is no entity.

    What is labelled as a place stays: there the sign is read as "at".

    >>> post = rebuilt(Post("hi @ bob in Rome", spans=(Span(1, 3, "PER"), Span(4, 5, "LOC"))))
    >>> glue_handles(post).words, glue_handles(post).spans
    (('hi', '@bob', 'in', 'Rome'), (Span(start=3, end=4, label='LOC'),))
    """
    spans = post.spans or ()
    places = {word for span in spans if span.label == "LOC" for word in range(span.start, span.end)}
    signs = [
        number
        for number, word in enumerate(post.words[:-1])
        if word == "@" and HANDLE.fullmatch(post.words[number + 1]) and number + 1 not in places
    ]
    return glue(post, signs, drop=True)


def glue(post: Post, signs: Sequence[int], *, drop: bool) -> Post:
    """The post with the words at ``signs`` joined to the words that follow them.

    Args:
        post: A labelled post.
        signs: Places of the words to join, no two of them neighbours.
        drop: Whether spans over a joined word go; else they begin with it.
    """
    if not signs:
        return post
    joins = set(signs)
    moved, words = [], list[str]()  # old place -> new place
    for number, word in enumerate(post.words):
        if number - 1 in joins:
            words[-1] += word
        else:
            words.append(word)
        moved.append(len(words) - 1)
    spans = []
    for span in post.spans or ():
        touched = any(number in joins or number - 1 in joins for number in range(span.start, span.end))
        if not (drop and touched):
            spans.append(Span(moved[span.start], moved[span.end - 1] + 1, span.label))
    return rebuilt(post, words, spans)


def rebuilt(post: Post, words: Sequence[str] | None = None, spans: Sequence[Span] | None = None) -> Post:
    """The post with other words, joined by one blank, and other spans."""
    words = post.words if words is None else tuple(words)
    text, offsets = joined(words)
    return replace(
        post,
        text=text,
        words=tuple(words),
        offsets=offsets,
        spans=tuple(sorted(post.spans or () if spans is None else spans)),
    )
