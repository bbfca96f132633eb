"""Posts -> the numbers that describe them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mner.data.fingerprint import Stamp, Stamper
from mner.types import Post


@dataclass(frozen=True, slots=True)
class Statistics:
    """The numbers of one file or split.

    Attributes:
        stamp: Fingerprint, posts, words, entities, and entities by type.
        strict: Entities if only a B- begins one; None where that was not counted.
        labelled: Posts that carry labels.
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
    """The numbers of posts, in one pass.

    Args:
        posts: The posts; their entities are counted as they were read.
        strict: The same posts read with ``labels="strict"``, to count those entities beside.

    >>> from mner.types import Post
    >>> statistics([Post("1", "a b", ("a", "b"), ((0, 1), (2, 3)))]).mean_words
    2.0
    """
    stamper = Stamper()
    labelled = with_entity = with_image = 0
    longest, longest_id = 0, ""
    images: set[str] = set()
    lengths: Counter[int] = Counter()
    for post in posts:
        stamper.add(post)
        labelled += post.spans is not None
        with_entity += bool(post.spans)
        if post.image is not None:
            with_image += 1
            images.add(post.image)
        if len(post.words) > longest or not longest_id:
            longest, longest_id = len(post.words), post.id
        lengths.update(span.end - span.start for span in post.spans or ())
    return Statistics(
        stamp=stamper.stamp(),
        strict=None if strict is None else sum(len(post.spans or ()) for post in strict),
        labelled=labelled,
        with_entity=with_entity,
        with_image=with_image,
        images=len(images),
        longest=longest,
        longest_id=longest_id,
        entity_lengths=dict(sorted(lengths.items())),
    )
