"""Posts -> what they are, told from their content: a fingerprint and counts."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from mner.types import Post

_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif")
"""What a fingerprint leaves out of a picture's name; a longer list would change fingerprints."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a split is.

    Attributes:
        fingerprint: 12 hexadecimal digits of the SHA-256 over words, entities and pictures, in order.
        posts: Number of posts.
        words: Number of words.
        entities: Number of entities.
        labels: Entities by type, types sorted.
    """

    fingerprint: str
    posts: int
    words: int
    entities: int
    labels: Mapping[str, int]


class Stamper:
    """The stamp of posts that pass by one after the other."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._posts = self._words = 0
        self._labels: Counter[str] = Counter()

    def add(self, post: Post) -> Post:
        """The same post, now counted."""
        spans = None if post.spans is None else [(span.start, span.end, span.label) for span in post.spans]
        # ASCII JSON: one text for one content, whatever characters (or halves of them) the words hold.
        self._hash.update(json.dumps([_picture(post.image), post.words, spans]).encode() + b"\n")
        self._posts += 1
        self._words += len(post.words)
        self._labels.update(span.label for span in post.spans or ())
        return post

    def stamp(self) -> Stamp:
        """The stamp of what has passed."""
        labels = dict(sorted(self._labels.items()))
        return Stamp(self._hash.hexdigest()[:12], self._posts, self._words, sum(labels.values()), labels)


def stamp(posts: Iterable[Post]) -> Stamp:
    """The stamp of posts: the same for the same words, entities and pictures in the same order.

    The format, the file's place, ids, the text between words and the folder and suffix of pictures have no part
    in it.

    >>> stamp([]).fingerprint
    'e3b0c44298fc'
    """
    stamper = Stamper()
    for post in posts:
        stamper.add(post)
    return stamper.stamp()


def _picture(image: str | None) -> str | None:
    if image is None:
        return None
    name = PurePosixPath(image.replace("\\", "/")).name
    stem, dot, suffix = name.rpartition(".")
    return stem if f"{dot}{suffix}".lower() in _SUFFIXES and stem else name
