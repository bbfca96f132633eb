"""Pictures in archives and tables: named, in order, and damaged ones told."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mner.data.archives import members, table
from mner.data.listing import pictures
from mner.errors import DataError


def picture(side: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (side, side)).save(stream, "PNG")
    return stream.getvalue()


def archive(path: Path, names: list[str], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as opened:  # type: ignore[call-overload]
        for number, name in enumerate(names, 1):
            content = picture(number)
            told = tarfile.TarInfo(name)
            told.size = len(content)
            opened.addfile(told, io.BytesIO(content))
    return path


def test_members_of_an_archive_are_read_in_place(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", ["./0001.png", "0001.json", "deep/0002.JPG"])
    found = list(members(path))
    assert [name for name, _ in found] == ["0001.png", "deep/0002.JPG"]
    assert [member.read() for _, member in found] == [picture(1), picture(3)]
    assert list(pictures(path)) == found


def test_members_of_several_archives_carry_its_name(tmp_path: Path) -> None:
    for name in ("b", "a"):
        archive(tmp_path / f"{name}.tar", ["1.png"])
    assert [name for name, _ in pictures(tmp_path)] == ["a/1.png", "b/1.png"]


@pytest.mark.parametrize("kind", ["damaged", "compressed", "missing"])
def test_archive_that_cannot_be_read_in_place_is_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.tar"
    if kind == "damaged":
        path.write_bytes(b"x" * 2000)
    elif kind == "compressed":
        archive(path, ["1.png"], "w:gz")
    with pytest.raises(DataError, match=r"a\.tar: no tar archive"):
        list(members(path))


def test_archive_without_pictures_is_told(tmp_path: Path) -> None:
    alone = archive(tmp_path / "a.tar", ["1.txt"])
    for source in (alone, tmp_path):
        with pytest.raises(DataError, match=f"{source}: holds no picture"):
            list(pictures(source))


def test_member_knows_its_size_before_it_is_read(tmp_path: Path) -> None:
    told = tarfile.TarInfo("huge.png")
    told.size = 60_000_000_000
    (tmp_path / "a.tar").write_bytes(told.tobuf())
    name, member = next(members(tmp_path / "a.tar"))
    assert (name, member.size) == ("huge.png", 60_000_000_000)


def test_folder_that_cannot_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shut").mkdir()
    (tmp_path / "1.png").write_bytes(picture(1))
    listed = os.scandir

    def scandir(folder: str) -> object:
        if Path(folder).name == "shut":
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(DataError, match="shut: cannot be listed: Permission denied; make the folder readable"):
        pictures(tmp_path)


def written(path: Path, columns: dict[str, Any]) -> Path:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    parquet.write_table(arrow.table(columns), path)
    return path


def test_table_of_paths_and_table_of_bytes(tmp_path: Path) -> None:
    paths = written(tmp_path / "paths.parquet", {"path": ["a.png", "b.png", None]})
    assert list(table(paths))[:2] == [("a.png", tmp_path / "a.png"), ("b.png", tmp_path / "b.png")]
    assert list(table(paths))[2] == ("paths-00000002", b"")
    assert next(iter(pictures(paths, images=Path("pics"))))[1] == Path("pics/a.png")
    held = written(tmp_path / "held.parquet", {"id": ["x", "y"], "image": [picture(1), picture(2)]})
    assert list(table(held)) == [("x", picture(1)), ("y", picture(2))]
    nested = written(tmp_path / "hub.parquet", {"image": [{"bytes": picture(1), "path": "a.png"}]})
    assert list(table(nested)) == [("a.png", picture(1))]


def test_table_of_bytes_is_never_in_memory_whole(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    rows = [os.urandom(100_000) for _ in range(300)]  # one group of rows, as by default
    options = {"use_dictionary": False, "write_batch_size": 8}
    parquet.write_table(arrow.table({"image": rows}), tmp_path / "a.parquet", **options)
    before, most = arrow.total_allocated_bytes(), 0
    for number, (_, content) in enumerate(table(tmp_path / "a.parquet")):
        assert content == rows[number]
        most = max(most, arrow.total_allocated_bytes() - before)
    assert number == 299 and most < 10_000_000 < sum(map(len, rows))


def test_table_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a column of pictures"):
        list(table(written(tmp_path / "none.parquet", {"likes": [1]})))
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    names = arrow.Array.from_buffers(arrow.string(), 1, arrow.array([b"\xff.png"]).buffers())
    with pytest.raises(DataError, match=r"odd\.parquet: no Parquet file that can be read .*invalid start byte"):
        list(table(written(tmp_path / "odd.parquet", {"path": names})))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1xxxxPAR1")
    with pytest.raises(DataError, match="no Parquet file that can be read"):
        list(table(tmp_path / "bad.parquet"))
