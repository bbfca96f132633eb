"""A folder or files -> the splits they hold, by name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from mner.errors import DataError

SPLITS = ("train", "dev", "test")
"""The splits, in the order they are read and shown."""

_NAMES = {"train": "train", "dev": "dev", "valid": "dev", "validation": "dev", "val": "dev", "test": "test"}
_IN_NAME = re.compile(r"(?<![a-z])(train|dev|validation|valid|val|test)(?![a-z])")
_TABLES = {".json", ".csv"}
"""Suffixes of files that may hold posts or anything else: they are taken where the name is a split's alone."""

_OTHER = {".md", ".toml", ".part", ".npz", ".py", ".gz", ".zip", ".log", ".html"}


def split_of(path: str | Path) -> str | None:
    """The split that a file's name tells: "train", "dev" (also valid, validation, val), "test" or None.

    >>> split_of("wnut17train.conll"), split_of("twitter2015/valid.txt"), split_of("contest.txt")
    ('train', 'dev', None)
    """
    found = {_NAMES[name] for name in _IN_NAME.findall(Path(path).name.lower())}
    return found.pop() if len(found) == 1 else None


def splits(paths: Iterable[str | Path]) -> dict[str, Path]:
    """Split name -> file, in the order train, dev, test, others.

    A folder gives the files in it whose names tell a split; where several tell the same, one that is named by it
    alone (``train.txt``). A file whose name tells none, or one that is taken, goes by its path.

    Raises:
        DataError: A path is missing, or a folder has no or several files for a split.
    """
    named: dict[str, Path] = {}
    for path in map(Path, paths):
        if path.is_dir():
            found = _in_folder(path)
        elif path.is_file():
            found = {split_of(path) or str(path): path}
        elif path.exists():
            raise DataError(
                f"{path}: is a pipe or a device, and this command reads its files more than once; write it into a file"
            )
        else:
            raise DataError(f"{path}: no such file or folder")
        for name, file in found.items():
            named[str(file) if name in named else name] = file
    first = {name: named[name] for name in SPLITS if name in named}
    return first | named


def _in_folder(folder: Path) -> dict[str, Path]:
    files = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in _OTHER
    ]
    found: dict[str, Path] = {}
    for split in SPLITS:
        alone = [path for path in files if _NAMES.get(path.stem.lower()) == split]
        named = [path for path in files if split_of(path) == split and path.suffix.lower() not in _TABLES]
        best = [path for path in alone if path in named] or named or alone
        if len(best) > 1:
            raise DataError(
                f"{folder}: {' and '.join(path.name for path in best)} could both be {split}; "
                "name the files instead of the folder"
            )
        if best:
            found[split] = best[0]
    if not found:
        raise DataError(
            f"{folder}: no file named train, dev (or valid) or test, such as train.txt; it holds "
            f"{', '.join(path.name for path in files[:8]) or 'no file'}. Name the files instead"
        )
    return found
