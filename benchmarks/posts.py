"""The posts that are measured on: Twitter-15's where MNER_DATA names them, else the packaged sample's."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from mner import config as configs
from mner.config import Config
from mner.types import Post
from mner.views.split import read_posts

CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def base_config() -> Config:
    """The configuration of the data set: Twitter-15, or the sample where MNER_DATA is not set."""
    return configs.load(CONFIGS / ("twitter15.toml" if os.environ.get("MNER_DATA") else "sample.toml"))


def training_posts(limit: int) -> tuple[list[Post], str]:
    """Training posts, repeated from the start where there are fewer than ``limit``, and the data set's name."""
    config = base_config()
    root = configs.root_folder(config.data, CONFIGS)
    chosen = [post for post in read_posts(config, root, "train") if post.words]
    return list(itertools.islice(itertools.cycle(chosen), limit)), config.data.name


def endless(posts: list[Post]) -> Iterator[Post]:
    """Posts without end, each with a word of its own: whatever a program keeps of them grows with their number."""
    for number, post in enumerate(itertools.cycle(posts)):
        words = (*post.words, f"@user{number:x}")
        text = f"{post.text} {words[-1]}"
        yield Post(str(number), text, words, (*post.offsets, (len(post.text) + 1, len(text))))
