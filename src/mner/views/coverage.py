"""What training asks of the visual contexts of its posts; a check of the files asks the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from mner.config import Config
from mner.errors import DataError
from mner.picture_files import short_name
from mner.types import VisualContext
from mner.views.compose import compose

LEAST = 0.01
"""Share of the training posts that must have a context before the I+T view is trained."""


class Pictured(Protocol):
    """What is looked at of a post."""

    @property
    def image(self) -> str | None:
        """The name of its picture."""
        ...

    @property
    def where(self) -> str:
        """Where it stands, ``file:line``."""
        ...


class Covered(Protocol):
    """A split: its file, its posts, and the context of each, what ``context.substitute`` puts in its place included."""

    @property
    def path(self) -> Path:
        """The file of posts, the first one if there are several."""
        ...

    @property
    def posts(self) -> Sequence[Pictured]:
        """All posts."""
        ...

    @property
    def contexts(self) -> Sequence[VisualContext | None]:
        """What is known of each post's picture."""
        ...


def check_covered(config: Config, split: Covered) -> None:
    """Nothing, if the files of ``data.contexts`` know enough of the pictures of a split, or no I+T view is trained.

    Raises:
        DataError: More of them than ``data.contexts_missing`` allows have no row there: files of other pictures, or of
            another split.
    """
    if not _reads(config) or not config.data.contexts:
        return
    lacking = [post for post, one in zip(split.posts, split.contexts, strict=True) if post.image and one is None]
    pictures = sum(post.image is not None for post in split.posts)
    if len(lacking) <= config.data.contexts_missing * pictures:
        return
    example = short_name(lacking[0].image or "")
    raise DataError(
        f"{split.path}: of its {pictures} pictures {len(lacking)} have no row in {', '.join(config.data.contexts)}, "
        f'such as "{example}" ({lacking[0].where}); a share of {config.data.contexts_missing:g} may lack one. '
        "Add their rows (mner context build), or train with --set data.contexts_missing=1, which reads these posts as "
        "words alone"
    )


def check_read(config: Config, train: Covered) -> None:
    """Nothing, if the training posts have what [context] reads of their pictures, or no I+T view is trained.

    Raises:
        DataError: Hardly a post has a context of the kinds of ``context.order``, or none has one of a source that
            [context] names.
    """
    if not _reads(config):
        return
    posts = len(train.posts)
    used = sum(one is not None and bool(compose(one, config.context)) for one in train.contexts)
    least = LEAST * posts if config.data.contexts_missing < 1 else 1
    if used < max(least, 1):
        raise DataError(
            f"{train.path}: {used or 'none'} of its {posts} posts {'have' if used > 1 else 'has'} a visual "
            f"context with {' or '.join(config.context.order)}, yet the I+T view is trained; name data.contexts or "
            "data.images (mner context build makes one from pictures), or "
            + ("train all the same with --set data.contexts_missing=1" if used else 'set loss.views = ["T"]')
        )
    for kind in config.context.order:
        if kind == "ocr":  # rows name the engines any of which may have read; a picture without text has no row of it
            continue
        sources = {entry.source for one in train.contexts if one for entry in getattr(one, kind)}
        if unknown := [source for source in getattr(config.context, kind) or () if source not in sources]:
            there = f"there are {', '.join(sorted(sources))}" if sources else f"there are no {kind}"
            raise DataError(
                f"{train.path}: context.{kind} names {' and '.join(unknown)}, "
                f"which no context of its posts has; {there}"
            )


def _reads(config: Config) -> bool:
    """Whether an I+T view with texts is trained; features alone make one as well."""
    given = config.data.contexts or config.data.images is not None or config.data.features is None
    return bool(given) and "I+T" in config.loss.views and config.context.substitute != "empty"
