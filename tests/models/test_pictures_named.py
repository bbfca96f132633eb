"""Training on features needs posts that name pictures; what runs on zeros, and the use of a model, does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from systems import ARRAYS, WIDTH, settings

from mner import config as configs
from mner import preflight
from mner.config import Config
from mner.data.listing import pictures
from mner.errors import DataError
from mner.runs.posts import evaluate_posts
from mner.training.job import prepare
from mner.training.run import train
from mner.vision.features import build as build_features

Make = Callable[..., Config]
ENTITIES = [{"start": 0, "end": 5, "label": "PER"}]


def write(path: Path, key: str, count: int = 70, named: int | None = None) -> None:
    """Posts of which the first ``named``, or all, have a picture under this key."""
    rows: list[dict[str, Any]] = [{"text": "Kevin won", "entities": ENTITIES, "image_adds": True} for _ in range(count)]
    for number, row in enumerate(rows[:named]):
        row[key] = f"{number % 11 + 1}.jpg"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def on_album(album: Path, tiny_encoder: Path) -> Callable[..., Config]:
    """A function that makes the configuration of a system on posts that all name their pictures."""
    for split in ("train", "dev", "relation", "unlabelled"):
        write(album / f"{split}.jsonl", "image")

    def make(name: str, **data: Any) -> Config:
        options = {"cells": 2, "width": WIDTH, "gives": ARRAYS[name][0]}
        build_features(pictures(album / "photos"), album / "arrays", extractor="projection", options=options)
        given = {"train": "train.jsonl", "dev": "dev.jsonl", "features": "arrays"}
        tasks = {key: f"{key}.jsonl" for key in ("relation", "unlabelled")}
        table = settings(name, tiny_encoder).model_dump()
        return configs.check({**table, "data": {**given, "tasks": tasks, **data}})

    return make


LINE = '{"text": "Kevin Love is back", "image": "1.jpg"'


@pytest.mark.parametrize(
    ("name", "split", "line"),
    [
        ("umt", "train", f'{LINE}}}; in columns, "# image = 1.jpg" precedes the words'),
        ("umgf", "train", LINE),
        ("bert_vinvl", "train", LINE),
        ("rpbert", "relation", f'{LINE}, "image_adds": true}}'),
        ("riva", "relation", f'{LINE}, "image_adds": true}}'),
        ("riva", "unlabelled", f"{LINE}}}"),
    ],
)
def test_posts_to_train_on_must_name_pictures(on_album: Make, album: Path, name: str, split: str, line: str) -> None:
    config = on_album(name)
    prepare(config, album)
    write(album / f"{split}.jsonl", "img")
    with pytest.raises(DataError) as refused:
        prepare(config, album)
    begun = f'{album / split}.jsonl: hardly any post names a picture (0 of 70), yet the model "{name}" is trained on'
    assert str(refused.value).startswith(begun) and f"Expected posts such as {line}" in str(refused.value)


def test_a_share_of_one_percent_suffices(on_album: Make, album: Path) -> None:
    config = on_album("umt")
    write(album / "train.jsonl", "image", count=200, named=2)
    prepare(config, album)
    write(album / "train.jsonl", "image", count=200, named=1)
    with pytest.raises(DataError, match=r"hardly any post names a picture \(1 of 200\)"):
        prepare(config, album)


def test_check_says_what_training_would_refuse(on_album: Make, album: Path) -> None:
    config = on_album("umt", root=str(album))
    assert "refused by training" not in preflight.check(config=config).counts
    write(album / "train.jsonl", "img")
    (finding,) = [each for each in preflight.check(config=config).findings if each.severity == "error"]
    assert (finding.kind, finding.where) == ("refused by training", str(album / "train.jsonl"))
    assert finding.message.startswith("hardly any post names a picture (0 of 70)")


@pytest.mark.parametrize("name", ["umt", "rpbert", "riva"])
def test_training_on_zeros_needs_no_pictures(on_album: Make, album: Path, name: str) -> None:
    for split in ("train", "dev", "relation", "unlabelled"):
        write(album / f"{split}.jsonl", "img")
    config = on_album(name, features=None, features_missing="zero")
    prepare(config, album)


def test_dev_posts_and_texts_that_teachers_label_need_none(on_album: Make, album: Path, tmp_path: Path) -> None:
    write(album / "dev.jsonl", "img", count=3)
    (album / "unlabelled.jsonl").write_text('{"text": "Phoenix is open"}\n')
    config = on_album("umt")
    training = {"training": {"epochs": 1, "device": "cpu", "threads": 1}}
    run = train(configs.check({**config.model_dump(), **training}), root=album, out=tmp_path / "runs")
    taught = configs.check({**config.model_dump(), "teachers": {"models": [str(run)]}})
    assert len(prepare(taught, album).splits["unlabelled"].posts) == 1
    posts = tmp_path / "posts.jsonl"
    write(posts, "img", count=3)
    assert set(evaluate_posts(run, posts, features=album / "arrays").scores) >= {"T"}
