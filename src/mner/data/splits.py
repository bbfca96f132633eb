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

_OTHER = {".md", ".toml", ".part", ".npz", ".py", ".zip", ".tar", ".tgz", ".log", ".html"}


def split_of(path: str | Path) -> str | None:
    """The split that a file's name states: "train", "dev" (also valid, validation, val), "test" or None.

    >>> split_of("wnut17train.conll"), split_of("twitter2015/valid.txt"), split_of("contest.txt")
    ('train', 'dev', None)
    """
    names = {_NAMES[name] for name in _IN_NAME.findall(Path(path).name.lower())}
    return names.pop() if len(names) == 1 else None


def splits(paths: Iterable[str | Path]) -> dict[str, Path]:
    """Split name -> file, in the order train, dev, test, others.

    Of a folder, the files whose names state a split are taken; of several for the same split, the one with that name
    alone (``train.txt``). A gzip file (``train.txt.gz``) is taken where the unpacked one is not beside it. A file whose
    name states none, or one that is taken already, goes by its path.

    Raises:
        DataError: A path is missing, or a folder has no or several files for a split.
    """
    named: dict[str, Path] = {}
    for path in map(Path, paths):
        if path.is_dir():
            files = _in_folder(path)
        elif path.is_file():
            files = {split_of(path) or str(path): path}
        elif path.exists():
            raise DataError(
                f"{path}: is a pipe or a device, and this command reads its files more than once; write it into a file"
            )
        else:
            raise DataError(f"{path}: no such file or folder")
        for name, file in files.items():
            named[str(file) if name in named else name] = file
    first = {name: named[name] for name in SPLITS if name in named}
    return first | named


def _in_folder(folder: Path) -> dict[str, Path]:
    present = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    unpacked = {path: path.with_suffix("") if path.suffix.lower() == ".gz" else path for path in present}
    files = [
        path
        for path, name in unpacked.items()
        if name.suffix.lower() not in _OTHER and (path == name or name not in unpacked)
    ]
    splits: dict[str, Path] = {}
    for split in SPLITS:
        alone = [path for path in files if _NAMES.get(unpacked[path].stem.lower()) == split]
        named = [path for path in files if split_of(path) == split and unpacked[path].suffix.lower() not in _TABLES]
        best = [path for path in alone if path in named] or named or alone
        if len(best) > 1:
            raise DataError(
                f"{folder}: {' and '.join(path.name for path in best)} could both be {split}; "
                "name the files instead of the folder"
            )
        if best:
            splits[split] = best[0]
    if not splits:
        raise DataError(
            f"{folder}: no file named train, dev (or valid) or test, such as train.txt; it holds "
            f"{', '.join(path.name for path in files[:8]) or 'no file'}. Name the files instead"
        )
    return splits
