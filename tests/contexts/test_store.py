"""The store: by picture and extractor, shared by processes, never half-written."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from mner.contexts.store import Store
from mner.errors import DataError, MnerWarning
from mner.types import Caption, VisualContext


def context(name: str, sha: str) -> VisualContext:
    return VisualContext(name, captions=(Caption("a dog \ud83d" if name == "odd" else "a dog"),), sha256=sha)


def test_store_keeps_by_picture_and_extractor(tmp_path: Path) -> None:
    with Store(tmp_path / "deep" / "a.sqlite") as store:
        store.put(context("1.jpg", "aa"), "f1")
        assert store.get("aa", "f1") == context("1.jpg", "aa")
        assert store.get("aa", "f2") is None and store.get("bb", "f1") is None
        store.put(context("2.jpg", "aa"), "f1")
        assert len(store) == 1
    with Store(tmp_path / "deep" / "a.sqlite") as store:
        assert store.get("aa", "f1") == context("2.jpg", "aa")


def test_half_characters_survive(tmp_path: Path) -> None:
    with Store(tmp_path / "a.sqlite") as store:
        store.put(context("odd", "aa"), "f")
        assert store.get("aa", "f") == context("odd", "aa")


def test_context_without_hash_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "a.sqlite") as store, pytest.raises(ValueError, match="without sha256"):
        store.put(VisualContext("1.jpg"), "f")


def test_file_that_is_no_store_is_refused_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect, opened = sqlite3.connect, []
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **how: opened.append(connect(*given, **how)) or opened[-1])
    (tmp_path / "a.sqlite").write_bytes(b"not a database, just text" * 100)
    with pytest.raises(DataError, match="cannot be used as the store"):
        Store(tmp_path / "a.sqlite")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


@pytest.mark.parametrize(
    "row",
    ["{", "[]", '{"image": "1.jpg", "status": "of a later version"}', b"\xff\xfe{}", 5, None, "[" * 5000 + "]" * 5000],
)
def test_damaged_row_counts_as_not_read_and_is_replaced(tmp_path: Path, row: object) -> None:
    with Store(tmp_path / "a.sqlite") as store:
        store.put(context("1.jpg", "aa"), "f")
        with sqlite3.connect(tmp_path / "a.sqlite") as other:
            how = "CAST(? AS TEXT)" if isinstance(row, bytes) else "?"
            other.execute(f"UPDATE contexts SET row = {how}", (row,))
        other.close()
        assert store.get("aa", "f") is None
        assert list(store) == []
        store.put(context("1.jpg", "aa"), "f")
        assert store.get("aa", "f") == context("1.jpg", "aa")


def test_file_that_another_holds_too_long_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mner.contexts.store.WAIT", 0.05)
    with Store(tmp_path / "a.sqlite") as store:
        other = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DataError, match=r"a\.sqlite: cannot be used .*locked"):
            store.put(context("1.jpg", "aa"), "f")
        other.close()


def damaged(path: Path) -> None:
    with Store(path) as store:
        for number in range(200):
            store.put(context("1.jpg", f"{number}"), "f")
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)


def made_by_another(statement: str, path: Path) -> None:
    with sqlite3.connect(path) as base:
        base.execute(statement)
    base.close()


def test_database_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    made_by_another("CREATE TABLE notes (text TEXT)", path)
    before = path.read_bytes()
    with pytest.raises(
        DataError, match=r"theirs\.sqlite: cannot be used as the store .*keeps notes in it.*another file"
    ):
        Store(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["theirs.sqlite"]


@pytest.mark.parametrize(
    ("harm", "advice"),
    [
        (damaged, "it is damaged; remove it"),
        (lambda path: path.write_bytes(b"just text" * 500), "it is not a store of contexts: name another file"),
        (partial(made_by_another, "CREATE TABLE moz_places (id INTEGER, url TEXT)"), "keeps moz_places in it"),
        (partial(made_by_another, "CREATE TABLE contexts (id INTEGER, note TEXT)"), "keeps contexts in it"),
        (partial(made_by_another, "CREATE VIEW today AS SELECT 1"), "keeps today in it"),
        (lambda path: path.mkdir(), "MNER_CACHE to a folder that can be written"),
    ],
)
def test_advice_suits_the_fault_and_a_store_not_needed_is_done_without(
    tmp_path: Path, harm: Callable[[Path], None], advice: str
) -> None:
    path = tmp_path / "a.sqlite"
    harm(path)
    with pytest.raises(DataError, match=advice), Store(path) as store:
        store.get("1", "f")
    with pytest.warns(MnerWarning, match=advice) as warned, Store(path, needed=False) as store:
        for _ in range(3):
            assert store.get("1", "f") is None
            store.put(context("1.jpg", "1"), "f")
    assert len(warned) == 1


def test_full_disk_is_the_only_fault_that_asks_for_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, asks in ((errno.ENOSPC, True), (errno.EROFS, False), (errno.EACCES, False)):
        monkeypatch.setattr(Path, "mkdir", partial(_refuse, number))
        with pytest.raises(DataError) as caught:
            Store(tmp_path / "new" / "a.sqlite")
        assert ("make room" in str(caught.value)) == asks


def _refuse(number: int, *_: object, **__: object) -> None:
    raise OSError(number, os.strerror(number))


WRITER = """
import sys
from pathlib import Path
from mner.types import VisualContext
from mner.contexts.store import Store

with Store(Path(sys.argv[1])) as store:
    for number in range(40):
        store.put(VisualContext("x.jpg", sha256=f"{sys.argv[2]}-{number}"), "f")
"""


def test_processes_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(writer)]) for writer in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    with Store(path) as store:
        assert len(store) == 120


def test_store_stands_in_the_cache_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))
    with Store() as store:
        assert store.path == tmp_path / "cache" / "contexts.sqlite"


def test_many_open_a_new_store_at_once(tmp_path: Path) -> None:
    at_once = Barrier(8)

    def opened(path: Path) -> int:
        at_once.wait()
        with Store(path) as store:
            return len(store)

    with ThreadPoolExecutor(8) as threads:
        for turn in range(30):
            assert list(threads.map(opened, [tmp_path / f"{turn}.sqlite"] * 8)) == [0] * 8
