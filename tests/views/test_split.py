from __future__ import annotations

from pathlib import Path

import pytest

from mner import config as configs
from mner import data
from mner.config import Config
from mner.errors import ConfigError, DataError
from mner.views.split import read_posts

FIRST = "IMGID:1\nKevin\tB-PER\nwins\tO\n\n"
SECOND = "IMGID:2\nOscars\tB-OTHER\n\nIMGID:3\nGrammys\tB-MISC\n\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text(FIRST)
    (tmp_path / "b.txt").write_text(SECOND)
    (tmp_path / "empty.txt").write_text("")
    return tmp_path


def config(**table: object) -> Config:
    return configs.check({"data": {"format": "twitter", **table}})


def test_several_training_files_are_read_in_order(folder: Path) -> None:
    posts = read_posts(config(train=["b.txt", "a.txt"]), folder, "train")
    assert [post.id for post in posts] == ["2", "3", "1"]
    assert read_posts(config(train="a.txt"), folder, "train") == posts[2:]


def test_renamed_types_are_those_of_the_stamp(folder: Path) -> None:
    files = ["a.txt", "b.txt"]
    plain = data.stamp(read_posts(config(train=files), folder, "train"))
    renamed = data.stamp(read_posts(config(train=files, rename={"OTHER": "MISC"}), folder, "train"))
    assert plain.labels == {"MISC": 1, "OTHER": 1, "PER": 1}
    assert renamed.labels == {"MISC": 2, "PER": 1}
    assert renamed.fingerprint != plain.fingerprint


def test_each_file_of_a_split_must_hold_posts(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no\.txt: no such file"):
        read_posts(config(train=["a.txt", "no.txt"]), folder, "train")
    with pytest.raises(DataError, match=r"empty\.txt"):
        read_posts(config(train=["a.txt", "empty.txt"]), folder, "train")
    with pytest.raises(ConfigError, match=r"data\.dev: not set"):
        read_posts(config(train="a.txt"), folder, "dev")
