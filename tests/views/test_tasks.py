"""Posts of a further task are read with their targets; what is wrong with their file is said with its format."""

from __future__ import annotations

from pathlib import Path

import pytest

from mner import config as configs
from mner import encoders
from mner.config import Config
from mner.errors import ConfigError, DataError
from mner.views import Needs, Task, Views
from mner.views.split import check_test_closed
from mner.views.tasks import read_tasks

RELATION = Task("relation", data="relation", target="image_adds", weight=0.05)
POSTS = """{"text": "Kevin is back", "image": "1.jpg", "image_adds": true}
{"text": "a photo of nothing", "image": "2.jpg", "image_adds": 0}
"""


def config_of(**data: object) -> Config:
    return configs.check({"data": {"train": "train.txt", "test": "test.txt", **data}})


@pytest.fixture
def views(tiny_encoder: Path) -> Views:
    return Views(encoders.find(str(tiny_encoder)))


def test_targets_are_places_among_the_classes(tmp_path: Path, views: Views) -> None:
    (tmp_path / "pairs.jsonl").write_text(POSTS)
    needs = Needs(tasks=(RELATION, Task("language", data="relation", once=True)))
    splits = read_tasks(config_of(tasks={"relation": "pairs.jsonl"}), tmp_path, views, needs)
    assert list(splits) == ["relation"], "tasks of one file share its posts"
    assert {key: target.tolist() for key, target in splits["relation"].targets.items()} == {
        "image_adds": [1, 0],
        "": [0, 0],
    }
    assert [post.image for post in splits["relation"].posts] == ["1.jpg", "2.jpg"]
    assert [encoded.words for encoded in splits["relation"].encoded["T"]] == [3, 4]


def test_fingerprint_depends_on_the_targets(tmp_path: Path, views: Views) -> None:
    prints = []
    for number, text in enumerate((POSTS, POSTS.replace("true", "false"))):
        (tmp_path / f"{number}.jsonl").write_text(text)
        config = config_of(tasks={"relation": f"{number}.jsonl"})
        prints.append(read_tasks(config, tmp_path, views, Needs(tasks=(RELATION,)))["relation"].fingerprint)
    assert prints[0] != prints[1]


@pytest.mark.parametrize(
    ("tasks", "text", "error", "message"),
    [
        ({}, "", ConfigError, r'data\.tasks\.relation: not set; .*"image_adds": true}\. Set it: --set'),
        ({"relation": "none.jsonl"}, "", DataError, r'none\.jsonl: .* Expected JSON lines such as {"text": "Kevin'),
        ({"relation": "pairs.jsonl"}, "", DataError, r'holds no post; expected lines such as {"text"'),
        (
            {"relation": "pairs.jsonl"},
            POSTS.replace("0}", '"yes"}'),
            DataError,
            r'pairs\.jsonl:2: "image_adds" is "yes", expected false or true, as in {"text": .*"image_adds": true}',
        ),
        ({"relation": "pairs.jsonl"}, '{"text": "a"}\n', DataError, r'pairs\.jsonl:1: "image_adds" is missing'),
    ],
)
def test_missing_or_faulty_posts_are_refused_with_the_format(
    tmp_path: Path, views: Views, tasks: dict[str, str], text: str, error: type[Exception], message: str
) -> None:
    (tmp_path / "pairs.jsonl").write_text(text)
    with pytest.raises(error, match=message):
        read_tasks(config_of(tasks=tasks), tmp_path, views, Needs(tasks=(RELATION,)))


def test_posts_of_a_task_must_not_be_the_test_split(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"data\.tasks\.unlabelled: test\.txt is the test split"):
        check_test_closed(config_of(tasks={"unlabelled": "test.txt"}), tmp_path)


def test_task_names_are_unique_and_free() -> None:
    with pytest.raises(ConfigError, match='task "relation" is declared twice'):
        Needs(tasks=(RELATION, RELATION))
    with pytest.raises(ConfigError, match='not called "ner"'):
        Task("ner", data="relation")
    with pytest.raises(ConfigError, match='not called "train", "dev" or "test"'):
        Task("relation", data="train")
