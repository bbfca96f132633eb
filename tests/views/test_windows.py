from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.views.windows import choose, cut


def test_cut_of_a_short_input_is_one_window() -> None:
    assert cut(6, 6, 3) == [(0, 6)]
    assert cut(0, 6, 3) == [(0, 0)]


def test_cut_overlaps_as_the_release() -> None:
    assert cut(1020, 510, 256) == [(0, 510), (255, 765), (510, 1020)]  # never more than half a window
    assert cut(1000, 510, 200) == [(0, 510), (310, 820), (620, 1000)]


def test_cut_begins_with_a_word_where_one_begins() -> None:
    assert cut(12, 6, 2, starts=[0, 3, 8]) == [(0, 6), (3, 9), (7, 12)]


def test_cut_goes_through_a_word_longer_than_a_window() -> None:
    assert cut(20, 6, 2, starts=[0, 1, 19]) == [(0, 6), (1, 7), (5, 11), (9, 15), (13, 19), (17, 20)]


@given(st.integers(0, 300), st.integers(2, 40), st.integers(0, 50), st.sets(st.integers(0, 299)))
def test_cut_covers_everything(length: int, room: int, overlap: int, begins: set[int]) -> None:
    starts = sorted({0, *(begin for begin in begins if begin < length)})
    for windows in (cut(length, room, overlap), cut(length, room, overlap, starts=starts)):
        assert windows[0][0] == 0
        assert windows[-1][1] == length
        assert all(end - start <= room for start, end in windows)
        for (a, b), (c, d) in pairwise(windows):
            assert a < c <= b < d
            assert b - c >= min(overlap, room // 2)


def test_choose_takes_the_window_farther_from_a_cut() -> None:
    windows = [(0, 510), (255, 765), (510, 1020)]
    first = np.array([0, 254, 381, 382, 383, 509, 510, 1019, -1])
    # 382 is 127 from either cut: the earlier window. The end of the input is no cut.
    assert choose(first, windows).tolist() == [0, 0, 0, 0, 1, 1, 1, 2, -1]


@pytest.mark.parametrize("last", [511, 520, 700])
def test_choose_splits_an_overlap_in_the_middle(last: int) -> None:
    windows = cut(last, 510, 256)
    start = windows[1][0]
    chosen = choose(np.arange(last), windows)
    middle = (start + 509) // 2
    assert (chosen[: middle + 1] == 0).all()
    assert (chosen[middle + 1 :] == 1).all()


@given(st.integers(0, 300), st.integers(2, 40), st.integers(0, 50), st.sets(st.integers(0, 299)), st.data())
def test_choose_is_the_best_of_all_windows(
    length: int, room: int, overlap: int, begins: set[int], data: st.DataObject
) -> None:
    """Against every window tried for every word."""
    windows = cut(length, room, overlap, starts=sorted({0, *(begin for begin in begins if begin < length)}))
    first = data.draw(st.lists(st.integers(-1, max(length - 1, -1)), max_size=20))
    expected = []
    for place in first:
        distances = [
            min(place - start if start else 999, end - 1 - place if end < length else 999)
            if start <= place < end
            else -1
            for start, end in windows
        ]
        expected.append(distances.index(max(distances)) if place >= 0 else -1)
    assert choose(np.array(first, np.int64), windows).tolist() == expected
