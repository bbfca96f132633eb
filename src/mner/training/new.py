"""Somebody's own files -> a configuration that trains on them."""

from __future__ import annotations

import io
import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from mner import config as configs
from mner import data, encoders
from mner.errors import DataError, ModelError, why_not
from mner.files import relative, write_text
from mner.types import Post

LEAST_STEPS = 300
"""Optimizer steps that training takes at least; with fewer a small file teaches the embedded encoder nothing."""

DEV_EVERY = 10
"""Without dev posts, every tenth group of training posts becomes dev."""


def new_config(
    path: Path,
    *,
    name: str,
    train: Path,
    dev: Path | None = None,
    test: Path | None = None,
    contexts: Sequence[Path] = (),
    images: Path | None = None,
    encoder: str = "embedded:minilm",
    replace: bool = True,
) -> str:
    """The text of a configuration for one's own posts, to be written to ``path``.

    With contexts or a folder of pictures it trains ITA with cross-view alignment, else the text alone. Without
    ``dev`` the training posts are parted nine to one into two JSONL files in its folder; posts that share their
    text or picture stay together. ``replace`` False keeps files there that have other content.

    Raises:
        DataError: A file is missing or faulty, there are too few posts to part, or a file would be replaced.
    """
    folder = path.parent
    for posts in (train, dev, test):
        if posts is not None and next(iter(data.read(posts)), None) is None:
            raise DataError(f"{posts}: holds no post")
    if images is not None and not images.is_dir():
        raise DataError(f"{images}: {why_not(images, 'folder')}; name the folder of the posts' pictures")
    parts: dict[Path, list[Post]] = {}
    if dev is None:
        parts = _parts(train, folder)
        train, dev = parts
    learned = parts[train] if parts else data.read(train)
    labelled = sum(post.spans is not None for post in learned)
    files = {"train": train, "dev": dev, "test": test, "images": images}
    table: dict[str, object] = {key: relative(path, folder) for key, path in files.items() if path is not None}
    table["contexts"] = [relative(path, folder) for path in contexts]
    pictures = bool(contexts) or images is not None
    config = configs.check(
        {
            "name": name,
            "data": {"name": name, **table},
            "model": {"name": "ita" if pictures else "text", "encoder": encoder, "case_shape": _is_uncased(encoder)},
            "loss": {"views": ["T", "I+T"], "cva": "posterior"} if pictures else {"views": ["T"]},
            "training": steps_for(labelled),
        }
    )
    _write(parts, replace=replace)  # last, so that whatever is refused leaves nothing behind
    file = shlex.quote(str(path))
    return (
        "# Written by mner config new; what each key means: docs/reference/config.md\n"
        f"# Train: mner train {file}    Check the data first: mner data check --config {file}\n\n"
        + configs.dumps(config)
    )


def _is_uncased(encoder: str) -> bool:
    """Whether an encoder reads all letters as small ones; of one that is not here, what its name says."""
    try:
        normalizer = Tokenizer.from_file(str(encoders.find(encoder).tokenizer)).normalizer
    except ModelError:
        return "uncased" in encoder or encoder in ("embedded:minilm", "embedded:mpnet")
    return normalizer is not None and bool(normalizer.normalize_str("A") == "a")


def steps_for(posts: int) -> dict[str, int]:
    """Settings of [training] under which few posts get enough optimizer steps; none where there are many posts.

    Smaller steps come first, then several passes an epoch, so that dev is scored as often as for many posts.

    >>> steps_for(4000), steps_for(16)
    ({}, {'posts_per_step': 4, 'passes': 8})
    """
    defaults = configs.TrainingConfig()
    if posts * defaults.epochs >= LEAST_STEPS * defaults.posts_per_step:
        return {}
    size = 8 if posts >= 100 else 4
    passes = math.ceil(LEAST_STEPS / (defaults.epochs * math.ceil(max(posts, 1) / size)))
    return {"posts_per_step": size, "passes": passes}


def _parts(train: Path, folder: Path) -> dict[Path, list[Post]]:
    """The posts to train on and those of dev, by the files that will hold them."""
    posts = [post for post in data.read(train) if post.spans is not None]
    groups = _groups(posts)
    if len(groups) < DEV_EVERY:
        raise DataError(f"{train}: {len(groups)} different posts with labels are too few to set some aside; name --dev")
    parts: tuple[list[Post], list[Post]] = ([], [])
    for number, group in enumerate(groups):
        parts[number % DEV_EVERY == DEV_EVERY - 1].extend(group)
    return {folder / f"{train.stem}.{part}.jsonl": of for part, of in zip(("train", "dev"), parts, strict=True)}


def _write(parts: Mapping[Path, Sequence[Post]], *, replace: bool) -> None:
    """Write all parts, or none where a file with other content is in the way."""
    texts: dict[Path, str] = {}
    for path, part in parts.items():
        data.write(part, stream := io.StringIO(), format="jsonl")
        texts[path] = stream.getvalue()
        if not replace and path.exists() and path.read_bytes() not in (b"", texts[path].encode()):
            raise DataError(
                f"{path}: exists, with other content; if it holds your dev posts, name them: --dev {path}; else pass "
                "--force to replace it, or choose another folder: --out FOLDER/NAME.toml"
            )
    for path, text in texts.items():
        write_text(path, text)


def _groups(posts: Sequence[Post]) -> list[list[Post]]:
    """Posts that share their text or a picture, be it through others, in one group; by each group's first post."""
    joins = list(range(len(posts)))  # an earlier post of the same group; a group's first post joins itself
    owners: dict[tuple[str, str], int] = {}

    def first_of(number: int) -> int:
        while joins[number] != number:
            joins[number] = joins[joins[number]]
            number = joins[number]
        return number

    for number, post in enumerate(posts):
        for key in (("text", post.text), *(("image", name) for name in post.images)):
            first, later = sorted((first_of(owners.setdefault(key, number)), first_of(number)))
            joins[later] = first
    groups: dict[int, list[Post]] = {}
    for number, post in enumerate(posts):
        groups.setdefault(first_of(number), []).append(post)
    return list(groups.values())
