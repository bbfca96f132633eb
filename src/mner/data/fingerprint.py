"""Posts -> what they are, by their content alone: a fingerprint, and the numbers that describe them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

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
        more = [[_picture(image) for image in post.more_images]] if post.more_images else []
        self._hash.update(json.dumps([_picture(post.image), post.words, spans, *more]).encode() + b"\n")
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

    Format, file name, ids, the text between words, and the folder and suffix of pictures do not matter.

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


@dataclass(frozen=True, slots=True)
class Statistics:
    """The numbers of one file or split.

    Attributes:
        stamp: Fingerprint, posts, words, entities, and entities by type.
        strict: Entities if only a B- begins one; None where that was not counted.
        labelled: Posts with labels.
        with_entity: Posts with at least one entity.
        with_image: Posts with a picture.
        images: Different pictures.
        longest: Most words in one post.
        longest_id: The id of that post; "" without posts.
        entity_lengths: Number of words of an entity -> how many are that long.
    """

    stamp: Stamp
    strict: int | None
    labelled: int
    with_entity: int
    with_image: int
    images: int
    longest: int
    longest_id: str
    entity_lengths: Mapping[int, int]

    @property
    def mean_words(self) -> float:
        """Words a post; 0 without posts."""
        return self.stamp.words / self.stamp.posts if self.stamp.posts else 0.0

    @property
    def image_share(self) -> float:
        """The share of posts with a picture, 0 to 1."""
        return self.with_image / self.stamp.posts if self.stamp.posts else 0.0

    def to_dict(self) -> dict[str, Any]:
        """The numbers as a JSON object, shares and means included."""
        table = asdict(self)
        return {**table.pop("stamp"), **table, "mean_words": self.mean_words, "image_share": self.image_share}


def statistics(posts: Iterable[Post], *, strict: Iterable[Post] | None = None) -> Statistics:
    """The numbers of posts, in one pass; ``strict`` are the same posts read with ``labels="strict"``.

    >>> from mner.types import Post
    >>> statistics([Post("1", "a b", ("a", "b"), ((0, 1), (2, 3)))]).mean_words
    2.0
    """
    stamper = Stamper()
    labelled = with_entity = with_image = 0
    longest, longest_id = -1, ""
    images: set[str] = set()
    lengths: Counter[int] = Counter()
    for post in posts:
        stamper.add(post)
        labelled += post.spans is not None
        with_entity += bool(post.spans)
        if post.image is not None:
            with_image += 1
            images.update(post.images)
        if len(post.words) > longest:
            longest, longest_id = len(post.words), post.id
        lengths.update(span.end - span.start for span in post.spans or ())
    return Statistics(
        stamp=stamper.stamp(),
        strict=None if strict is None else sum(len(post.spans or ()) for post in strict),
        labelled=labelled,
        with_entity=with_entity,
        with_image=with_image,
        images=len(images),
        longest=max(longest, 0),
        longest_id=longest_id,
        entity_lengths=dict(sorted(lengths.items())),
    )
