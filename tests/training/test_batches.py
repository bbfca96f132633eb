"""Steps and micro-batches hold each post once; packing loses no sub-token."""

from __future__ import annotations

import numpy as np
import pytest

from mner import tags
from mner.training.batches import Split, gold_ids, micro_batches, steps
from mner.types import Post, Span
from mner.views import pack


def test_pack_keeps_every_sub_token_once(split: Split) -> None:
    views = {view: list(encoded) for view, encoded in split.views.items()}
    packed = pack(views, pad_id=0)
    assert packed["T"].input_ids is packed["I+T"].input_ids
    batch = packed["T"]
    assert batch.segments is not None and batch.positions is not None
    total = sum(post_encoded.tokens for encoded in views.values() for post_encoded in encoded)
    assert int((batch.segments > 0).sum()) == total
    for view, encoded in views.items():
        flat, index = packed[view].input_ids.ravel(), packed[view].word_index
        for row, post_encoded in enumerate(encoded):
            for word, (window, position) in enumerate(post_encoded.first):
                assert flat[index[row, word]] == post_encoded.windows[window][position]


def test_steps_hold_each_post_once_and_follow_the_seed() -> None:
    order = [post for step in steps(10, posts_per_step=4, seed=1, epoch=0) for post in step]
    assert sorted(order) == list(range(10))
    assert [len(step) for step in steps(10, posts_per_step=4, seed=1, epoch=0)] == [4, 4, 2]
    again = [post for step in steps(10, posts_per_step=4, seed=1, epoch=0) for post in step]
    assert order == again
    assert order != [post for step in steps(10, posts_per_step=4, seed=1, epoch=1) for post in step]
    assert order != [post for step in steps(10, posts_per_step=4, seed=2, epoch=0) for post in step]


@pytest.mark.parametrize("tokens", [1, 30, 64, 10_000])
def test_micro_batches_part_a_step(split: Split, tokens: int) -> None:
    groups = list(micro_batches(split, list(range(8)), tokens=tokens))
    assert sorted(post for group in groups for post in group) == list(range(8))
    for group in groups:
        size = sum(split.views[view][post].tokens for view in split.views for post in group)
        assert size <= tokens or len(group) == 1


def test_gold_ids_are_bioes(split: Split) -> None:
    labels = tags.bioes_labels(["PER"])
    post = Post("1", "", ("a", "b", "c", "d"), (), spans=(Span(0, 2, "PER"), Span(3, 4, "PER")))
    names = [labels[label] for label in gold_ids([post], labels)[0]]
    assert names == ["B-PER", "E-PER", "O", "S-PER"]
    assert gold_ids([post], labels)[0].dtype == np.int64
