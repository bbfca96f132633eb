"""Folders: one writer at a time, and never half of one, whenever its writer is killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.errors import DataError
from mner.folders import LOCK, held, part_of, replacing_folder, restore

HERE = socket.gethostname()

HOLDER = """
import sys
from pathlib import Path
from mner.folders import held

with held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the folder."""
    code = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_second_process_hears_who_holds_the_folder(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    message = f"process {holder.pid} on {HERE} is writing this folder"
    with pytest.raises(DataError, match=message), held(tmp_path):
        pass


def test_lock_of_a_killed_process_is_free(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    assert (tmp_path / LOCK).exists()
    with held(tmp_path):
        assert (tmp_path / LOCK).read_text() == f"{HERE} {os.getpid()}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("owner", "refused"),
    [
        (f"{HERE} {os.getpid()}", True),
        ("elsewhere 1", True),
        (f"{HERE} 4194305", False),
    ],
    ids=["here", "elsewhere", "over"],
)
def test_where_there_are_no_locks_the_owner_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: str, refused: bool
) -> None:
    monkeypatch.setattr("mner.folders.lock", lambda descriptor: None)
    (tmp_path / LOCK).write_text(f"{owner}\n")
    if refused:
        with pytest.raises(DataError, match="if that process is over, remove"), held(tmp_path):
            pass
    else:
        with held(tmp_path):
            pass


def test_folders_made_for_a_lock_go_if_nothing_was_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such post"), held(tmp_path / "a" / "b" / "c"):
        raise DataError("no such post")
    assert list(tmp_path.iterdir()) == []
    with held(tmp_path / "a" / "b"):
        (tmp_path / "a" / "kept").touch()
    assert list(tmp_path.rglob("*")) == [tmp_path / "a", tmp_path / "a" / "kept"]
    with held(tmp_path / "a"):
        pass
    assert (tmp_path / "a").is_dir(), "it was there before"


def test_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    victim, folder = tmp_path / "victim", tmp_path / "folder"
    victim.write_text("precious")
    folder.mkdir()
    (folder / LOCK).symlink_to(victim)
    with pytest.raises(DataError, match="folder: cannot be written"), held(folder):
        pass
    assert victim.read_text() == "precious"


def fill(folder: Path, text: str) -> None:
    (folder / "a").write_text(text)


def test_replaced_folder_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    for text in ("old", "new"):
        with replacing_folder(folder, own={"a"}) as part:
            fill(part, text)
    for broken in (OSError("full"), KeyboardInterrupt()):
        with pytest.raises(type(broken)), replacing_folder(folder, own={"a"}) as part:
            fill(part, "newer")
            raise broken
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["model", "model/a"]
    assert (folder / "a").read_text() == "new"


def test_files_of_others_stay(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "model", tmp_path / "elsewhere"
    (folder / "deep").mkdir(parents=True)
    fill(folder, "old")
    fill(elsewhere.parent, "outside")
    for name in ("notes.txt", "deep/notes.txt", "b"):
        (folder / name).write_text(name)
    (folder / "link").symlink_to(elsewhere)
    with replacing_folder(folder, own={"b"}) as part:
        fill(part, "new")
    assert {path.name for path in folder.iterdir()} == {"a", "deep", "link", "notes.txt"}
    assert ((folder / "a").read_text(), (folder / "deep/notes.txt").read_text()) == ("new", "deep/notes.txt")


def test_linked_folder_is_replaced_where_it_is(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    with replacing_folder(link) as part:
        fill(part, "new")
    assert link.is_symlink()
    assert (real / "a").read_text() == "new"
    part_of(real).symlink_to(tmp_path / "victim")
    with replacing_folder(link) as part:
        fill(part, "newer")
    assert (real / "a").read_text() == "newer"
    assert not (tmp_path / "victim").exists()


def test_folders_that_users_named_after_it_are_theirs(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    others = [tmp_path / f"model.{end}" for end in ("old", "part", "bak")]
    for other in (folder, *others):
        other.mkdir()
        fill(other, other.name)
    with replacing_folder(folder, own={"a"}) as part:
        fill(part, "new")
    assert [(other / "a").read_text() for other in (folder, *others)] == ["new", *(other.name for other in others)]
    (folder / "a").unlink()
    folder.rmdir()
    restore(folder)
    assert sorted(tmp_path.iterdir()) == sorted(others), "reading takes no folder of another name"


def test_two_writers_of_one_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    with replacing_folder(folder) as part:
        fill(part, "first")
        with pytest.raises(DataError, match=r"process \d+ on .* is writing this folder"), replacing_folder(folder):
            pass
    assert (folder / "a").read_text() == "first"


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions there")
def test_permissions_are_those_of_new_files(tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "model") as part:
        fill(part, "x")
        (part / "a").chmod(0o600)
        (part / "b").touch()
    assert (tmp_path / "model" / "a").stat().st_mode == (tmp_path / "model" / "b").stat().st_mode


class Killed(BaseException):
    """Stands for a kill: whatever would be done after it is not."""


@given(st.integers(0, 8))
def test_whenever_it_is_killed_there_is_a_whole_folder_after(
    tmp_path_factory: pytest.TempPathFactory, survived: int
) -> None:
    """Every renaming and removal of a replacement is a moment to be killed at."""
    folder = tmp_path_factory.mktemp("killed") / "model"
    with replacing_folder(folder, own={"a"}) as part:
        fill(part, "old")
    left = survived

    def dying(function: object) -> object:
        def call(*arguments: object, **options: object) -> object:
            nonlocal left
            if left == 0:
                raise Killed
            left -= 1
            return function(*arguments, **options)  # type: ignore[operator]

        return call

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rename", dying(Path.rename))
        patch.setattr(Path, "mkdir", dying(Path.mkdir))
        patch.setattr("mner.folders.shutil.rmtree", dying(lambda *_, **__: None))
        try:
            with replacing_folder(folder, own={"a"}) as part:
                fill(part, "new")
        except Killed:
            pass
    restore(folder)
    assert (folder / "a").read_text() in {"old", "new"}
    with replacing_folder(folder, own={"a"}) as part:
        fill(part, "newer")
    assert [path.name for path in folder.parent.iterdir()] == ["model"]
    assert (folder / "a").read_text() == "newer"
