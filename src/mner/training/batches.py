"""Posts -> the steps and micro-batches of training; both views of a post always travel together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mner import tags
from mner.types import Post, ViewName
from mner.views import Array, Batch, Encoded, collate, pack


@dataclass(frozen=True, slots=True)
class Split:
    """A split made ready once: the posts with words, their views as token ids, their gold labels."""

    posts: Sequence[Post]
    views: Mapping[ViewName, Sequence[Encoded]]
    gold: Sequence[np.ndarray]  # label ids (word,), or (place,) where sub-tokens carry labels too
    arrays: Sequence[Array] = ()  # what the model declares

    def __len__(self) -> int:
        return len(self.posts)


def gold_ids(
    posts: Sequence[Post], labels: Sequence[str], encoded: Sequence[Encoded] | None = None
) -> list[np.ndarray]:
    """Label ids (word,) of each post's gold BIOES labels.

    Where sub-tokens carry labels too (``encoded`` has heads), ids (place,): PAD behind the first place of each word.
    """
    index = {label: number for number, label in enumerate(labels)}
    gold = [
        np.array([index[tag] for tag in tags.from_spans(post.spans or (), len(post.words), scheme="BIOES")], np.int64)
        for post in posts
    ]
    for row, one in enumerate(encoded or ()):
        if one.heads is not None:
            spread = np.full(one.words, index[tags.PAD], np.int64)
            spread[one.heads] = gold[row]
            gold[row] = spread
    return gold


def steps(posts: int, *, posts_per_step: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """The posts of each optimizer step of one pass, as indices; the order follows from seed and epoch alone.

    Where an epoch goes through the posts several times, each pass counts as an epoch here.
    """
    order = np.random.default_rng((seed, epoch)).permutation(posts)
    for start in range(0, posts, posts_per_step):
        yield order[start : start + posts_per_step]


def micro_batches(split: Split, members: Sequence[int], *, tokens: int) -> Iterator[list[int]]:
    """A step's posts cut into groups of like length whose sub-tokens, all views together, fit ``tokens``.

    One post that is longer than ``tokens`` makes a group of its own.
    """
    sizes = {post: sum(encoded[post].tokens for encoded in split.views.values()) for post in members}
    group: list[int] = []
    for post in sorted(members, key=lambda post: (sizes[post], post)):
        if group and sum(sizes[member] for member in group) + sizes[post] > tokens:
            yield group
            group = []
        group.append(post)
    if group:
        yield group


def gather(
    split: Split, members: Sequence[int], views: Sequence[ViewName], *, pad_id: int, packed: bool
) -> tuple[dict[ViewName, Batch], np.ndarray]:
    """The arrays of some posts in each view, and their gold label ids (post, word), 0 past a post's length."""
    encoded = {view: [split.views[view][post] for post in members] for view in views}
    if packed:
        batch = pack(encoded, pad_id=pad_id, arrays=split.arrays)
    else:
        batch = {view: collate(posts, pad_id=pad_id, arrays=split.arrays) for view, posts in encoded.items()}
    gold = np.zeros((len(members), max(len(split.gold[post]) for post in members)), np.int64)
    for row, post in enumerate(members):
        gold[row, : len(split.gold[post])] = split.gold[post]
    return batch, gold
