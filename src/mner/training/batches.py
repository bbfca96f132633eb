"""Posts -> the steps and micro-batches of training; both views of a post always travel together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from mner import tags
from mner.config import TrainingConfig
from mner.types import Post, ViewName
from mner.views import Array, Batch, Encoded, Task, collate, pack


@dataclass(frozen=True, slots=True)
class Split:
    """A split made ready once: the posts with words, their views as token ids, their gold labels."""

    posts: Sequence[Post]
    views: Mapping[ViewName, Sequence[Encoded]]
    gold: Sequence[np.ndarray] | np.ndarray  # label ids (word,) or (place,) of each post; of a further task (post,)
    arrays: Sequence[Array] = ()  # what the model declares
    taught: Mapping[ViewName, Sequence[np.ndarray]] = field(default_factory=dict)  # teachers' log-posteriors by view

    def __len__(self) -> int:
        return len(self.posts)


def gold_ids(
    posts: Sequence[Post], labels: Sequence[str], encoded: Sequence[Encoded] | None = None
) -> list[np.ndarray]:
    """Label ids (word,) of each post's gold BIOES labels.

    Where sub-tokens carry labels too (``encoded`` has heads), ids (place,): PAD after the first place of each word.
    """
    index = {label: number for number, label in enumerate(labels)}
    gold = [
        np.array([index[tag] for tag in tags.from_spans(post.spans or (), len(post.words), scheme="BIOES")], np.int64)
        for post in posts
    ]
    for row, post in enumerate(encoded or ()):
        if post.heads is not None:
            spread = np.full(post.words, index[tags.PAD], np.int64)
            spread[post.heads] = gold[row]
            gold[row] = spread
    return gold


@dataclass(frozen=True, slots=True)
class Pass:
    """Once through the posts of one task."""

    epoch: int  # from 1; 0 before the first
    task: Task | None  # None: recognising entities
    split: Split
    turn: int  # earlier passes of this task
    steps: int
    last: bool  # of its epoch


def plan(split: Split, further: Mapping[Task, Split], settings: TrainingConfig) -> list[Pass]:
    """The passes of a whole training, in order: in each epoch the further tasks, then ``training.passes`` of NER."""
    turns: Counter[Task | None] = Counter()
    passes: list[Pass] = []

    def add(epoch: int, task: Task | None, posts: Split, times: int) -> None:
        for time in range(times):
            last = task is None and time == times - 1
            passes.append(Pass(epoch, task, posts, turns[task], -(-len(posts) // settings.posts_per_step), last))
            turns[task] += 1

    for epoch in range(settings.epochs + 1):
        for task, posts in further.items():
            if task.once is (epoch == 0):
                add(epoch, task, posts, task.passes)
        if epoch:
            add(epoch, None, split, settings.passes)
    return passes


def steps(posts: int, *, posts_per_step: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """The posts of each optimizer step of one pass, as indices; the order follows from seed and epoch alone.

    Where an epoch goes through the posts several times, each pass counts as an epoch here.
    """
    order = np.random.default_rng((seed, epoch)).permutation(posts)
    for start in range(0, posts, posts_per_step):
        yield order[start : start + posts_per_step]


def micro_batches(split: Split, members: Sequence[int], *, tokens: float) -> Iterator[list[int]]:
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
    """The arrays of some posts in each view, and their gold label ids (post, word), 0 past a post's length.

    The posts of a further task have targets (post,) instead.
    """
    encoded = {view: [split.views[view][post] for post in members] for view in views}
    if packed:
        batch = pack(encoded, pad_id=pad_id, arrays=split.arrays)
    else:
        batch = {view: collate(posts, pad_id=pad_id, arrays=split.arrays) for view, posts in encoded.items()}
    if isinstance(split.gold, np.ndarray):
        return batch, split.gold[members]
    gold = np.zeros((len(members), max(len(split.gold[post]) for post in members)), np.int64)
    for row, post in enumerate(members):
        gold[row, : len(split.gold[post])] = split.gold[post]
    return batch, gold
