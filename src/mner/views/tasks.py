"""The files of [data.tasks] -> the posts of a model's further tasks and what is to be learned of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mner import data
from mner.config import Config
from mner.errors import ConfigError, DataError, why_not
from mner.types import Post
from mner.views.encode import Views
from mner.views.inputs import Needs, Task
from mner.views.split import ViewSplit, encoded_split


def read_tasks(config: Config, root: Path, views: Views, needs: Needs) -> dict[str, ViewSplit]:
    """The posts of all further tasks, by their key in [data.tasks]; tasks of one key share them.

    Raises:
        ConfigError: [data.tasks] does not name a file that a task needs.
        DataError: A file is missing, empty or faulty, or a post lacks a target.
    """
    splits = {}
    for key in dict.fromkeys(task.data for task in needs.tasks):
        tasks = [task for task in needs.tasks if task.data == key]
        example = max((task.example for task in tasks), key=len)
        path = _file(config, root, key, example)
        posts = list(data.read(path, format="jsonl", labels=False))
        if not posts:
            raise DataError(f"{path}: holds no post; expected lines such as {example}")
        targets = {task.target: _targets(posts, task) for task in tasks}
        splits[key] = encoded_split(path, posts, config, root, views, needs, targets=targets)
    return splits


def _file(config: Config, root: Path, key: str, example: str) -> Path:
    name = config.data.tasks.get(key)
    if name is None:
        raise ConfigError(
            f'data.tasks.{key}: not set; the model "{config.model.name}" is also trained on these posts. It names a '
            f"file of JSON lines such as {example}. Set it: --set data.tasks.{key}=FILE"
        )
    path = root / name
    if not path.is_file():
        raise DataError(
            f"{path}: {why_not(path, 'file')}; data.tasks.{key} = {name!r} is relative to {root}. "
            f"Expected JSON lines such as {example}"
        )
    return path


def _targets(posts: Sequence[Post], task: Task) -> np.ndarray:
    """The place of each post's target among the task's classes (post,); zeros for a task without a target."""
    if not task.target:
        return np.zeros(len(posts), np.int64)
    for post in posts:
        if post.extra.get(task.target) not in task.classes:
            raise DataError(
                f'{post.where}: "{task.target}" is {_shown(post.extra.get(task.target))}, expected '
                f"{' or '.join(map(_shown, task.classes))}, as in {task.example}"
            )
    return np.array([task.classes.index(post.extra[task.target]) for post in posts], np.int64)


def _shown(value: object) -> str:
    """A value as JSON writes it."""
    return "missing" if value is None else json.dumps(value, ensure_ascii=False)
