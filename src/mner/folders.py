"""Folders that one process writes at a time, and that are replaced whole or not at all."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mner.errors import DataError
from mner.files import is_open, lock, naming, settle

LOCK = ".mner.lock"
"""A file with this name says which process writes the folder; it is removed when that process ends."""

WAIT = 2.0
"""Seconds that one process waits for another that is replacing the same folder, or file, at this moment."""


@contextmanager
def held(folder: Path, file: Path | None = None) -> Iterator[None]:
    """A block in which no other process, and no other thread of this one, writes a folder.

    The system frees the lock when its process ends, however that ends. Where a file system has no locks, the folder is
    free if the process that the lock file names does not run. ``file`` is the lock file, by default ``.mner.lock`` in
    the folder. Folders that it takes are made, and those that are still empty in the end are removed.

    Raises:
        DataError: Another process writes the folder; the message names it and its machine. Or the lock file cannot
            be written.
    """
    file = file or folder / LOCK
    missing = [place for place in (file.parent, *file.parent.parents) if not place.exists()]
    with naming(folder):
        descriptor = _taken(file, folder)
    try:
        yield
    finally:
        with suppress(OSError):
            file.unlink()  # it is still held, so nobody else's
        os.close(descriptor)
        with suppress(OSError):
            for place in missing:
                place.rmdir()


def _taken(file: Path, folder: Path) -> int:
    """The open lock file, locked and with this process's name in it."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(file, flags, 0o666)
        except FileNotFoundError:  # another process made the folder, and removed it between the two calls
            continue
        got = lock(descriptor)
        host, _, number = os.read(descriptor, 500).decode(errors="replace").strip().partition(" ")
        if got is False or (got is None and number.isdigit() and _may_live(host, int(number))):
            os.close(descriptor)
            remove = "" if got is False else f"; if that process is over, remove {file}"
            raise DataError(
                f"{folder}: process {number or '?'} on {host or '?'} is writing this folder; wait until it ends, or "
                f"name another folder{remove}"
            )
        if is_open(file, descriptor):
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, f"{socket.gethostname()} {os.getpid()}\n".encode())
            return descriptor
        os.close(descriptor)  # its holder removed it between the two calls


def _may_live(host: str, process: int) -> bool:
    """Whether a process may still run: it does, or it is on another machine."""
    if host == socket.gethostname():
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return False
        except OSError:  # it runs, for another user
            pass
    return True


@contextmanager
def replacing_folder(folder: Path, *, own: Collection[str] = ()) -> Iterator[Path]:
    """A new folder that takes the place of ``folder`` when the block ends without an error.

    After an error nothing is left of the new folder; after a kill the next command that reads or replaces ``folder``
    repairs it. Of an old folder all files stay but those that the new one has and those in ``own``, relative paths.

    Raises:
        DataError: Another process is replacing the same folder, or it cannot be written.
    """
    folder = _real(folder)
    part = part_of(folder)
    with held(folder, _lock_of(folder)):
        with naming(folder):
            _put_right(folder)
            _remove(part)
            part.mkdir()
        try:
            yield part
            with naming(folder):
                _settle(part)
                _keep_others(folder, part, own)
                if folder.exists():
                    folder.rename(old_of(folder))
                part.rename(folder)
                _put_right(folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def restore(folder: Path) -> None:
    """Give a folder its name back if a process was killed between renaming the old one and the new one."""
    folder = _real(folder)
    until = time.monotonic() + WAIT
    while not folder.exists() and old_of(folder).is_dir():
        try:
            with held(folder, _lock_of(folder)):
                _put_right(folder)
        except DataError:  # another process is doing so, or nothing can be written here
            if time.monotonic() > until:
                return
            time.sleep(0.01)


def part_of(folder: Path) -> Path:
    """The private name of a folder while it is written.

    >>> part_of(Path("my-model")).name
    '.my-model.mner.part'
    """
    return folder.with_name(f".{folder.name}.mner.part")


def old_of(folder: Path) -> Path:
    """The private name of a folder while another takes its place; what users call ``my-model.old`` is their own.

    >>> old_of(Path("my-model")).name
    '.my-model.mner.old'
    """
    return folder.with_name(f".{folder.name}.mner.old")


def _real(folder: Path) -> Path:
    """The folder itself, if its path is a link to it or ends in "." or ".."."""
    return folder.resolve() if folder.is_symlink() or folder.name in {"", ".."} else folder


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}{LOCK}")


def _keep_others(folder: Path, part: Path, own: Collection[str]) -> None:
    """Give a new folder the files of others in the one that it replaces."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        if (path.is_symlink() or not path.is_dir()) and name.as_posix() not in own and not (part / name).exists():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, part / name, follow_symlinks=False)
            except OSError:  # a file system without hard links
                shutil.copy2(path, part / name, follow_symlinks=False)


def _put_right(folder: Path) -> None:
    """Finish a replacement, or take back one that a process was killed in the middle of."""
    old = old_of(folder)
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
    elif old.is_dir():
        old.rename(folder)


def _settle(folder: Path) -> None:
    """Sync every file, and give it the permissions of a new file: some libraries keep theirs private."""
    probe = folder / LOCK
    probe.touch()
    mode = stat.S_IMODE(probe.stat().st_mode)
    probe.unlink()
    for path in folder.rglob("*"):
        if path.is_file():
            settle(path, mode)


def _remove(path: Path) -> None:
    """Remove a file, a folder or a link, which is not followed."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)
