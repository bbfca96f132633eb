"""What training requires of the visual contexts of its posts, for training and for checks of the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from mner.config import Config
from mner.errors import DataError
from mner.picture_files import short_name
from mner.types import VisualContext
from mner.views.compose import compose
from mner.views.inputs import Needs

LEAST = 0.01
"""Share of the training posts that must have a context, or name a picture, before the I+T view is trained."""

EXAMPLE = '{"text": "Kevin Love is back", "image": "1.jpg"}; in columns, "# image = 1.jpg" precedes the words'
"""How posts name their pictures."""


class Pictured(Protocol):
    """A post's picture, and where the post stands, ``file:line``."""

    @property
    def image(self) -> str | None: ...  # noqa: D102

    @property
    def where(self) -> str: ...  # noqa: D102


class Covered(Protocol):
    """A split: its first file, its posts, and the context of each, replaced as ``context.substitute`` says."""

    @property
    def path(self) -> Path: ...  # noqa: D102

    @property
    def posts(self) -> Sequence[Pictured]: ...  # noqa: D102

    @property
    def contexts(self) -> Sequence[VisualContext | None]: ...  # noqa: D102


def check_covered(config: Config, split: Covered) -> None:
    """Check that the files of ``data.contexts`` cover the pictures of a split, if the I+T view is trained.

    Raises:
        DataError: More of them than ``data.contexts_missing`` allows have no record there: files of other pictures, or
            of another split.
    """
    if not _reads(config) or not config.data.contexts:
        return
    lacking = [
        post for post, context in zip(split.posts, split.contexts, strict=True) if post.image and context is None
    ]
    pictures = sum(post.image is not None for post in split.posts)
    if len(lacking) <= config.data.contexts_missing * pictures:
        return
    example = short_name(lacking[0].image or "")
    raise DataError(
        f"{split.path}: of its {pictures} pictures {len(lacking)} have no record in {', '.join(config.data.contexts)}, "
        f'such as "{example}" ({lacking[0].where}); a share of {config.data.contexts_missing:g} may lack one. '
        "Add their records (mner context build), or train with --set data.contexts_missing=1, which reads these "
        "posts as words alone"
    )


def check_read(config: Config, train: Covered) -> None:
    """Check that the training posts have what [context] reads of their pictures, if the I+T view is trained.

    Raises:
        DataError: Hardly a post has a context of the kinds of ``context.order``, or none has one of a source that
            [context] names.
    """
    if not _reads(config):
        return
    posts = len(train.posts)
    contexts = [context for context in train.contexts if context is not None]
    used = sum(bool(compose(context, config.context)) for context in contexts)
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
        sources = {entry.source for context in contexts for entry in getattr(context, kind)}
        if unknown := [source for source in getattr(config.context, kind) or () if source not in sources]:
            there = f"there are {', '.join(sorted(sources))}" if sources else f"there are no {kind}"
            raise DataError(
                f"{train.path}: context.{kind} names {' and '.join(unknown)}, "
                f"which no context of its posts has; {there}"
            )


def check_pictured(config: Config, split: Covered, needs: Needs, example: str = EXAMPLE) -> None:
    """Check that posts to train on name pictures, if the I+T view is trained on features; ``example`` shows how.

    Without ``data.features`` zeros stand for every picture, and nothing is checked.

    Raises:
        DataError: Hardly a post names one.
    """
    if not needs.pictured or config.data.features is None or "I+T" not in config.loss.views:
        return
    posts = len(split.posts)
    named = sum(bool(post.image) for post in split.posts)
    if named < max(LEAST * posts, 1):
        raise DataError(
            f"{split.path}: hardly any post names a picture ({named} of {posts}), yet the model "
            f'"{config.model.name}" is trained on features of pictures. Expected posts such as {example}. To train '
            'without pictures, leave out data.features and set data.features_missing = "zero"'
        )


def _reads(config: Config) -> bool:
    """Whether an I+T view with texts is trained; features alone make one as well."""
    given = config.data.contexts or config.data.images is not None or config.data.features is None
    return bool(given) and "I+T" in config.loss.views and config.context.substitute != "empty"
