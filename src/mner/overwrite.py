"""What may be overwritten: files and folders that mner wrote, and others only by force."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mner.errors import DataError

GENERATOR = b'<meta name="generator" content="mner">'
"""Part of every page that mner writes."""

_HEAD = 4096  # bytes at the beginning of a page or a report that say that mner wrote it
_LINE = 2**24  # bytes of a record, at most
_RUN = ("config.toml", "record.json", "metrics.jsonl", "checkpoint.safetensors", "model")
_COLUMNS = tuple(name.encode() for name in ("image", "status", "sha256", "captions", "extractor", "other"))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of output.

    Attributes:
        name: What a message calls it.
        is_own: Whether the file or folder at a path is of this kind and mner's own; None for files that people write,
            too, where that cannot be seen.
    """

    name: str
    is_own: Callable[[Path], bool] | None


def check_file(path: Path, kind: Kind, *, force: bool = False) -> None:
    """Refuse to overwrite a file that mner did not write, unless it is empty, a device or a pipe, or by ``force``.

    Raises:
        DataError: It is such a file, or a folder.
    """
    try:
        status = path.stat()
    except OSError:  # there is no file, or writing it will show what is wrong
        return
    if stat.S_ISDIR(status.st_mode):
        raise DataError(f"{path}: is a folder; name a file")
    if stat.S_ISREG(status.st_mode) and status.st_size:
        _check(path, kind, "replace it", force=force)


def check_folder(path: Path, kind: Kind, *, force: bool = False) -> None:
    """Refuse to write into a folder that is not empty and that mner did not write, unless by ``force``.

    Raises:
        DataError: It is such a folder, or a file.
    """
    if path.is_dir():
        if any(path.iterdir()):
            _check(path, kind, "write into it", force=force)
    elif path.exists():
        raise DataError(f"{path}: is a file; name a folder")


def _check(path: Path, kind: Kind, what: str, *, force: bool) -> None:
    if force:
        return
    if kind.is_own is None:
        raise DataError(f"{path}: exists; name another, or pass --force to {what}")
    try:
        own = kind.is_own(path)
    except OSError as error:
        raise DataError(f"{path}: exists, and cannot be read: {error.strerror or error}; name another") from None
    if not own:
        raise DataError(
            f"{path}: exists, and is not {kind.name} that mner wrote; name another, or pass --force to {what}"
        )


def _row(path: Path) -> dict[str, Any]:
    """The first line of a file as a JSON object; an empty one for anything else."""
    with path.open("rb") as stream:
        line = stream.readline(_LINE)
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def _is_contexts(path: Path) -> bool:
    """Records begin with image and status; of a Parquet file the last bytes name the columns."""
    with path.open("rb") as stream:
        if stream.read(4) == b"PAR1":
            stream.seek(-min(path.stat().st_size, 2**20), 2)
            tail = stream.read()
            return all(name in tail for name in _COLUMNS)
    return list(_row(path))[:2] == ["image", "status"]


def _is_predictions(path: Path) -> bool:
    return list(_row(path))[:5] == ["id", "text", "entities", "view", "image_status"]


def _holds(text: bytes) -> Callable[[Path], bool]:
    def is_own(path: Path) -> bool:
        with path.open("rb") as stream:
            return text in stream.read(_HEAD)

    return is_own


def _is_pages(folder: Path) -> bool:
    """Every page that would be replaced is mner's, and there is one."""
    pages = [path for path in folder.glob("*.html") if path.stem == "index" or path.stem.isdigit()]
    return bool(pages) and all(map(_holds(GENERATOR), pages))


def _is_run(folder: Path) -> bool:
    return any((folder / name).exists() for name in _RUN)


CONTEXTS = Kind("a file of contexts", _is_contexts)
PREDICTIONS = Kind("a file of predictions", _is_predictions)
TASKS = Kind("tasks of a labelling tool", None)
PAGE = Kind("a page", _holds(GENERATOR))
PAGES = Kind("a folder of pages", _is_pages)
REPORT = Kind("a report", _holds(b"Written by `mner report`"))
MODEL = Kind("a model", lambda folder: (folder / "model.json").is_file())
RUN = Kind("a run", _is_run)
SEARCH = Kind("a search", lambda folder: (folder / "trials.jsonl").exists())
CONFIG = Kind("a configuration", None)
