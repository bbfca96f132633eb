"""The store: by picture and extractor, shared by processes, never half-written, exchanged between machines."""

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
from PIL import Image
from typer.testing import CliRunner

from mner.cli import app
from mner.config import VisionConfig
from mner.contexts.artefact import iter_contexts, read_contexts
from mner.contexts.store import KEPT_AS, Store, export_store, import_files, import_into_store
from mner.data.listing import pictures
from mner.errors import DataError, MnerWarning
from mner.types import Caption, VisualContext
from mner.vision.build import build


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


CONFIG = VisionConfig(detector="", captioner="template", ocr="")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in (("a.png", "red"), ("b.png", "blue")):
        Image.new("RGB", (40, 30), colour).save(folder / name)
    return folder


@pytest.mark.parametrize("name", ["all.parquet", "all.jsonl"])
def test_export_and_import_spare_reading(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    build(pictures(photos), tmp_path / "a.jsonl", config=CONFIG, store=tmp_path / "one.sqlite")
    with Store(tmp_path / "one.sqlite") as source, Store(tmp_path / "two.sqlite") as target:
        assert export_store(source, tmp_path / name) == 2
        assert import_files([tmp_path / name], target) == (2, 0)
        assert list(target) == list(source)
    monkeypatch.setattr("mner.vision.extract.Extractor._look", lambda *_: pytest.fail("a picture was read again"))
    build(pictures(photos), tmp_path / "b.jsonl", config=CONFIG, store=tmp_path / "two.sqlite")
    assert (tmp_path / "b.jsonl").read_bytes() == (tmp_path / "a.jsonl").read_bytes()


def test_artefact_of_a_build_can_be_imported_as_it_is(photos: Path, tmp_path: Path) -> None:
    build(pictures(photos), tmp_path / "a.parquet", config=CONFIG, store=tmp_path / "one.sqlite")
    with Store(tmp_path / "one.sqlite") as source, Store(tmp_path / "two.sqlite") as target:
        assert import_files([tmp_path / "a.parquet"], target) == (2, 0)
        assert list(target) == list(source)


def test_rows_that_no_run_would_keep_are_left_out(tmp_path: Path) -> None:
    made_by = {"extractor": {"fingerprint": "f"}, "sha256": "aa"}
    rows = [
        VisualContext("1.jpg", sha256="aa"),
        VisualContext("1.jpg", extractor={"fingerprint": "f"}),
        VisualContext("1.jpg", **made_by, status="placeholder"),
        VisualContext("1.jpg", **made_by, reason="the ocr failed"),
        VisualContext("1.jpg", **made_by, extra={"edited": True}),
        VisualContext("1.jpg", sha256="aa", extra={KEPT_AS: 7}),
    ]
    with Store(tmp_path / "s.sqlite") as store:
        assert import_into_store(rows, store) == (0, 6)
        assert import_into_store([VisualContext("1.jpg", sha256="aa", extra={KEPT_AS: "g", "k": 1})], store) == (1, 0)
        assert list(store) == [("g", VisualContext("1.jpg", sha256="aa", extra={"k": 1}))]


def test_what_the_store_has_stays(tmp_path: Path) -> None:
    own = VisualContext("1.jpg", captions=(Caption("own"),), sha256="aa", extractor={"fingerprint": "f"})
    with Store(tmp_path / "s.sqlite") as store:
        store.put(own, "f")
        import_into_store([VisualContext("2.jpg", sha256="aa", extractor={"fingerprint": "f"})], store)
        assert store.get("aa", "f") == own


def test_commands_take_a_store_along(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    build(pictures(photos), tmp_path / "a.jsonl", config=CONFIG)
    run = CliRunner().invoke(app, ["store", "export", "all.parquet"])
    assert (run.exit_code, run.stdout) == (0, "all.parquet\n")
    assert {row.image for row in iter_contexts(Path("all.parquet"))} == set(read_contexts("a.jsonl"))
    run = CliRunner().invoke(app, ["store", "import", "all.parquet", "--store", "two.sqlite"])
    assert (run.exit_code, run.stdout) == (0, "two.sqlite\n")
    assert "2 records are in the store, 0 were left out" in run.stderr
    assert CliRunner().invoke(app, ["store", "export", "x.jsonl", "--store", "gone.sqlite"]).exit_code == 2
