"""Declared arrays: padded by their axes and value, masked, checked where a picture's do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from mner import encoders
from mner.config import ContextConfig
from mner.errors import ConfigError, DataError
from mner.types import ViewName
from mner.views import Array, Needs, Piece, Views, collate, pack, portions


@given(
    sizes=st.lists(st.none() | st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=5),
    pad=st.integers(-2, 2),
    dtype=st.sampled_from(["float32", "int64"]),
)
def test_padding_gives_each_post_its_own_back(sizes: list[tuple[int, int] | None], pad: int, dtype: str) -> None:
    array = Array("boxes", ("post", "region", "word"), dtype, pad)
    random = np.random.default_rng(0)
    posts = [None if size is None else random.integers(3, 9, size) for size in sizes]
    padded = array.padded(posts)
    whole, mask = padded["boxes"], padded["boxes_mask"]
    assert whole.dtype == dtype and whole.shape[:2] == mask.shape and min(whole.shape) > 0
    for row, values in enumerate(posts):
        regions, words = (0, 0) if values is None else values.shape
        assert mask[row].tolist() == [1] * regions + [0] * (mask.shape[1] - regions)
        if values is not None:
            np.testing.assert_array_equal(whole[row, :regions, :words], values)
        rest = np.ones(whole[row].shape, bool)
        rest[:regions, :words] = False
        assert (whole[row][rest] == pad).all()


def test_number_for_each_post_has_no_mask() -> None:
    padded = Array("time", ("post",), "int64", -1).padded([np.array(3), None])
    assert {name: values.tolist() for name, values in padded.items()} == {"time": [3, -1]}


@pytest.mark.parametrize(
    ("name", "axes"),
    [("input_ids", ("post",)), ("a b", ("post",)), ("x_mask", ("post",)), ("x", ()), ("x", ("region", "post"))],
)
def test_declaration_that_cannot_be_used_is_refused(name: str, axes: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=f'array "{name}": expected'):
        Array(name, axes)


def test_one_name_for_two_arrays_is_refused() -> None:
    with pytest.raises(ConfigError, match='array "grid" is declared twice, with axes'):
        Needs(arrays=(Array("grid", ("post", "region", 4)), Array("grid", ("post", "region", 8))))


def test_features_of_another_width_are_refused() -> None:
    grid = Array("grid", ("post", "region", 4))
    grid.check(np.zeros((9, 4)), "1.jpg")
    with pytest.raises(
        DataError, match=r'1\.jpg: array "grid" has the shape \(9, 8\), but the model reads \(region, 4\)'
    ):
        grid.check(np.zeros((9, 8)), "1.jpg")


def test_declaration_survives_json() -> None:
    grid = Array("grid", ("post", "region", 4), "int64", -1)
    assert Array.from_dict(json.loads(json.dumps(grid.to_dict()))) == grid


def test_views_carry_arrays_and_the_t_view_has_none(tokenizers: dict[str, Tokenizer]) -> None:
    views = Views(tokenizers["bert"])
    words, grid = [["a", "b"], ["c"], ["d"]], np.ones((2, 3))
    pieces = [[], [Piece("captions", "x", "two people")], []]
    both = views.encode_many(words, pieces, [{"grid": grid}, {}, {}])
    assert [post.view for post in both] == ["I+T", "I+T", "T"]
    arrays = [Array("grid", ("post", "region", 3))]
    batch = collate(both, pad_id=views.pad_id, arrays=arrays).named()
    assert batch["grid_mask"].tolist() == [[1, 1], [0, 0], [0, 0]]
    encoded: dict[ViewName, list] = {"T": views.encode_many(words), "I+T": both}  # type: ignore[type-arg]
    packed = pack(encoded, pad_id=views.pad_id, arrays=arrays)
    assert not packed["T"].arrays["grid_mask"].any()
    np.testing.assert_array_equal(packed["I+T"].arrays["grid"], batch["grid"])


def test_portions_of_a_long_post_keep_its_arrays(tokenizers: dict[str, Tokenizer]) -> None:
    views = Views(tokenizers["bert"], max_tokens=32)
    (post,) = views.encode_many([["word"] * 90], None, [{"grid": np.ones((2, 3))}])
    parts = [part for _, part in portions(post, 32)]
    assert len(parts) > 2
    assert all(part.view == "I+T" and part.arrays.keys() == {"grid"} for part in parts)


def test_words_give_characters_and_sub_tokens_in_both_views(tiny_encoder: Path) -> None:
    views = Views(encoders.find(str(tiny_encoder)))
    declared = (
        Array("characters", ("post", "word", "character"), "int64", of="words"),
        Array("pieces", ("post", "word"), "int64", of="words"),
    )
    words = [["phoenix", "ok", "😀"], ["Zürich"]]
    for beside in (None, [[Piece("tags", "test", "red car")], []]):
        batch = collate(views.encode_many(words, beside), pad_id=views.pad_id, arrays=declared).named()
        assert batch["characters"].shape == (2, 3, 7) and batch["characters"].dtype == np.int64
        written = ["".join(map(chr, row[row > 0])) for row in batch["characters"].reshape(-1, 7)]
        assert written == ["phoenix", "ok", "😀", "Zürich", "", ""]
        assert batch["characters_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
        sizes = [[len(coded.ids) for coded in views.subwords.encode_words(post)] for post in words]
        assert batch["pieces"].tolist() == [sizes[0], [*sizes[1], 0, 0]]


@pytest.mark.parametrize("windows", ["words", "release"])
def test_word_cut_by_its_window_has_the_sub_tokens_left_in_it(windows: str, tiny_encoder: Path) -> None:
    options = ContextConfig(windows=windows, max_tokens=32, overlap=8)  # type: ignore[arg-type]
    views = Views(encoders.find(str(tiny_encoder)), options)
    for beside in (None, [[Piece("tags", "test", "red car")]]):
        (post,) = views.encode_many([["ok", "z" * 40, "phoenix", "won"]], beside)
        assert len(post.windows) > 1
        window = post.windows[post.first[1, 0]]
        own = views.subwords.known(["z" * 40])["z" * 40].ids
        count = int(post.pieces[1])
        assert window[post.first[1, 1] :][:count].tolist() == list(own[:count])
        assert window[post.first[1, 1] + count] not in own
        assert post.pieces.tolist() == [2, count, 1, 1] and 1 < count < 40


def test_array_of_words_that_nothing_makes_is_refused() -> None:
    with pytest.raises(ConfigError, match=r'array "lemmas": nothing makes it of words; there are characters, pieces'):
        Array("lemmas", ("post", "word"), of="words")
