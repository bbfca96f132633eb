import io
import json
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.data import read
from mner.data.alignment import align, joined, whole
from mner.errors import DataError
from mner.types import Post
from mner.words import split


@pytest.mark.parametrize(
    ("text", "words", "places"),
    [
        ("RT @Oslocats: Oslo wins", ["RT", "Oslo", "wins"], ["RT", "Oslo", "wins"]),
        ("so annalisa met Anna", ["Anna"], ["Anna"]),
        ("Bo. Bob's Bob", ["Bo", "Bob", "'s", "Bob"], ["Bo", "Bob", "'s", "Bob"]),
        ("so, don't stop", ["do", "n't", "stop"], ["do", "n't", "stop"]),
        ("visit #Oslo now", ["visit", "Oslo"], ["visit", "Oslo"]),
        ("👍 New York, NY!", ["New York", "NY"], ["New York", "NY"]),
        ("a\u00ad\u200b  b", ["a", "b"], ["a", "b"]),
        ("x Bo y Bo", ["Bo", "y", "Bo"], ["Bo", "y", "Bo"]),
    ],
)
def test_words_are_found_as_whole_words_of_the_text(text, words, places):
    offsets = align(text, words)
    assert offsets is not None
    assert [text[start:end] for start, end in offsets] == places
    for (start, end), word in zip(offsets, words, strict=True):
        assert text[start:end] == word
        assert not text[:start].endswith(("@", "anna"))


def test_word_of_a_handle_is_never_taken_for_the_name():
    assert align("RT @Oslocats: Oslo wins", ["RT", "Oslo", "wins"])[1] == (14, 18)
    assert align("@Oslo: Oslo wins", ["Oslo", "wins"])[0] == (7, 11)


@pytest.mark.parametrize(
    ("text", "words"),
    [("Oslo beats Oslo", ["Oslo"]), ("@Oslocats win", ["Oslo"]), ("a b a b a", ["a", "b"]), ("b a", ["a", "b"])],
)
def test_words_without_a_sure_place_are_refused(text, words):
    assert align(text, words) is None
    with pytest.raises(DataError, match=r":1: the words do not occur in the text in this order, or in more"):
        list(read(io.StringIO(json.dumps({"text": text, "words": words})), format="jsonl"))


def placements(text, words, begins, ends, at=0, open_end=False):
    """Every way to place the words, by trying all."""
    if not words:
        return [] if open_end else [()]
    ways = []
    for start in range(at, len(text)):
        if open_end and start > at:
            break
        end = start + len(words[0])
        if text.startswith(words[0], start) and (start in begins or (start == at and at > 0)):
            rest = placements(text, words[1:], begins, ends, end, end not in ends)
            ways += [((start, end), *way) for way in rest]
    return ways


@given(st.text("aab .@", max_size=14), st.lists(st.sampled_from(["a", "b", "aa", "ab", "."]), min_size=1, max_size=4))
def test_place_is_the_one_that_trying_all_finds(text, words):
    offsets = align(text, words)
    if offsets is None:
        tokens = split(text)[1]
        assert len(placements(text, words, {a for a, _ in tokens}, {b for _, b in tokens})) != 1
    else:
        assert [text[start:end] for start, end in offsets] == words
        assert all(left[1] <= right[0] for left, right in pairwise(offsets))
        tokens = split(text)[1]
        ways = placements(text, words, {a for a, _ in tokens}, {b for _, b in tokens})
        gapless = "".join(words) == text.replace(" ", "")
        assert ways == [offsets] or gapless or not ways


@given(
    st.lists(st.text(min_size=1, max_size=4), max_size=6), st.lists(st.sampled_from([" ", "  ", "\n", ""]), min_size=6)
)
def test_words_that_leave_out_nothing_are_always_found(words, gaps):
    words = [word for word in words if word.strip() == word]
    text = "".join(word + gap for word, gap in zip(words, gaps, strict=False))
    offsets = align(text, words)
    assert offsets is not None
    assert [text[start:end] for start, end in offsets] == words
    assert align(joined(words)[0], words) == joined(words)[1]


def test_time_to_place_many_repeated_words_is_bounded():
    words = ["a", "b"] * 4000
    began = time.process_time()
    assert align(" , ".join(words), words) == tuple((4 * at, 4 * at + 1) for at in range(8000))
    assert align("a , " * 8000, ["a"] * 7999) is None
    assert align("a , " * 8000, ["a"] * 4000) is None
    assert time.process_time() - began < 8


def test_gold_that_ends_at_an_html_entity_is_read():
    entities = [{"start": 3, "end": 8, "label": "PER"}, {"start": 13, "end": 19, "label": "PER"}]
    (post,) = read(io.StringIO(json.dumps({"text": "so Obama&amp;Angela met", "entities": entities})), format="jsonl")
    assert [post.words[span.start : span.end] for span in post.spans] == [("Obama",), ("Angela",)]


@given(st.lists(st.sampled_from(["\ud83d\ude00", "\ud83d", "\ude00", "Bo", "😀", " ", "é"]), max_size=8))
def test_halves_of_a_pair_never_shift_an_offset(pieces):
    text = "".join(pieces)
    words, offsets = split(text)
    post = Post("1", text, words, offsets, ())
    again = json.loads(json.dumps(text))
    joined_halves = whole(post)
    assert joined_halves.text == again
    assert [again[start:end] for start, end in joined_halves.offsets] == list(joined_halves.words)
    assert whole(joined_halves) is joined_halves
