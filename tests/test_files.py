"""Files appear whole or not at all, whoever else writes them, whatever breaks and whatever stands at their name."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mner.errors import DataError
from mner.files import append, cache_folder, first_time, replacing, write_json, write_text, writing, writing_bytes

posix = pytest.mark.skipif(sys.platform == "win32", reason="no such files, links or permissions there")


def private(path: Path) -> Path:
    """The name under which a file is written."""
    return path.with_name(f".{path.name}.mner.part")


def test_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    with writing(path) as stream:
        stream.write("é\n")
        assert not path.exists()
    assert path.read_bytes() == "é\n".encode()
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"]
    write_json(path, {"a": 1})
    assert path.read_text() == '{\n "a": 1\n}\n'


def test_error_leaves_the_old_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    for broken in (OSError(28, "No space left on device"), KeyboardInterrupt()):
        with pytest.raises(type(broken)), writing_bytes(tmp_path / "a.txt") as stream:
            stream.write(b"new")
            raise broken
        assert (tmp_path / "a.txt").read_text() == "old"
        assert len(list(tmp_path.iterdir())) == 1


def test_what_a_killed_writer_left_is_overwritten(tmp_path: Path) -> None:
    private(tmp_path / "a.txt").write_text("half of something much longer")
    write_text(tmp_path / "a.txt", "whole")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "whole")]


@posix
def test_link_is_never_followed(tmp_path: Path) -> None:
    """Neither at the file's own name nor at any name that it has while it is written."""
    for name in ("out.txt", "out.txt.part", ".out.txt.mner.part"):
        victim, link = tmp_path / "victim", tmp_path / name
        victim.write_text("precious")
        link.symlink_to(victim)
        write_text(tmp_path / "out.txt", "new")
        with replacing(tmp_path / "out.txt") as part:
            part.write_text("newer")
        assert victim.read_text() == "precious"
        assert (tmp_path / "out.txt").read_text() == "newer"
        assert not (tmp_path / "out.txt").is_symlink()
        link.unlink(missing_ok=True)


@posix
def test_device_and_pipe_are_written_to_and_stay(tmp_path: Path) -> None:
    write_text(Path("/dev/null"), "gone")
    assert Path("/dev/null").is_char_device()
    link, pipe = tmp_path / "null", tmp_path / "pipe"
    link.symlink_to("/dev/null")
    write_text(link, "gone")
    assert link.is_symlink()
    os.mkfifo(pipe)
    with pytest.raises(DataError, match="pipe: is a pipe that nobody reads"):
        write_text(pipe, "lost")
    descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = threading.Thread(target=write_text, args=(pipe, "read"))
    writer.start()
    writer.join()
    assert os.read(descriptor, 100) == b"read"
    os.close(descriptor)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@posix
def test_stdout_by_its_name_is_written_to(tmp_path: Path) -> None:
    code = "from mner.files import write_text; from pathlib import Path; write_text(Path('/dev/stdout'), 'x')"
    with (tmp_path / "a.txt").open("w") as stream:
        subprocess.run([sys.executable, "-c", code], stdout=stream, check=True)
    assert (tmp_path / "a.txt").read_text() == "x"
    assert Path("/dev/stdout").is_symlink()


@posix
def test_full_disk_names_the_file_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"^/dev/full: cannot be written: No space left"):
        write_text(Path("/dev/full"), "x")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    write_text_fails = pytest.raises(DataError, match=r"a\.txt: cannot be written: No space left on device; make room")
    with write_text_fails:
        write_text(tmp_path / "a.txt", "x")
    with write_text_fails, replacing(tmp_path / "a.txt") as part:
        part.write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_place_that_cannot_hold_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "a.txt", tmp_path / "folder"):
        with pytest.raises(DataError, match=f"{path.name}: cannot be written"):
            write_text(path, "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_other_content_is_kept_where_it_is_not_to_be_replaced(tmp_path: Path) -> None:
    for text in ("first", "first"):  # the same content again is no loss
        with writing(tmp_path / "a.txt", replace=False) as stream:
            stream.write(text)
    with (
        pytest.raises(DataError, match=r"a\.txt: exists, with other content.*--force"),
        writing(tmp_path / "a.txt", replace=False) as stream,
    ):
        stream.write("second")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "first")]


@posix
def test_permissions_are_those_of_a_new_file(tmp_path: Path) -> None:
    """Also of what a library writes that keeps its files to the user."""
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "x")
        with replacing(tmp_path / "b.txt") as part:
            part.write_text("x")
            part.chmod(0o600)
    finally:
        os.umask(before)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.txt", "b.txt")] == [0o640, 0o640]


def test_second_writer_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    with writing(tmp_path / "a.txt") as first:
        first.write("first")
        with pytest.raises(DataError, match=r"a\.txt: another process is writing this file"):
            write_text(tmp_path / "a.txt", "second")
    assert (tmp_path / "a.txt").read_text() == "first"
    write_text(tmp_path / "a.txt", "second")
    assert (tmp_path / "a.txt").read_text() == "second"


WRITER = """
import sys
from pathlib import Path
from mner.files import writing
from mner.errors import DataError

refused = 0
for number in range(200):
    try:
        with writing(Path(sys.argv[1])) as stream:
            for _ in range(50):
                stream.write(sys.argv[2] * 40)
    except DataError:
        refused += 1
print(refused)
"""


def test_processes_that_write_one_file_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), letter], stdout=subprocess.PIPE) for letter in "xyz"
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    for writer in writers:
        assert writer.stdout is not None
        writer.stdout.close()
    assert path.read_text() in {letter * 2000 for letter in "xyz"}
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_only_a_full_disk_asks_for_room(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot be written: .*; name another place") as caught:
        write_text(tmp_path / "file" / "a.txt", "x")
    assert "make room" not in str(caught.value)
    for path in (Path(), Path("/"), Path("a\0b")):
        with pytest.raises(DataError, match="is not a file name"):
            write_text(path, "x")


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNER_CACHE", "/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/b")
    assert cache_folder() == Path("/a")
    monkeypatch.delenv("MNER_CACHE")
    assert cache_folder() == Path("/b/mner")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/x")
    assert cache_folder() == Path("/home/x/.cache/mner")


def test_note_is_given_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "cache"))
    assert [first_time(note) for note in ("slow here", "slow here", "other", "slow here")] == [True, False, True, False]
    (tmp_path / "file").touch()
    monkeypatch.setenv("MNER_CACHE", str(tmp_path / "file" / "cache"))
    assert first_time("slow here") and first_time("slow here"), "a cache that cannot be written stops nothing"


def test_line_is_appended_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, write = tmp_path / "deep" / "a.jsonl", os.write
    append(path, "one\n")
    monkeypatch.setattr("mner.files.os.write", lambda descriptor, content: write(descriptor, content[:3]))
    append(path, "a longer line\n")
    assert path.read_text() == "one\na longer line\n"

    def full_once_another_wrote(descriptor: int) -> None:
        with path.open("a") as other:
            other.write("of another process\n")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(DataError, match="No space left"):
        patch.setattr("mner.files.os.fsync", full_once_another_wrote)
        append(path, "mine\n")
    assert path.read_text() == "one\na longer line\nmine\nof another process\n"
    path.write_text("one\na longer line\n")

    def nearly_full(descriptor: int, content: bytes) -> int:
        if path.stat().st_size > 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content[:5])

    monkeypatch.setattr("mner.files.os.write", nearly_full)
    with pytest.raises(DataError, match=r"a\.jsonl: cannot be written: No space left on device; make room"):
        append(path, "another line\n")
    assert path.read_text() == "one\na longer line\n"
