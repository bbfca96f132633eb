from dataclasses import replace

import pytest

from mner.data import stamp, statistics
from mner.types import Post, Span

A = Post("1", "a b", ("a", "b"), ((0, 1), (2, 3)), (Span(0, 1, "X"),), "1.jpg")
B = Post("2", "c", ("c",), ((0, 1),), (), None)


def test_stamp_counts_and_names():
    counts = stamp([A, B])
    assert (counts.posts, counts.words, counts.entities, counts.labels) == (2, 3, 1, {"X": 1})
    assert len(counts.fingerprint) == 12
    assert set(counts.fingerprint) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    "changed",
    [
        [B, A],
        [A],
        [replace(A, words=("a", "c")), B],
        [replace(A, words=("a b",), spans=(Span(0, 1, "X"),)), B],
        [replace(A, spans=(Span(0, 1, "Y"),)), B],
        [replace(A, spans=(Span(0, 2, "X"),)), B],
        [replace(A, image="2.jpg"), B],
        [replace(A, image=None), B],
        [replace(A, more_images=("2.jpg",)), B],
        [A, replace(B, spans=None)],
    ],
)
def test_stamp_changes_with_the_content(changed):
    assert stamp(changed).fingerprint != stamp([A, B]).fingerprint


@pytest.mark.parametrize(
    "same",
    [
        replace(A, id="9", where="x:1", extra={"k": 1}),
        replace(A, text="a, b", offsets=((0, 1), (3, 4))),
        replace(A, image="folder/1.png"),
        replace(A, image="1"),
    ],
)
def test_stamp_does_not_change_with_place_or_format(same):
    assert stamp([same, B]) == stamp([A, B])


def test_statistics_describe_posts():
    long = Post("3", "d e f", ("d", "e", "f"), ((0, 1), (2, 3), (4, 5)), (Span(0, 2, "Y"), Span(2, 3, "X")), "1.jpg")
    numbers = statistics(iter([A, B, long]), strict=[A, B])
    assert (numbers.stamp.posts, numbers.stamp.labels, numbers.strict) == (3, {"X": 2, "Y": 1}, 1)
    assert (numbers.labelled, numbers.with_entity, numbers.with_image, numbers.images) == (3, 2, 2, 1)
    assert (numbers.longest, numbers.longest_id, numbers.entity_lengths) == (3, "3", {1: 2, 2: 1})
    assert numbers.mean_words == 2.0
    assert numbers.image_share == pytest.approx(2 / 3)
    assert numbers.to_dict()["fingerprint"] == stamp([A, B, long]).fingerprint


def test_statistics_of_nothing_are_zero():
    numbers = statistics([])
    assert (numbers.mean_words, numbers.image_share, numbers.longest, numbers.strict) == (0.0, 0.0, 0, None)


def test_statistics_count_each_of_several_pictures():
    assert statistics([replace(A, image="1.jpg", more_images=("2.jpg", "3.jpg")), A]).images == 3


def test_longest_post_does_not_depend_on_the_order_or_on_ids():
    posts = [
        Post("", "a b c d", ("a", "b", "c", "d"), ((0, 1), (2, 3), (4, 5), (6, 7))),
        Post("", "a", ("a",), ((0, 1),)),
    ]
    assert [statistics(each).longest for each in (posts, posts[::-1], [])] == [4, 4, 0]
