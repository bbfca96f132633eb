"""The store: by picture and extractor, shared by processes, never half-written."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mner.errors import DataError
from mner.types import Caption, VisualContext
from mner.vision.store import Store


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


@pytest.mark.parametrize("row", ["{", "[]", '{"image": "1.jpg", "status": "of a later version"}'])
def test_damaged_row_counts_as_not_read_and_is_replaced(tmp_path: Path, row: str) -> None:
    with Store(tmp_path / "a.sqlite") as store:
        store.put(context("1.jpg", "aa"), "f")
        with sqlite3.connect(tmp_path / "a.sqlite") as other:
            other.execute("UPDATE contexts SET row = ?", (row,))
        other.close()
        assert store.get("aa", "f") is None
        store.put(context("1.jpg", "aa"), "f")
        assert store.get("aa", "f") == context("1.jpg", "aa")


def test_file_that_another_holds_too_long_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mner.vision.store.WAIT", 0.05)
    with Store(tmp_path / "a.sqlite") as store:
        other = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DataError, match=r"a\.sqlite: cannot be used .*locked"):
            store.put(context("1.jpg", "aa"), "f")
        other.close()


WRITER = """
import sys
from pathlib import Path
from mner.types import VisualContext
from mner.vision.store import Store

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
