"""Files of posts and contexts -> both views of every post of a split, encoded once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mner import data
from mner.config import Config
from mner.data import Stamp
from mner.data.pictures import picture_path
from mner.errors import ConfigError, DataError
from mner.types import Post, ViewName, VisualContext
from mner.views.batch import Encoded
from mner.views.compose import compose
from mner.views.encode import Views


@dataclass(frozen=True, slots=True)
class ViewSplit:
    """A split with both views.

    Attributes:
        path: The file of posts.
        posts: All posts in file order, gold spans included.
        contexts: What is known of each post's picture; None where the post has none or nothing is known.
        encoded: Token ids of each post by view; without a usable context I+T equals T.
        stamp: Content fingerprint and counts of the posts.
        coverage: Posts by what became of their picture: used, empty, none, unknown, or a context's status.
        cut: Context sub-tokens left out by the budgets, by kind.
        fingerprint: Of posts and encoded views together.
    """

    path: Path
    posts: Sequence[Post]
    contexts: Sequence[VisualContext | None]
    encoded: Mapping[ViewName, Sequence[Encoded]]
    stamp: Stamp
    coverage: Mapping[str, int]
    cut: Mapping[str, int]
    fingerprint: str


def read_split(
    config: Config,
    root: Path,
    name: str,
    views: Views,
    *,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> ViewSplit:
    """The split ``name`` ("train", "dev" or "test") of [data], both views encoded.

    A post's context comes from the files of ``data.contexts``; where they have none and ``data.images`` names a
    folder, the picture is read by the backends of [vision], once: the store keeps the result.

    Args:
        config: The resolved configuration.
        root: Folder that the paths of [data] are relative to.
        name: Which split.
        views: The encoder's tokenizer with the view options.
        watch: Called with the number of pictures read so far and in all.

    Raises:
        ConfigError: [data] does not name the split.
        DataError: A file is missing or faulty.
    """
    told = getattr(config.data, name)
    if told is None:
        raise ConfigError(f"data.{name}: not set; it names the file of the {name} posts")
    path = root / told
    if not path.is_file():
        raise DataError(f"{path}: no such file; data.{name} = {told!r} is relative to {root}")
    posts = list(data.read(path, format=config.data.format, labels=config.data.labels))
    if not posts:
        raise DataError(f"{path}: holds no post")
    contexts = read_contexts_of(posts, config, root, watch=watch)
    pieces = [() if one is None else compose(one, config.context) for one in contexts]
    words = [post.words for post in posts]
    encoded: dict[ViewName, Sequence[Encoded]] = {
        "T": views.encode_many(words),
        "I+T": views.encode_many(words, pieces),
    }
    states = Counter(_state(post, one, bool(piece)) for post, one, piece in zip(posts, contexts, pieces, strict=True))
    cut: Counter[str] = Counter()
    for one in encoded["I+T"]:
        cut.update(one.cut)
    stamp = data.stamp(posts)
    digest = hashlib.sha256(stamp.fingerprint.encode())
    for view in encoded.values():
        for one in view:
            digest.update(np.concatenate([np.asarray(window) for window in one.windows] or [np.zeros(0)]).tobytes())
    return ViewSplit(path, posts, contexts, encoded, stamp, dict(states), dict(cut), digest.hexdigest()[:12])


def read_contexts_of(
    posts: Sequence[Post],
    config: Config,
    root: Path,
    *,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> list[VisualContext | None]:
    """The visual context of each post, from the files of ``data.contexts`` or from its picture."""
    known: list[VisualContext | None] = [None] * len(posts)
    if config.data.contexts:
        from mner.vision.artefact import read_contexts

        contexts = read_contexts([root / file for file in config.data.contexts])
        known = [None if post.image is None else contexts.get(post.image) for post in posts]
    if config.data.images is None:
        return known
    folder = root / config.data.images
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; data.images = {config.data.images!r} is relative to {root}")
    wanted = {
        post.image: None for post, one in zip(posts, known, strict=True) if one is None and post.image is not None
    }
    if wanted:
        from mner.vision.extract import Extractor
        from mner.vision.store import Store

        extractor = Extractor(config.vision)
        read: dict[str, VisualContext] = {}
        with Store() as store:
            for number, one in enumerate(
                extractor.stream(((image, picture_path(folder, image)) for image in wanted), store=store), 1
            ):
                read[one.image] = one
                watch(number, len(wanted))
        known = [
            read.get(post.image) if one is None and post.image is not None else one
            for post, one in zip(posts, known, strict=True)
        ]
    return known


def _state(post: Post, context: VisualContext | None, composed: bool) -> str:
    if post.image is None:
        return "none"
    if context is None:
        return "unknown"
    if context.status != "ok":
        return context.status
    return "used" if composed else "empty"
