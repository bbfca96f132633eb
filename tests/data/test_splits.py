import os

import pytest

from mner.data import read
from mner.data.pictures import place_of
from mner.data.splits import split_of, splits
from mner.errors import DataError


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.txt", "train"),
        ("Valid.txt", "dev"),
        ("x-validation.jsonl", "dev"),
        ("val.conll", "dev"),
        ("emerging.test.annotated", "test"),
        ("wnut17train.conll", "train"),
        ("latest.txt", None),
        ("train-test.txt", None),
        ("device.txt", None),
    ],
)
def test_split_shows_in_the_name(name, split):
    assert split_of(name) == split


def _touch(folder, *names):
    for name in names:
        (folder / name).write_text("")


def test_folder_gives_its_splits_in_order(tmp_path):
    _touch(tmp_path, "test.txt", "valid.txt", "train.txt", "README.md", "train.json", "train.txt.part", ".train.txt")
    files = splits([tmp_path])
    assert list(files) == ["train", "dev", "test"]
    assert files["dev"] == tmp_path / "valid.txt"


def test_name_of_the_split_alone_wins_in_a_folder(tmp_path):
    _touch(tmp_path, "train.jsonl", "train.contexts.jsonl")
    assert splits([tmp_path]) == {"train": tmp_path / "train.jsonl"}


def test_tables_named_by_a_split_alone_are_found_where_no_other_file_is(tmp_path):
    _touch(tmp_path, "train.json", "dev.csv", "test.json", "test.txt", "train_stats.json", "labels.json")
    assert [path.name for path in splits([tmp_path]).values()] == ["train.json", "dev.csv", "test.txt"]


def test_gzip_file_is_taken_as_what_it_holds_where_the_unpacked_one_is_absent(tmp_path):
    _touch(tmp_path, "train.jsonl.gz", "train.contexts.jsonl", "dev.csv.GZ", "test.txt", "test.txt.gz")
    _touch(tmp_path, "train.tar.gz", "test.npz.gz", "train-stats.json.gz")
    assert [path.name for path in splits([tmp_path]).values()] == ["train.jsonl.gz", "dev.csv.GZ", "test.txt"]


def test_files_without_a_split_go_by_their_path(tmp_path):
    _touch(tmp_path, "posts.txt", "test.txt", "mytest.txt", "a-test.txt")
    named = splits([tmp_path / name for name in ("posts.txt", "test.txt", "a-test.txt", "mytest.txt")])
    assert list(named) == ["test", *(str(tmp_path / name) for name in ("posts.txt", "a-test.txt", "mytest.txt"))]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a-train.txt", "b-train.txt"], "a-train.txt and b-train.txt could both be train; name the files"),
        (["posts.txt"], "no file named train, dev .* it holds posts.txt"),
        ([], "it holds no file"),
    ],
)
def test_folder_that_is_not_clear_says_so(tmp_path, names, message):
    _touch(tmp_path, *names)
    with pytest.raises(DataError, match=message):
        splits([tmp_path])


def test_pipe_that_would_be_read_twice_is_refused(tmp_path):
    os.mkfifo(tmp_path / "train.txt")
    with pytest.raises(DataError, match=r"train\.txt: is a pipe or a device, and this command reads its files more"):
        splits([tmp_path / "train.txt"])


def test_missing_path_is_named(tmp_path):
    with pytest.raises(DataError, match="none: no such file or folder"):
        splits([tmp_path / "none"])


def test_picture_is_found_as_written_flat_or_with_another_suffix(tmp_path):
    (tmp_path / "d").mkdir()
    _touch(tmp_path, "1.png", "d/2.jpg", "3.jpg")
    assert place_of(tmp_path, "1.jpg") == tmp_path / "1.png"
    assert place_of(tmp_path, "d/2.jpg") == tmp_path / "d" / "2.jpg"
    assert place_of(tmp_path, "e/3.jpg") == tmp_path / "3.jpg"
    assert place_of(tmp_path, "9.jpg") == tmp_path / "9.jpg"


def test_read_points_images_into_a_folder(tmp_path):
    _touch(tmp_path, "1.png")
    path = tmp_path / "posts.txt"
    path.write_text("IMGID:1\na\tO\n\nIMGID:2\nb\tO\n\nIMGID:\nc\tO\n")
    images = [post.image for post in read(path, images=tmp_path)]
    assert images == [str(tmp_path / "1.png"), str(tmp_path / "2.jpg"), None]
