"""Pictures in archives and tables: named, in order, and refused where they are damaged."""

from __future__ import annotations

import io
import os
import random
import tarfile
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mner.data.archives import members, table
from mner.data.listing import pictures
from mner.errors import DataError, ImageError


def picture(side: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (side, side)).save(stream, "PNG")
    return stream.getvalue()


def archive(path: Path, names: list[str], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as opened:  # type: ignore[call-overload]
        for number, name in enumerate(names, 1):
            content = picture(number)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    return path


def test_members_of_an_archive_are_read_in_place(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", ["./0001.png", "0001.json", "deep/0002.JPG"])
    pictures_found = list(members(path))
    assert [name for name, _ in pictures_found] == ["0001.png", "deep/0002.JPG"]
    assert [member.read() for _, member in pictures_found] == [picture(1), picture(3)]
    assert list(pictures(path)) == pictures_found


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
    with pytest.raises(DataError, match=r"a\.tar: not a tar archive"):
        list(members(path))


def test_folder_of_archives_and_pictures_gives_both(tmp_path: Path) -> None:
    archive(tmp_path / "old.tar", ["1.png"])
    for name in ("1.png", "deep/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (5, 5)).save(tmp_path / name)
    assert [name for name, _ in pictures(tmp_path)] == ["old/1.png", "1.png", "deep/2.png"]
    (tmp_path / "deep").rename(tmp_path / "old")
    assert [name for name, _ in pictures(tmp_path)] == ["old/1.png", "1.png", "old/2.png"]
    (tmp_path / "1.png").rename(tmp_path / "old" / "1.png")  # as where an archive was unpacked beside itself
    with pytest.raises(DataError, match=r"old\.tar: 1\.png would be called old/1\.png, as .*1\.png is"):
        list(pictures(tmp_path))


def test_suffix_of_an_archive_may_be_in_capitals(tmp_path: Path) -> None:
    for name in ("a.tar", "B.TAR"):
        archive(tmp_path / name, ["1.png"])
    assert sorted(name for name, _ in pictures(tmp_path)) == ["B/1.png", "a/1.png"]


def test_archive_without_pictures_is_told(tmp_path: Path) -> None:
    alone = archive(tmp_path / "a.tar", ["1.txt"])
    for source in (alone, tmp_path):
        with pytest.raises(DataError, match=f"{source}: holds no picture"):
            list(pictures(source))


@pytest.mark.parametrize("again", ["1.png", "./1.png"])
def test_different_members_of_one_name_are_refused(tmp_path: Path, again: str) -> None:
    def packed(*sides: int) -> Path:
        with tarfile.open(tmp_path / "a.tar", "w") as tar:
            for name, side in zip(("1.png", again), sides, strict=True):
                content = picture(side)
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        return tmp_path / "a.tar"

    assert [name for name, _ in members(packed(5, 5))] == ["1.png", "1.png"]  # the same picture twice
    with pytest.raises(DataError, match=r"a\.tar: two different pictures are called 1\.png"):
        list(members(packed(5, 6)))


def test_archive_that_changed_gives_no_other_picture(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", ["1.png", "2.png"])
    listed = list(members(path))
    assert [Image.open(io.BytesIO(member.read())).width for _, member in listed] == [1, 2]
    archive(path, ["2.png", "1.png"])
    for _, member in listed:
        with pytest.raises(ImageError, match=r"a\.tar has changed since it was listed"):
            member.read()


def test_folder_called_like_an_archive_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "old.tar").mkdir()
    (tmp_path / "old.tar" / "1.png").write_bytes(picture(5))
    assert [name for name, _ in pictures(tmp_path)] == ["old.tar/1.png"]


def test_member_knows_its_size_before_it_is_read(tmp_path: Path) -> None:
    member = tarfile.TarInfo("huge.png")
    member.size = 60_000_000_000
    (tmp_path / "a.tar").write_bytes(member.tobuf())
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


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ({"name": ["cat", "cat"]}, ["1.jpg", "2.jpg"]),
        ({"path": ["a/1.jpg", "b/1.jpg"]}, ["a/1.jpg", "b/1.jpg"]),
        ({}, ["1.jpg", "2.jpg"]),
    ],
)
def test_picture_in_a_struct_is_called_by_its_path(
    tmp_path: Path, columns: dict[str, list[str]], names: list[str]
) -> None:
    images = [{"bytes": b"A", "path": "1.jpg"}, {"bytes": b"B", "path": "2.jpg"}]
    path = written(tmp_path / "t.parquet", {**columns, "image": images})
    assert list(table(path)) == list(zip(names, (b"A", b"B"), strict=True))


def test_different_pictures_of_one_name_are_refused(tmp_path: Path) -> None:
    path, names = tmp_path / "t.parquet", ["cat", "dog", "cat"]
    written(path, {"name": names, "bytes": [b"A", b"B", b"A"]})
    assert [name for name, _ in table(path)] == names
    for images in ([b"A", b"B", b"C"], [{"bytes": each, "path": None} for each in (b"A", b"B", b"C")]):
        written(path, {"name": names, "image": images})
        with pytest.raises(DataError, match="rows 0 and 2 both call their picture cat, and the pictures differ"):
            list(table(path))


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
    with pytest.raises(DataError, match=r"odd\.parquet: damaged, or not a Parquet file .*invalid start byte"):
        list(table(written(tmp_path / "odd.parquet", {"path": names})))
    (tmp_path / "bad.parquet").write_bytes(b"PAR1xxxxPAR1")
    with pytest.raises(DataError, match="damaged, or not a Parquet file"):
        list(table(tmp_path / "bad.parquet"))


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A header whose size is written in 8 bytes of base 256, which may be negative."""
    member = tarfile.TarInfo(name)
    member.type = kind
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT)[:512])
    block[124:136] = (b"\xff" if size < 0 else b"\x80") + size.to_bytes(11, "big", signed=True)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize("size", [-512, -1, -(2**62), 2**62, 2**80])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, b"Z"])
def test_member_of_impossible_size_ends_the_archive(tmp_path: Path, size: int, kind: bytes) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(header("1.png", size, kind) + picture(1).ljust(512, b"\0") + bytes(1024))
    with pytest.raises(DataError, match=r"a\.tar: not a tar archive that can be read in place \(.*bytes"):
        list(members(path))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_those_that_tarfile_finds(tmp_path: Path, form: int) -> None:
    path, long = tmp_path / "a.tar", form != tarfile.USTAR_FORMAT
    with tarfile.open(path, "w", format=form) as opened:
        for number, name in enumerate(
            ["1.png", "\u00fc" * 30 + ".png", "d/" * (150 if long else 40) + "3.png", "4", "5.txt"]
        ):
            content = picture(number + 1)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
            folder, link = tarfile.TarInfo(f"folder{number}"), tarfile.TarInfo(f"link{number}.png")
            folder.type, link.type, link.linkname = tarfile.DIRTYPE, tarfile.SYMTYPE, "/etc/passwd"
            opened.addfile(folder)
            opened.addfile(link)
    with tarfile.open(path) as opened:
        expected = [
            (member.name, member.offset_data, member.size)
            for member in opened
            if member.isfile() and "txt" not in member.name
        ]
    assert [(name, member.offset, member.size) for name, member in members(path)] == expected


def test_damaged_archives_end_and_never_go_back(tmp_path: Path) -> None:
    rng = random.Random(5)
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as opened:
        for name in ("1.png", "\u00fc" * 200 + ".png", "3"):
            content = picture(2)
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content))
    whole, refused = path.read_bytes(), 0
    starts = [at for at in range(0, len(whole), 512) if whole[at + 257 : at + 262] == b"ustar"]
    for _ in range(600):
        damaged = bytearray(whole[: rng.choice([len(whole), rng.randrange(len(whole))])])
        start = rng.choice(starts)
        if len(damaged) < start + 512:
            continue
        for _ in range(rng.choice([1, 3])):
            at = rng.choice([rng.randrange(512), rng.randrange(124, 136), 124, 156])
            damaged[start + at] = rng.choice([rng.randrange(256), 0x80, 0xFF])
        damaged[start + 148 : start + 156] = b" " * 8
        damaged[start + 148 : start + 156] = b"%06o\0 " % sum(damaged[start : start + 512])
        path.write_bytes(damaged)
        places = [0]
        try:
            for _, member in members(path):
                assert member.offset > places[-1] and member.size >= 0
                places.append(member.offset)
        except DataError:
            refused += 1
        assert len(places) - 1 <= len(damaged) // 512
    assert refused > 50


def repeated(path: Path, value: bytes | str, times: int, name: str = "image") -> Path:
    """A table whose dictionary has one long value, which all rows repeat: a few kB that unpack to much."""
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    column = arrow.DictionaryArray.from_arrays(arrow.array([0] * times, arrow.int32()), arrow.array([value]))
    options = {"compression": "zstd", "dictionary_pagesize_limit": 2**30, "store_schema": False}
    parquet.write_table(arrow.table({name: column}), path, **options)
    assert path.stat().st_size < 20_000
    return path


def test_table_that_unpacks_to_far_more_than_it_holds_is_refused(tmp_path: Path) -> None:
    bomb = repeated(tmp_path / "a.parquet", bytes(140_000_000), 16)
    with pytest.raises(DataError, match=r"a\.parquet: .* unpack to 140,0.*, most of them of the column image; at most"):
        list(table(bomb))
    from mner.contexts.artefact import read_contexts

    with pytest.raises(DataError, match="bytes unpack to"):
        read_contexts(repeated(tmp_path / "c.parquet", "x" * 140_000_000, 2000))
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    from pyarrow import parquet

    columns = {name: ["x" * 10_000_000] for name in ("image", *"abcdefghijklmn")}  # each is small enough, all are not
    parquet.write_table(arrow.table(columns), tmp_path / "d.parquet", compression="zstd")
    with pytest.raises(DataError, match="bytes unpack to 150,"):
        read_contexts(tmp_path / "d.parquet")


def test_long_values_that_a_dictionary_repeats_are_held_one_by_one(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    path = repeated(tmp_path / "a.parquet", bytes(60_000_000), 16)
    before, most, count = arrow.total_allocated_bytes(), 0, 0
    for _, content in table(path):
        assert isinstance(content, bytes) and len(content) == 60_000_000
        most, count = max(most, arrow.total_allocated_bytes() - before), count + 1
    assert count == 16 and most < 400_000_000  # all at once: 960,000,000


def test_table_of_more_rows_than_its_bytes_can_name_is_refused(tmp_path: Path) -> None:
    path = repeated(tmp_path / "a.parquet", "1.jpg", 3_000_000, "path")
    with pytest.raises(DataError, match="says it has 3,000,000 rows in"):
        next(iter(table(path)))


@pytest.mark.parametrize(
    ("value", "kind"), [({"bytes": 10**11}, "int64"), ({"bytes": [1, 2]}, "list"), ({"bytes": b"", "path": 1}, "int64")]
)
def test_bytes_of_another_type_are_refused_by_name(tmp_path: Path, value: dict[str, object], kind: str) -> None:
    with pytest.raises(DataError, match=rf"image\.(bytes|path): expected (binary|string), found {kind}"):
        list(table(written(tmp_path / "a.parquet", {"image": [value]})))


def test_damaged_tables_are_refused_or_read(tmp_path: Path) -> None:
    rng = random.Random(3)
    path = written(tmp_path / "a.parquet", {"id": list("abcdef"), "image": [picture(side) for side in range(1, 7)]})
    whole, refused = path.read_bytes(), 0
    for _ in range(250):
        damaged = bytearray(whole)
        for _ in range(rng.choice([1, 2, 8])):
            damaged[rng.randrange(len(whole))] = rng.randrange(256)
        path.write_bytes(damaged)
        try:
            assert len(list(table(path))) == 6
        except DataError:
            refused += 1
    assert 20 < refused < 250
