"""Views in which every sub-token of a word has a place of its own."""

from __future__ import annotations

import numpy as np
import pytest

from mner.config import ContextConfig
from mner.views import Piece, Subwords, Views, collate, pack

WORDS = ("kevin", "clevelandish", "\u200d", "won")
PIECES = [Piece("captions", "x", "a dog and two people")]


@pytest.fixture
def words(subwords: Subwords) -> tuple[str, ...]:
    assert len(subwords.encode_words(["clevelandish"])[0].ids) > 1
    return WORDS


def views(subwords: Subwords, coding: str = "pad", **options: object) -> Views:
    tokenizer = subwords._tokenizer
    built = ContextConfig.model_validate({**options})
    return Views(tokenizer, built, subtoken_labels=coding)  # type: ignore[arg-type]


@pytest.mark.parametrize("beside", [(), PIECES], ids=["T", "I+T"])
def test_places_are_the_words_sub_tokens_in_order(
    subwords: Subwords, words: tuple[str, ...], beside: list[Piece]
) -> None:
    [padded] = views(subwords).encode_many([words], [beside])
    [plain] = views(subwords, "first").encode_many([words], [beside])
    assert plain.heads is None and padded.heads is not None
    assert [single.tolist() for single in padded.windows] == [single.tolist() for single in plain.windows]
    np.testing.assert_array_equal(padded.first[padded.heads], plain.first)
    pieces = [len(coded.ids) for coded in subwords.encode_words(words)]
    assert padded.words == len(padded.first) == sum(max(count, 1) for count in pieces)
    real = padded.first[padded.first[:, 0] >= 0]
    begin = len(subwords.prefix)
    assert real[:, 1].tolist() == list(range(begin, begin + sum(pieces))), "every sub-token of the words, no other"


def test_word_without_sub_token_keeps_one_place(subwords: Subwords) -> None:
    built = views(subwords)
    built.subwords._cache["\u200d"] = type(built.subwords.encode_words(["won"])[0])((), ())
    [encoded_post] = built.encode_many([["won", "\u200d", "won"]])
    assert encoded_post.heads is not None
    assert encoded_post.first[encoded_post.heads[1]].tolist() == [-1, -1]
    assert encoded_post.heads[2] == encoded_post.heads[1] + 1


def test_cut_words_have_places_for_what_is_left(subwords: Subwords, words: tuple[str, ...]) -> None:
    [encoded_post] = views(subwords, word_pieces=2).encode_many([["clevelandish", "won"]])
    assert encoded_post.heads is not None and encoded_post.heads.tolist() == [0, 2]


def test_windows_give_every_place_its_own_token(subwords: Subwords) -> None:
    post = ["clevelandish", "won", "kevin"] * 20
    [short] = views(subwords, max_tokens=40, overlap=16).encode_many([post])
    [whole] = views(subwords).encode_many([post])
    assert len(short.windows) > 1 and short.heads is not None and whole.heads is not None
    assert short.heads.tolist() == whole.heads.tolist()
    tokens = [[int(single.windows[window][place]) for window, place in single.first] for single in (short, whole)]
    assert tokens[0] == tokens[1]


def test_batches_hold_places(subwords: Subwords) -> None:
    built = views(subwords)
    encoded = built.encode_many([["clevelandish", "won"], ["won"]])
    padded = collate(encoded, pad_id=built.pad_id)
    assert padded.lengths.tolist() == [single.words for single in encoded]
    packed = pack({"T": encoded}, pad_id=built.pad_id)["T"]
    for batch in (padded, packed):
        flat = batch.input_ids.ravel()
        first = [int(flat[place]) for place in batch.word_index[0]]
        assert first == [int(token) for token in encoded[0].windows[0][len(built.subwords.prefix) : -1]][: len(first)]


def test_a_post_without_words_has_no_places(subwords: Subwords) -> None:
    [encoded_post] = views(subwords).encode_many([[]])
    assert encoded_post.words == 0 and encoded_post.heads is not None and encoded_post.heads.shape == (0,)
