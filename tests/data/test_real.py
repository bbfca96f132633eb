import time

import pytest

from mner.data import convert, identify, read, statistics

pytestmark = pytest.mark.data

TWITTER = [
    ("twitter2015/train.txt", 4000, 6352, 6166),
    ("twitter2015/valid.txt", 1000, 1594, 1541),
    ("twitter2015/test.txt", 3257, 5207, 5072),
    ("twitter2017/train.txt", 3373, 6049, 6049),
    ("twitter2017/valid.txt", 723, 1324, 1324),
]


@pytest.mark.parametrize(("name", "posts", "repaired", "strict"), TWITTER)
def test_twitter_entities_are_counted_in_both_readings(real, name, posts, repaired, strict):
    path = real / name
    numbers = statistics(read(path), strict=read(path, labels="strict"))
    assert (numbers.stamp.posts, numbers.stamp.entities, numbers.strict) == (posts, repaired, strict)
    assert numbers.image_share == 1.0


@pytest.mark.parametrize(
    ("name", "posts", "entities"),
    [("wnut17train.conll", 3394, 1975), ("emerging.dev.conll", 1009, 836), ("emerging.test.annotated", 1287, 1079)],
)
def test_wnut17_is_read(real, name, posts, entities):
    path = real / "wnut17" / name
    assert identify(path) == ("conll", "IOB2")
    numbers = statistics(read(path))
    assert (numbers.stamp.posts, numbers.stamp.entities) == (posts, entities)


def test_wnut17_submissions_have_the_posts_of_the_test_split(real):
    lengths = [len(post.words) for post in read(real / "wnut17" / "emerging.test.annotated")]
    submissions = sorted((real / "wnut17" / "submissions").iterdir())
    assert len(submissions) == 7
    for path in submissions:
        assert [len(post.words) for post in read(path)] == lengths


def test_twitter_keeps_its_stamp_through_every_format(real, tmp_path):
    source = real / "twitter2015" / "valid.txt"
    done = [
        convert(source, tmp_path / "a.jsonl"),
        convert(tmp_path / "a.jsonl", tmp_path / "b.conll", scheme="BIOES"),
        convert(tmp_path / "b.conll", tmp_path / "c.txt", to="twitter"),
    ]
    assert len({result.stamp.fingerprint for result in done}) == 1
    assert [result.losses for result in done] == [{}, {}, {}]


def test_reading_twitter15_train_takes_well_under_a_second(real):
    began = time.process_time()
    assert sum(1 for _ in read(real / "twitter2015" / "train.txt")) == 4000
    assert time.process_time() - began < 1.0
