"""A disk that fills up in the middle of a build: what failed is named, nothing is half-written, the build goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from mner.contexts.artefact import read_contexts
from mner.contexts.store import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="files have no limit of size there")

COUNT = 400

LIMITED = """
import resource, sys
from mner.cli import app

if __name__ == "__main__":
    room = int(sys.argv.pop(1))
    if room:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))  # no file may grow beyond it
    app()
"""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for number in range(COUNT):
        Image.new("RGB", (4, 4), (number >> 8, number & 255, 0)).save(folder / f"{number:04d}.png")
    return folder


def build(photos: Path, out: Path, *options: object, room: int = 0) -> tuple[int, str]:
    """The exit code and stderr of a build whose files have only so much room."""
    (out.parent / "limited.py").write_text(LIMITED)
    words = [room, "context", "build", photos, "--out", out, "--detector", "", "--captioner", "", "--ocr", "", *options]
    done = subprocess.run(
        [sys.executable, out.parent / "limited.py", *map(str, words)],
        env={**os.environ, "MNER_CACHE": str(out.parent / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, " ".join(done.stderr.split())


@pytest.mark.parametrize("options", [(), ("--shard-size", "300")])
def test_no_room_for_the_artefact(photos: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    assert build(photos, tmp_path / "whole.jsonl")[0] == 0  # and the store has all of them
    out = tmp_path / ("c" if options else "c.jsonl")
    failed = out / "part-0000000.jsonl" if options else out
    code, message = build(photos, out, *options, room=50_000)
    assert code == 2
    assert f"error: {failed}: cannot be written: File too large; make room" in message
    assert "run the same command again" in message
    assert [path.name for path in tmp_path.rglob("*") if path.name.endswith(".part") or path == failed] == []
    assert build(photos, out, *options) == (0, f"{COUNT} pictures: {COUNT} ok")
    assert dict(read_contexts(out)) == dict(read_contexts(tmp_path / "whole.jsonl"))


@pytest.mark.parametrize("workers", [1, 2])
def test_no_room_for_the_store(photos: Path, tmp_path: Path, workers: int) -> None:
    out, store = tmp_path / "c.jsonl", tmp_path / "own.sqlite"
    code, message = build(photos, out, "--workers", workers, "--store", store, room=500_000)
    assert code == 2
    assert f"error: {store}: cannot be used as the store of contexts (disk I/O error); make room" in message
    assert [path.name for path in tmp_path.glob("c.jsonl*")] == []
    with Store(store) as saved:
        before = {context.image for _, context in saved}
    assert 0 < len(before) < COUNT
    assert build(photos, out, "--workers", workers, "--store", store) == (0, f"{COUNT} pictures: {COUNT} ok")
    assert list(read_contexts(out)) == [f"{number:04d}.png" for number in range(COUNT)]


@pytest.mark.parametrize("workers", [1, 2])
def test_build_goes_on_without_the_users_own_store(photos: Path, tmp_path: Path, workers: int) -> None:
    out = tmp_path / "c.jsonl"
    code, message = build(photos, out, "--workers", workers, room=500_000)
    assert (code, message.endswith(f"{COUNT} pictures: {COUNT} ok")) == (0, True)
    assert "cannot be used as the store of contexts" in message
    assert list(read_contexts(out)) == [f"{number:04d}.png" for number in range(COUNT)]
