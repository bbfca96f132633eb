from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from mner.config import ContextConfig
from mner.views import Encoded, Views, batches_by_tokens, collate, portions

PAD = 9


def encoded(*lengths: int, first: list[list[int]]) -> Encoded:
    """A post whose windows hold 1, 2, ..., and whose shapes are all 1."""
    windows = tuple(np.arange(1, length + 1, dtype=np.int32) for length in lengths)
    shapes = tuple(np.ones(length, np.int8) for length in lengths)
    return Encoded(len(first), windows, shapes, np.array(first, np.int32).reshape(-1, 2))


def test_collate_pads_and_shifts() -> None:
    batch = collate(
        [encoded(3, first=[[0, 1]]), encoded(4, 2, first=[[0, 2], [-1, -1], [1, 1]])],
        pad_id=PAD,
    )
    assert batch.input_ids.tolist() == [[1, 2, 3, PAD], [1, 2, 3, 4], [1, 2, PAD, PAD]]
    assert batch.attention_mask.tolist() == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 0, 0]]
    assert batch.shapes.tolist() == batch.attention_mask.tolist()
    assert batch.word_index.tolist() == [[1, -1, -1], [6, -1, 9]]
    assert batch.lengths.tolist() == [1, 3]
    assert batch.window_post.tolist() == [0, 1, 1]


def test_collate_arrays_are_int64_and_writable() -> None:
    batch = collate([encoded(3, first=[[0, 1]])], pad_id=PAD)
    assert batch.segments is None and batch.positions is None, "only packed batches have them"
    for name, array in batch.named().items():
        assert array.dtype == np.int64, name
        assert array.flags.writeable, name


def test_collate_takes_posts_without_words(tokenizers: dict[str, Tokenizer]) -> None:
    views = Views(tokenizers["bert"])
    none, filled = views.encode_many([[], ["Kevin"]])
    assert collate([none, filled], pad_id=0).word_index.tolist() == [[-1], [4]]
    assert collate([none], pad_id=0).word_index.shape == (1, 0)


def test_word_index_finds_every_first_subtoken(tokenizer: Tokenizer) -> None:
    views = Views(tokenizer, ContextConfig(max_tokens=32, overlap=8))
    posts = [["Kevin", "\ufe0f", "</s>", *["Cleveland"] * 20], ["is"], ["back"] * 40]
    batch = collate(views.encode_many(posts), pad_id=views.pad_id)
    flat = batch.input_ids.ravel()
    for row, words in enumerate(posts):
        for position, coded in enumerate(views.subwords.encode_words(words)):
            index = batch.word_index[row, position]
            assert (index == -1) == (not coded.ids)
            if coded.ids:
                assert flat[index] == coded.ids[0]
                assert batch.window_post[index // batch.input_ids.shape[1]] == row
        assert (batch.word_index[row, len(words) :] == -1).all()


def test_batches_are_of_like_length() -> None:
    posts = [encoded(length, first=[[0, 0]]) for length in (5, 30, 6, 29)]
    assert list(batches_by_tokens(posts, 60)) == [[1, 3], [2, 0]]


def test_post_over_the_limit_is_a_batch_of_its_own() -> None:
    posts = [encoded(5, first=[]), encoded(50, 50, first=[]), encoded(5, first=[])]
    assert list(batches_by_tokens(posts, 20)) == [[1], [0, 2]]


@pytest.mark.parametrize("tokens", [1, 40, 1000])
@given(lengths=st.lists(st.lists(st.integers(1, 30), min_size=1, max_size=3)))
def test_batches_hold_each_post_once_within_the_limit(tokens: int, lengths: list[list[int]]) -> None:
    posts = [encoded(*each, first=[]) for each in lengths]
    groups = list(batches_by_tokens(posts, tokens))
    assert sorted(post for group in groups for post in group) == list(range(len(posts)))
    for group in groups:
        assert len(group) == 1 or collate([posts[post] for post in group], pad_id=0).input_ids.size <= tokens


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=12),
    st.integers(1, 40),
    st.lists(st.integers(-1, 11), max_size=30),
)
def test_portions_hold_each_word_and_window_once(lengths: list[int], tokens: int, owners: list[int]) -> None:
    first = [[owner, 0] if owner >= 0 else [-1, -1] for owner in (min(owner, len(lengths) - 1) for owner in owners)]
    post = encoded(*lengths, first=first)
    parts = list(portions(post, tokens))
    assert [window.tolist() for _, part in parts for window in part.windows] == [w.tolist() for w in post.windows]
    assert sorted(np.concatenate([places for places, _ in parts]).tolist()) == list(range(len(first)))
    for places, part in parts:
        assert len(part.windows) == len(part.shapes)
        assert len(part.windows) == 1 or len(part.windows) * max(map(len, part.windows)) <= max(tokens, max(lengths))
        for place, (window, position) in zip(places.tolist(), part.first.tolist(), strict=True):
            if window < 0:
                assert first[place] == [-1, -1]
            else:
                assert part.windows[window] is post.windows[first[place][0]]
                assert position == first[place][1]
