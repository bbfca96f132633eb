"""Files that appear whole or not at all, their SHA-256, and the folder of what need not be computed again."""

from __future__ import annotations

import contextlib
import errno
import filecmp
import hashlib
import io
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from mner.errors import DataError

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
_ALONE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # a pipe that nobody reads, or a device that is not ready, holds nobody up


@contextmanager
def writing(path: Path, *, replace: bool = True) -> Iterator[TextIO]:
    """A UTF-8 text stream with Unix line ends whose content becomes ``path`` when the block ends without an error.

    The folder is made if need be. After an error or an interrupt, ``path`` is as it was before. A link at ``path`` is
    replaced, not followed; a device or a pipe is written to. ``replace=False`` refuses, at the end, to replace a file
    that has other content.

    Raises:
        DataError: The file cannot be written, or another process, or another thread of this one, is writing it.
    """
    with writing_bytes(path, replace=replace) as raw:
        stream = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
        yield stream
        stream.flush()


@contextmanager
def writing_bytes(path: Path, *, replace: bool = True) -> Iterator[BinaryIO]:
    """The same for bytes."""
    part = _part(path)
    with naming(path):
        special = _is_special(path)
        descriptor = _opened(path) if special else _claimed(path)
    raw = _File(descriptor, path)
    try:
        stream = io.BufferedWriter(raw)
        yield stream
        stream.flush()
        if not special:
            with naming(path):
                os.fsync(descriptor)
                _check_replaceable(path, replace)
                if os.name == "nt":  # Windows renames no open file, and has no lock to keep
                    raw.close()
                part.replace(path)
    except BaseException:
        if not special:
            part.unlink(missing_ok=True)  # it is still claimed, so nobody else's
        raise
    finally:
        raw.close()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """The private name under which a library writes what becomes ``path`` when the block ends without an error."""
    part = _part(path)
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        descriptor = os.open(part, _NEW | _ALONE, 0o666)
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
        os.close(descriptor)
    try:
        yield part
        with naming(path):
            settle(part, mode)
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def settle(path: Path, mode: int) -> None:
    """Sync a file that a library wrote, and give it the permissions of a new file: some libraries keep it private."""
    path.chmod(mode)
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """A block that writes ``path``, in which ``OSError`` becomes a ``DataError`` that names the file and what helps."""
    try:
        yield
    except BrokenPipeError:  # the reader of a pipe left, which is its right
        raise
    except OSError as error:
        advice = "make room, or name another place, and" if error.errno in _FULL else "name another place, or"
        raise DataError(
            f"{path}: cannot be written: {error.strerror or error}; {advice} run the same command again"
        ) from error


class _File(io.FileIO):
    """A file open for writing whose errors name the path that the user knows."""

    def __init__(self, descriptor: int, path: Path) -> None:
        super().__init__(descriptor, "wb")
        self._path = path

    def write(self, data: Any) -> int:
        with naming(self._path):
            return super().write(data) or 0


def _part(path: Path) -> Path:
    """The name of a file while it is written."""
    if not path.name or "\0" in path.name:
        raise DataError(f'"{path}": is not a file name; name the file to write')
    return path.with_name(f".{path.name}.mner.part")


def _claimed(path: Path) -> int:
    """A new empty file under the private name, locked for this writer; what a killed writer left is removed."""
    part = _part(path)
    part.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            descriptor = os.open(part, _NEW | _ALONE, 0o666)
        except FileExistsError:
            _remove_stale(part, path)
            continue
        if lock(descriptor) is not False and is_open(part, descriptor):
            return descriptor
        os.close(descriptor)  # between the two calls another writer removed it as a killed one's


def _remove_stale(part: Path, path: Path) -> None:
    try:
        descriptor = os.open(part, os.O_RDWR | _ALONE | _NO_WAIT)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        part.unlink(missing_ok=True)  # a link; what it points at stays
        return
    try:
        if lock(descriptor) is False:
            raise DataError(f"{path}: another process is writing this file; wait until it ends, or name another file")
        if is_open(part, descriptor):
            part.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def is_open(path: Path, descriptor: int) -> bool:
    """Whether an open file is still the one with that name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def lock(descriptor: int) -> bool | None:
    """Whether this process now has the lock of an open file, until it is closed; None where there are no locks."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):  # Windows, and file systems without locks
        return None
    return True


def _is_special(path: Path) -> bool:
    """Whether ``path`` is written to as it is: a device, a pipe, or an open file by its number (/dev/stdout)."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise DataError(f"{path}: is a disk or a socket, no place for a file; name another")
    if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode):
        return True
    place = path.parent.resolve()
    return place == Path("/dev") or place.is_relative_to("/proc")


def _opened(path: Path) -> int:
    """A device or a pipe, open for writing."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | _NO_WAIT)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise DataError(f"{path}: is a pipe that nobody reads; start its reader first") from None
        raise
    os.set_blocking(descriptor, True)
    return descriptor


def _check_replaceable(path: Path, replace: bool) -> None:
    """Refuse to replace a file that has other content than the new one."""
    with contextlib.suppress(FileNotFoundError):
        if not replace and path.stat().st_size and not filecmp.cmp(_part(path), path, shallow=False):
            raise DataError(f"{path}: exists, with other content; name another file, or pass --force to replace it")


def append(path: Path, text: str) -> None:
    """Add to the end of a file, all or nothing; it is made if need be, like its folder, and a link is not followed.

    Raises:
        DataError: The file cannot be written, for instance because the disk is full.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _ALONE | _NO_WAIT, 0o666)
        try:
            before, line = os.fstat(descriptor).st_size, memoryview(text.encode())
            rest = line
            try:
                while rest:  # a disk that is nearly full takes a part
                    rest = rest[os.write(descriptor, rest) :]
                os.fsync(descriptor)
            except BaseException:
                with contextlib.suppress(OSError):  # a pipe has no length
                    if os.fstat(descriptor).st_size == before + len(line) - len(rest):  # nobody else added to it
                        os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a whole text."""
    with writing(path) as stream:
        stream.write(text)


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def relative(path: Path, folder: Path) -> str:
    """The path as seen from a folder. ".." leaves the folder that a link points at, so links on the way are followed.

    >>> relative(Path("data/train.txt"), Path("configs"))
    '../data/train.txt'
    """
    return os.path.relpath(path.parent.resolve() / path.name, folder.resolve())


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def cache_folder() -> Path:
    """``$MNER_CACHE``, else ``mner`` in ``$XDG_CACHE_HOME`` or in ``~/.cache``."""
    if folder := os.environ.get("MNER_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mner"


def first_time(note: str) -> bool:
    """Whether a note is given for the first time, which is then remembered; always where that is impossible."""
    mark = cache_folder() / "notes" / hashlib.sha256(note.encode("utf-8", "replace")).hexdigest()[:16]
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        return True
    return True
