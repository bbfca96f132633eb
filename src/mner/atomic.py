"""Files that appear whole or not at all: written under another name, then renamed."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from mner.errors import DataError


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text stream with Unix line ends whose content becomes ``path`` when the block ends without an error.

    The folder is made if need be. After an error, an interrupt included, ``path`` is as it was before.

    Raises:
        DataError: Another process, or another thread of this one, is writing the same file.
    """
    with writing_bytes(path) as raw:
        stream = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
        try:
            yield stream
            stream.flush()
        finally:
            stream.detach()


@contextmanager
def writing_bytes(path: Path) -> Iterator[BinaryIO]:
    """The same for bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with _claimed(part, path) as stream:
        try:
            yield stream
            stream.flush()
            if os.name == "nt":  # Windows renames no open file, and has no lock to keep
                stream.close()
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)  # it is still claimed, so nobody else's
            raise


def _claimed(part: Path, path: Path) -> BinaryIO:
    """The empty file ``part``, open for this writer alone; what a killed writer left in it is gone."""
    while True:
        stream = part.open("ab+")
        if _locked(stream.fileno()):
            if _is(part, stream):
                stream.truncate(0)
                return stream
            stream.close()  # its writer renamed or removed it between the two calls
            continue
        stream.close()
        raise DataError(f"{path}: another process is writing this file; wait for its end, or name another file")


def _is(part: Path, stream: BinaryIO) -> bool:
    try:
        return os.path.samestat(part.stat(), os.fstat(stream.fileno()))
    except FileNotFoundError:
        return False


def _locked(descriptor: int) -> bool:
    """Whether the lock of an open file is ours now; where the system has no such locks, always."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):  # Windows, and file systems without locks
        return True
    return True


def write_text(path: Path, text: str) -> None:
    """Write a whole text."""
    with writing(path) as stream:
        stream.write(text)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")
