"""Files of posts and contexts -> both views of every post of a split, encoded once."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np

from mner import data
from mner.config import Config
from mner.data import Stamp
from mner.data.reading import rename
from mner.errors import ConfigError, DataError, why_not
from mner.types import Post, ViewName, VisualContext
from mner.views.batch import Encoded
from mner.views.compose import compose
from mner.views.contexts import contexts_of
from mner.views.encode import Views
from mner.views.features import arrays_of
from mner.views.inputs import NEEDS, Needs
from mner.views.substitute import substituted

Name = Literal["train", "dev", "test"]

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")

DRAW = 1
"""Seed of the generator that draws ``data.train_posts``."""


@dataclass(frozen=True, slots=True)
class ViewSplit:
    """A split with both views.

    Attributes:
        path: The file of posts, the first one if there are several.
        posts: All posts in file order, gold spans included, their types as ``data.rename`` has them.
        contexts: What is known of each post's picture, or what ``context.substitute`` puts in its place; None where
            the post has none or nothing is known.
        encoded: Token ids of each post by view; without a usable context I+T equals T.
        stamp: Content fingerprint and counts of the posts.
        coverage: Posts by what became of their picture: used, empty, none, unknown, or a context's status.
        kinds: Posts that have a context of each kind of ``context.order``, in that order.
        cut: Context sub-tokens left out by the budgets, by kind.
        fingerprint: Of posts and encoded views together.
        read: Of what is read of the posts' own pictures, see ``contexts_fingerprint``.
        features: Fingerprint of the extractor of its features; "" where the model declares no array.
        targets: Of the posts of a further task, what is to be learned (post,), by its key in their file.
    """

    path: Path
    posts: Sequence[Post]
    contexts: Sequence[VisualContext | None]
    encoded: Mapping[ViewName, Sequence[Encoded]]
    stamp: Stamp
    coverage: Mapping[str, int]
    kinds: Mapping[str, int]
    cut: Mapping[str, int]
    fingerprint: str
    read: str
    features: str = ""
    targets: Mapping[str, np.ndarray] = field(default_factory=dict)


def read_split(
    config: Config,
    root: Path,
    name: Name,
    views: Views,
    needs: Needs = NEEDS,
    *,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> ViewSplit:
    """A split of [data], whose paths are relative to ``root``, both views encoded.

    A post's context comes from the files of ``data.contexts``; where they have none and ``data.images`` names a
    folder, the picture is read by the backends of [vision], once: the store keeps the result. Where
    ``context.substitute`` says so, nothing or another picture's context replaces it. ``watch`` is called with the
    number of pictures read so far and in all.

    Raises:
        ConfigError: [data] does not name the split.
        DataError: A file is missing or faulty.
    """
    path = root / files_of(config, name)[0]
    return encoded_split(path, read_posts(config, root, name), config, root, views, needs, watch=watch)


def encoded_split(
    path: Path,
    posts: Sequence[Post],
    config: Config,
    root: Path,
    views: Views,
    needs: Needs,
    *,
    targets: Mapping[str, np.ndarray] | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> ViewSplit:
    """Posts with what is known of their pictures, both views encoded; see ``read_split``."""
    own = contexts_of(posts, config, root, watch=watch) if needs.context else [None] * len(posts)
    features = arrays_of(posts, config, root, needs)
    contexts = substituted(own, config.context.substitute, seed=config.seed)
    pieces = [() if context is None else compose(context, config.context) for context in contexts]
    words = [post.words for post in posts]
    encoded: dict[ViewName, Sequence[Encoded]] = {
        "T": views.encode_many(words),
        "I+T": views.encode_many(words, pieces, features.arrays),
    }
    states = Counter(
        state if state == "used" or (state and context is None) else _state(post, context, bool(piece))
        for post, context, piece, state in zip(posts, contexts, pieces, features.states, strict=True)
    )
    kinds = Counter[str](kind for piece in pieces for kind in {part.kind for part in piece})
    kinds.update(array.name for array in needs.pictured for state in features.states if state == "used")
    cut: Counter[str] = Counter()
    for post in encoded["I+T"]:
        cut.update(post.cut)
    stamp = data.stamp(posts)
    digest = hashlib.sha256(stamp.fingerprint.encode())
    for view in encoded.values():
        for post in view:
            digest.update(np.concatenate([np.asarray(window) for window in post.windows] or [np.zeros(0)]).tobytes())
            for array in post.arrays.values():
                digest.update(np.ascontiguousarray(array).tobytes())
    for target in (targets or {}).values():
        digest.update(target.tobytes())
    return ViewSplit(
        path=path,
        posts=posts,
        contexts=contexts,
        encoded=encoded,
        stamp=stamp,
        coverage=dict(states),
        kinds={kind: kinds[kind] for kind in (*config.context.order, *(array.name for array in needs.pictured))},
        cut=dict(cut),
        fingerprint=digest.hexdigest()[:12],
        read=contexts_fingerprint(own, config, features.fingerprint),
        features=features.fingerprint,
        targets=targets or {},
    )


def contexts_fingerprint(contexts: Sequence[VisualContext | None], config: Config, features: str = "") -> str:
    """12 hexadecimal digits of what [context] reads of these contexts, in order: kinds and texts; and of ``features``.

    It does not depend on the encoder, the budgets or ``context.substitute``: seeds of one experiment have the same, and
    another file of contexts, or an edited one, has another.
    """
    digest = hashlib.sha256(features.encode())
    for context in contexts:
        pieces = () if context is None else compose(context, config.context)
        digest.update(json.dumps([[piece.kind, piece.text] for piece in pieces]).encode() + b"\n")
    return digest.hexdigest()[:12]


def read_fingerprint(posts: Sequence[Post], config: Config, root: Path, needs: Needs) -> str:
    """``ViewSplit.read`` of posts as their pictures are read now."""
    own = contexts_of(posts, config, root) if needs.context else [None] * len(posts)
    return contexts_fingerprint(own, config, arrays_of(posts, config, root, needs).fingerprint)


def read_posts(config: Config, root: Path, name: Name) -> list[Post]:
    """The posts of a split, of all its files, their entity types renamed as [data] says.

    Of the training posts only as many as ``data.train_posts`` says, see ``drawn``. Training posts without labels are
    left out, as are posts of any split that were rejected by whoever labelled them; the log says how many.

    Raises:
        ConfigError: [data] does not name the split, or ``data.train_posts`` asks for more posts than there are.
        DataError: A file is missing, faulty or empty, no training post has labels, or a dev or test post has none.
    """
    files = files_of(config, name)
    posts: list[Post] = []
    left_out: Counter[str] = Counter()
    for file in files:
        path, before = root / file, len(posts)
        if not path.is_file():
            raise DataError(f"{path}: {why_not(path, 'file')}; data.{name} = {file!r} is relative to {root}")
        read = data.read(
            path,
            format=config.data.format,
            labels=config.data.labels,
            on_excluded=lambda post, reason: left_out.update([reason]),
        )
        posts += (rename(post, config.data.rename) for post in read)
        if len(posts) == before:
            raise DataError(f"{path}: holds no post")
    posts = _labelled(posts, name, left_out)
    if left_out:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
        _LOG.warning("%s: posts left out: %s", ", ".join(files), reasons)
    return trained_on(posts, config) if name == "train" else posts


def files_of(config: Config, name: Name) -> tuple[str, ...]:
    """The files of a split, as [data] names them.

    Raises:
        ConfigError: It names none.
    """
    files = config.data.files(name)
    if not files:
        raise ConfigError(f"data.{name}: not set; it names the file of the {name} posts")
    return files


def check_test_closed(config: Config, root: Path) -> None:
    """Check that no file of the test split is trained on or chosen by.

    Raises:
        ConfigError: One is.
    """
    test = {(root / file).resolve() for file in config.data.files("test")}
    read = {name: config.data.files(name) for name in ("train", "dev")}
    read |= {f"tasks.{name}": (file,) for name, file in config.data.tasks.items()}
    for name, files in read.items():
        for file in files:
            if (root / file).resolve() in test:
                raise ConfigError(
                    f"data.{name}: {file} is the test split, data.test; nothing is trained on it or chosen by it. "
                    "Name other posts, or take it out of data.test"
                )


def _labelled(posts: Sequence[Post], name: Name, left_out: Counter[str]) -> list[Post]:
    """The posts that have labels; all must, unless they are to be trained on."""
    labelled = [post for post in posts if post.spans is not None]
    first = next((post for post in posts if post.spans is None), None)
    if first is None:
        return labelled
    without = len(posts) - len(labelled)
    if name != "train":
        raise DataError(
            f'{first.where}: post "{first.id}" has no labels to score against ({without} of the {len(posts)} {name} '
            "posts have none). A post without entities has an empty list of them; take out those whose entities are "
            "not known"
        )
    if not labelled:
        raise DataError(
            f'{first.where}: no post has labels; training needs some, such as "entities": [{{"start": 0, "end": 4, '
            '"label": "LOC"}]'
        )
    left_out["without labels"] += without
    return labelled


def trained_on(posts: Sequence[_T], config: Config) -> list[_T]:
    """As many of the training posts that have labels as ``data.train_posts`` says, see ``drawn``.

    Raises:
        ConfigError: There are not as many.
    """
    wanted = config.data.train_posts
    if wanted > len(posts):
        files = ", ".join(config.data.files("train")) or "the file of training posts"
        raise ConfigError(f"data.train_posts: {wanted}, but {files} holds {len(posts)} with labels; 0 takes all")
    return drawn(posts, wanted) if wanted else list(posts)


def drawn(posts: Sequence[_T], count: int) -> list[_T]:
    """A random choice of ``count`` posts, in their order: the points of a learning curve.

    A larger choice contains every smaller one, whatever the seed of a run: all seeds and experiments train on the same.

    >>> from mner.types import Post
    >>> posts = [Post(str(number), "a", ("a",), ((0, 1),)) for number in range(9)]
    >>> [post.id for post in drawn(posts, 3)], [post.id for post in drawn(posts, 4)]
    (['0', '1', '7'], ['0', '1', '4', '7'])
    """
    order = np.random.default_rng(DRAW).permutation(len(posts))
    return [posts[place] for place in sorted(order[:count].tolist())]


def _state(post: Post, context: VisualContext | None, composed: bool) -> str:
    if post.image is None:
        return "none"
    if context is None:
        return "unknown"
    if context.status != "ok":
        return context.status
    return "used" if composed else "empty"
