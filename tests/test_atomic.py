"""Files appear whole or not at all, whoever else writes them and whatever breaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mner.atomic import write_json, write_text, writing, writing_bytes
from mner.errors import DataError


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
    (tmp_path / "a.txt.part").write_text("half of something much longer")
    write_text(tmp_path / "a.txt", "whole")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "whole")]


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
from mner.atomic import writing
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
