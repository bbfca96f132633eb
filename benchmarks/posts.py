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
from mner.words import LINK

CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def base_config() -> Config:
    """The configuration of the data set: Twitter-15, or the sample where MNER_DATA is not set."""
    return configs.load(CONFIGS / ("twitter15.toml" if os.environ.get("MNER_DATA") else "sample.toml"))


def training_posts(limit: int, *, links: str = "keep") -> tuple[list[Post], str]:
    """Training posts, repeated from the start where there are fewer than ``limit``, and the data set's name.

    With ``links`` "fold" each link is written as one word that encoders know, so that every program reads it as one
    sub-token, as ``context.links = "fold"`` makes mner do.
    """
    config = base_config()
    root = configs.root_folder(config.data, CONFIGS)
    chosen = [post for post in read_posts(config, root, "train") if post.words]
    if links == "fold":
        chosen = [_folded(post) for post in chosen]
    return list(itertools.islice(itertools.cycle(chosen), limit)), config.data.name


def _folded(post: Post) -> Post:
    words = tuple(LINK.sub("http", word) for word in post.words)
    ends = list(itertools.accumulate(len(word) + 1 for word in words))  # each with the blank behind it
    offsets = tuple((end - len(word) - 1, end - 1) for word, end in zip(words, ends, strict=True))
    return Post(post.id, " ".join(words), words, offsets)


def endless(posts: list[Post]) -> Iterator[Post]:
    """Posts without end, each with a word of its own: whatever a program keeps of them grows with their number."""
    for number, post in enumerate(itertools.cycle(posts)):
        words = (*post.words, f"@user{number:x}")
        text = f"{post.text} {words[-1]}"
        yield Post(str(number), text, words, (*post.offsets, (len(post.text) + 1, len(text))))
