"""What one store keeps is found in another one: nothing is read twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from mner.cli import app
from mner.config import VisionConfig
from mner.contexts.artefact import iter_contexts, read_contexts
from mner.contexts.exchange import KEPT_AS, export_store, import_files, import_into_store
from mner.contexts.store import Store
from mner.data.listing import pictures
from mner.types import Caption, VisualContext
from mner.vision.build import build

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
    with Store(tmp_path / "one.sqlite") as one, Store(tmp_path / "two.sqlite") as two:
        assert export_store(one, tmp_path / name) == 2
        assert import_files([tmp_path / name], two) == (2, 0)
        assert list(two) == list(one)
    monkeypatch.setattr("mner.vision.extract.Extractor._look", lambda *_: pytest.fail("a picture was read again"))
    build(pictures(photos), tmp_path / "b.jsonl", config=CONFIG, store=tmp_path / "two.sqlite")
    assert (tmp_path / "b.jsonl").read_bytes() == (tmp_path / "a.jsonl").read_bytes()


def test_artefact_of_a_build_can_be_imported_as_it_is(photos: Path, tmp_path: Path) -> None:
    build(pictures(photos), tmp_path / "a.parquet", config=CONFIG, store=tmp_path / "one.sqlite")
    with Store(tmp_path / "one.sqlite") as one, Store(tmp_path / "two.sqlite") as two:
        assert import_files([tmp_path / "a.parquet"], two) == (2, 0)
        assert list(two) == list(one)


def test_rows_that_no_run_would_keep_are_left_out(tmp_path: Path) -> None:
    told = {"extractor": {"fingerprint": "f"}, "sha256": "aa"}
    rows = [
        VisualContext("1.jpg", sha256="aa"),
        VisualContext("1.jpg", extractor={"fingerprint": "f"}),
        VisualContext("1.jpg", **told, status="placeholder"),
        VisualContext("1.jpg", **told, reason="the ocr failed"),
        VisualContext("1.jpg", **told, extra={"edited": True}),
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
    assert "2 rows are in the store, 0 left out" in run.stderr
    assert CliRunner().invoke(app, ["store", "export", "x.jsonl", "--store", "gone.sqlite"]).exit_code == 2
