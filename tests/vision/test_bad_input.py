"""What goes wrong while contexts are built: full disks, odd captions, pictures without pixels, loops, rivals."""

from __future__ import annotations

import errno
import io
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mner import files
from mner.config import ContextConfig, VisionConfig
from mner.contexts.artefact import PARQUET, read_contexts, write_contexts
from mner.contexts.store import Store
from mner.data.listing import pictures
from mner.errors import DataError
from mner.types import Caption, VisualContext
from mner.views.compose import compose
from mner.vision.build import build
from mner.vision.extract import Extractor

OFF = VisionConfig(detector="", captioner="", ocr="")


def photos(folder: Path, count: int = 4) -> Path:
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (20 + number, 10), "red").save(folder / f"{number:03d}.png")
    return folder


class Full(files._File):
    """A file on a disk that has room for some bytes more."""

    room = 20_000

    def write(self, data: Any) -> int:
        self.room -= len(data)
        with files.naming(self._path):
            if self.room < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("suffix", [".jsonl", PARQUET])
def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    out = tmp_path / f"a{suffix}"
    write_contexts([VisualContext("old.jpg")], out)

    monkeypatch.setattr("mner.files._File", Full)
    rows = (VisualContext(f"{number}.jpg", reason=f"{number}" * 50) for number in range(40_000))
    with pytest.raises(DataError, match=rf"a{suffix}: cannot be written: No space left on device; make room"):
        write_contexts(rows, out)
    assert list(read_contexts(out)) == ["old.jpg"]
    assert [file.name for file in tmp_path.iterdir()] == [out.name]


def test_full_disk_under_the_store_names_it_and_keeps_what_was_read(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        (pages,) = store._base.execute("PRAGMA page_count").fetchone()
        store._base.execute(f"PRAGMA max_page_count = {pages + 2}")
        stored = 0
        with pytest.raises(DataError, match=r"s\.sqlite: cannot be used as the store .*full"):
            for number in range(1_000):
                store.put(VisualContext("x.jpg", captions=(Caption("x" * 500),), sha256=str(number)), "f")
                stored += 1
    assert stored > 0
    with Store(tmp_path / "s.sqlite") as store:
        assert len(store) == stored


ODD = {
    "control": "a\x00dog\x1b[2J on\r\na\x85\u2028beach\x07",
    "long": "a very long caption " * 500,
    "blank": " \t\n",
    "half": "half \ud83d a character",
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("suffix", [".jsonl", PARQUET])
def test_odd_caption_stops_neither_build_nor_file_nor_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, suffix: str
) -> None:
    caption = Caption(ODD[name], source="template")
    monkeypatch.setattr("mner.vision.captioners.template.Captioner.__call__", lambda *args, **more: [caption])
    items = pictures(photos(tmp_path / "p", 2))
    config = OFF.model_copy(update={"captioner": "template"})
    outs = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for out in outs:  # the second time from the store
        build(items, out, config=config, store=tmp_path / "s.sqlite")
        assert [row.status for row in read_contexts(out).values()] == ["ok", "ok"]
    assert dict(read_contexts(outs[0])) == dict(read_contexts(outs[1]))
    row = VisualContext("1.jpg", captions=(caption,))
    write_contexts([row], outs[0])
    assert read_contexts(outs[0])["1.jpg"] == row
    pieces = compose(row, ContextConfig())
    assert len(pieces) == (name != "blank")
    assert all(piece.text == " ".join(piece.text.split()) and "\x1b" not in piece.text for piece in pieces)


def test_caption_of_ten_thousand_characters_is_cut_to_its_budget_and_counted(tiny_encoder: Path) -> None:
    from mner.encoders import find
    from mner.views import Views

    views = Views(find(str(tiny_encoder)), ContextConfig(budget={"captions": 50}))
    context = VisualContext("1.jpg", captions=(Caption("a dog " * 1_700),))
    (encoded,) = views.encode_many([("Kevin", "wins")], [compose(context, views.options)])
    assert encoded.cut["captions"] > 3_000
    assert len(encoded.windows) == 1


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0)])
def test_picture_of_no_width_or_height_gets_a_row(size: tuple[int, int]) -> None:
    row = Extractor(OFF).read(Image.new("RGB", size), image="flat.png")
    assert (row.status, row.reason) == ("unreadable", f"the picture has no pixels ({size[0]} x {size[1]})")


def test_file_that_says_zero_pixels_gets_a_row(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (3, 3)).save(stream, "BMP")
    content = bytearray(stream.getvalue())
    content[18:22] = bytes(4)  # the width in the header
    (tmp_path / "flat.bmp").write_bytes(content)
    row = Extractor(OFF).read(tmp_path / "flat.bmp", image="flat.bmp")
    assert row.status == "unreadable" and row.reason


def test_loops_of_links_end_and_are_told(tmp_path: Path) -> None:
    folder = photos(tmp_path / "p", 2)
    (folder / "deep").mkdir()
    (folder / "deep" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "self.png").symlink_to(folder / "self.png")
    (folder / "ping.png").symlink_to(folder / "pong.png")
    (folder / "pong.png").symlink_to(folder / "ping.png")
    statuses = build(pictures(folder), tmp_path / "a.jsonl", config=OFF, store=tmp_path / "s.sqlite")
    assert statuses == {"ok": 2, "unreadable": 3}
    given = read_contexts(tmp_path / "a.jsonl")
    assert list(given) == ["000.png", "001.png", "ping.png", "pong.png", "self.png"]
    assert "Too many levels of symbolic links" in (given["self.png"].reason or "")


BUILD = """
import sys
from pathlib import Path
from mner.config import VisionConfig
from mner.data.listing import pictures
from mner.vision.build import build

config = VisionConfig(detector="", captioner="template", ocr="")
build(pictures(Path(sys.argv[1])), Path(sys.argv[2]), config=config, store=Path(sys.argv[3]), workers=2)
"""


def test_two_processes_build_the_same_store(tmp_path: Path) -> None:
    folder, store = photos(tmp_path / "p", 60), tmp_path / "s.sqlite"
    outs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    commands = [[sys.executable, "-c", BUILD, str(folder), str(out), str(store)] for out in outs]
    running = [subprocess.Popen(command) for command in commands]
    assert [process.wait(60) for process in running] == [0, 0]
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert len(read_contexts(outs[0])) == 60
    with Store(store) as stored:
        assert len(stored) == 60
    with sqlite3.connect(store) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    base.close()


def test_two_builds_of_one_file_never_mix(tmp_path: Path) -> None:
    items = pictures(photos(tmp_path / "p", 3))

    def slow() -> Iterator[tuple[str, Path]]:
        yield items[0]
        with pytest.raises(DataError, match="another process is writing this file"):
            build(items, tmp_path / "a.jsonl", config=OFF, store=tmp_path / "s.sqlite")
        yield from items[1:]

    build(slow(), tmp_path / "a.jsonl", config=OFF, store=tmp_path / "s.sqlite")
    assert len(read_contexts(tmp_path / "a.jsonl")) == 3
