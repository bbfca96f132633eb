"""What was read from pictures, stored by picture and extractor in one sqlite file, and exchanged as artefacts."""

from __future__ import annotations

import errno
import json
import sqlite3
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from mner.contexts.artefact import iter_contexts, write_contexts
from mner.contexts.edit import MARK
from mner.contexts.rows import from_row, to_row
from mner.errors import DataError, MnerWarning
from mner.files import cache_folder
from mner.types import VisualContext

WAIT = 60.0
"""Seconds that a writer waits for another one."""

_FULL = "make room on its disk, or name another file. What it holds stays; the same command goes on from there"
_DAMAGED = "it is damaged; remove it, and pictures are read again: rm {path}"
_FOREIGN = "it is not a store of contexts: name another file, or set MNER_CACHE to another folder"
_READ_ONLY = "name another file, or set MNER_CACHE to a folder that can be written"
_BUSY = "another process holds it; wait for its end, then run the same command again"

_ADVICE = {
    **dict.fromkeys((sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR), _FULL),
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED), _BUSY),
    **dict.fromkeys((sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM), _READ_ONLY),
    sqlite3.SQLITE_NOTADB: _FOREIGN,
}
"""What to do about a fault, by the primary code that sqlite gives; anything else is damage."""

_COLUMNS = ["sha256", "fingerprint", "row"]

KEPT_AS = "kept_as"
"""Key of a record of an exported store: its fingerprint in the store."""


class Store:
    """Contexts by (picture's SHA-256, extractor's fingerprint); several processes and threads may use it at once.

    Args:
        path: The file; None takes ``contexts.sqlite`` in the user's cache. Its folder is made if need be.
        needed: False: if the store cannot be used, now or later, warn once (``MnerWarning``) and go on without it.

    Raises:
        DataError: The file cannot be opened or is not a store, and it is needed.
    """

    def __init__(self, path: Path | None = None, *, needed: bool = True) -> None:
        self.path = path or cache_folder() / "contexts.sqlite"
        self._needed, self._lost = needed, False
        self._base: Any = None
        # One statement at a time: sqlite refuses a write at once, without waiting, where another thread of the same
        # connection is in the middle of reading and another process has written since.
        self._turn = threading.Lock()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Autocommit: each put is durable by itself, so a killed run keeps what it had read.
            self._base = sqlite3.connect(self.path, timeout=WAIT, isolation_level=None, check_same_thread=False)
            with ExitStack() as failed:
                failed.callback(self._base.close)
                self._check_own()
                self._base.text_factory = bytes  # a row that is not UTF-8 is a damaged row, not a damaged file
                self._write_ahead()
                self._base.execute("PRAGMA synchronous=NORMAL")
                self._base.execute(
                    "CREATE TABLE IF NOT EXISTS contexts (sha256 TEXT, fingerprint TEXT, row TEXT, "
                    "PRIMARY KEY (sha256, fingerprint)) WITHOUT ROWID"
                )
                failed.pop_all()
        except (OSError, sqlite3.Error) as error:
            self._fail(error)

    def _check_own(self) -> None:
        """Refuse another program's database, before anything in it is changed."""
        tables = [str(name) for (name,) in self._base.execute("SELECT name FROM sqlite_master WHERE type != 'index'")]
        columns = [column[1] for column in self._base.execute("PRAGMA table_info(contexts)")]
        if tables and columns != _COLUMNS:
            error = sqlite3.DatabaseError(f"another program keeps {', '.join(tables[:5])} in it")
            error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
            raise error

    def _write_ahead(self) -> None:
        """Let readers and a writer work at the same time; sqlite does not wait to change this, so try again."""
        until = time.monotonic() + WAIT
        while True:
            try:
                self._base.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def _fail(self, error: Exception) -> None:
        """Raise what is wrong with the file; if the store is not needed, warn and go on without it."""
        if isinstance(error, OSError):
            advice = _FULL if error.errno in {errno.ENOSPC, errno.EDQUOT} else _READ_ONLY
        else:
            advice = _ADVICE.get(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF, _DAMAGED)
        message = f"{self.path}: cannot be used as the store of contexts ({error}); {advice.format(path=self.path)}"
        if self._needed:
            raise DataError(message) from error
        if not self._lost:
            self._lost = True
            warnings.warn(f"{message}. Pictures are read without it", MnerWarning, stacklevel=3)

    def get(self, sha256: str, fingerprint: str) -> VisualContext | None:
        """What that extractor read from that picture; None if it has not read it, or if the row is damaged.

        Raises:
            DataError: The file cannot be read.
        """
        query = "SELECT row FROM contexts WHERE sha256 = ? AND fingerprint = ?"
        values = None
        try:
            if not self._lost:
                with self._turn, closing(self._base.execute(query, (sha256, fingerprint))) as cursor:
                    values = cursor.fetchone()
        except sqlite3.Error as error:
            self._fail(error)
        return None if values is None else self._row(values[0])

    def _row(self, row: Any) -> VisualContext | None:
        try:
            return from_row(json.loads(row), where=str(self.path))
        except (ValueError, TypeError, RecursionError, DataError):  # the picture is read again, which replaces the row
            return None

    def __iter__(self) -> Iterator[tuple[str, VisualContext]]:
        """Fingerprint and context of every row that is not damaged; others may write meanwhile.

        Raises:
            DataError: The file cannot be read.
        """
        try:
            for fingerprint, row in self._base.execute("SELECT fingerprint, row FROM contexts"):
                context = self._row(row)
                if context is not None and isinstance(fingerprint, bytes):
                    yield fingerprint.decode(errors="replace"), context
        except sqlite3.Error as error:
            self._fail(error)

    def put(self, context: VisualContext, fingerprint: str) -> None:
        """Store what an extractor read; ``context.sha256`` must be set.

        Raises:
            DataError: The file cannot be written: no space, or another writer held it for ``WAIT`` seconds.
        """
        if context.sha256 is None:
            raise ValueError(f"{context.image}: a context without sha256 cannot be stored")
        values = (context.sha256, fingerprint, json.dumps(to_row(context)))
        try:
            if not self._lost:
                with self._turn:
                    self._base.execute("INSERT OR REPLACE INTO contexts VALUES (?, ?, ?)", values)
        except sqlite3.Error as error:
            self._fail(error)

    def __len__(self) -> int:
        try:
            return int(self._base.execute("SELECT COUNT(*) FROM contexts").fetchone()[0])
        except sqlite3.Error as error:
            self._fail(error)
            return 0

    def close(self) -> None:
        """Close the file, after what another thread is in the middle of."""
        with self._turn:
            if self._base is not None:
                self._base.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def export_store(store: Store, path: Path) -> int:
    """Write all that is in a store into an artefact, JSONL or Parquet by its suffix; the number of records.

    A record's ``image`` is the name under which the picture was read first.

    Raises:
        DataError: The store cannot be read or the file cannot be written.
    """
    rows = (replace(row, extra={**row.extra, KEPT_AS: fingerprint}) for fingerprint, row in store)
    return write_contexts(rows, path)


def import_into_store(rows: Iterable[VisualContext], store: Store) -> tuple[int, int]:
    """Put records of artefacts into a store; how many are in it now, and how many were left out.

    A record is taken if a run would have stored it: its status is ok, no backend failed, nobody edited it, and it names
    its picture (``sha256``) and its extractor. What the store has already stays.

    Raises:
        DataError: A record cannot be read, or the store cannot be written.
    """
    stored = left_out = 0
    for row in rows:
        fingerprint = row.extra.get(KEPT_AS, (row.extractor or {}).get("fingerprint"))
        failed = row.status != "ok" or row.reason or row.extra.get(MARK)
        if row.sha256 is None or not isinstance(fingerprint, str) or failed:
            left_out += 1
            continue
        stored += 1
        if store.get(row.sha256, fingerprint) is None:
            extra = {key: value for key, value in row.extra.items() if key != KEPT_AS}
            store.put(replace(row, extra=extra), fingerprint)
    return stored, left_out


def import_files(paths: Iterable[Path], store: Store) -> tuple[int, int]:
    """The same for artefact files, or folders of them."""
    return import_into_store((row for path in paths for row in iter_contexts(path)), store)
