"""Builds by workers: the same artefact, shards that continue, ended workers outlived."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from mner.config import VisionConfig
from mner.engines.processes import Processes
from mner.errors import DataError
from mner.types import VisualContext
from mner.vision.artefact import read_contexts
from mner.vision.build import build
from mner.vision.store import Store

OFF = VisionConfig(detector="", captioner="", ocr="")

DEADLY = """
import os, signal
from pydantic import BaseModel, ConfigDict

VERSION = 1


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Detector:
    def __init__(self, options, *, threads=0):
        pass

    def __call__(self, picture):
        if picture.width == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        return []
"""


@pytest.fixture
def items(tmp_path: Path) -> list[tuple[str, Path]]:
    found = []
    for number in range(10, 17):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (number, 10), "red").save(path)
        found.append((path.name, path))
    found[1][1].write_text("broken")
    return found


def parts(out: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(out.glob("part-*")))


def test_workers_and_shards_make_the_same_rows(items, tmp_path: Path) -> None:
    seen: list[VisualContext] = []
    expected = {"ok": 6, "unreadable": 1}
    assert build(items, tmp_path / "one.jsonl", config=OFF, store=tmp_path / "a.sqlite") == expected
    built = build(items, tmp_path / "two.jsonl", config=OFF, store=tmp_path / "b.sqlite", workers=2, watch=seen.append)
    assert built == expected
    assert [row.image for row in seen] == [name for name, _ in items]
    assert build(items, tmp_path / "out", config=OFF, store=tmp_path / "c.sqlite", shard_size=3) == expected
    one = (tmp_path / "one.jsonl").read_bytes()
    assert one == (tmp_path / "two.jsonl").read_bytes() == parts(tmp_path / "out")


def test_shards_of_other_pictures_are_refused(items, tmp_path: Path) -> None:
    options = {"config": OFF, "store": tmp_path / "s.sqlite", "shard_size": 3}
    build(items, tmp_path / "out", **options)
    with pytest.raises(DataError, match="made of other pictures"):
        build(items[1:], tmp_path / "out", **options)
    with pytest.raises(DataError, match="fingerprint differ"):
        build(items, tmp_path / "out", **{**options, "config": VisionConfig(ocr="")})


def test_picture_that_ends_its_workers_is_marked(items, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    package = tmp_path / "code" / "deadly"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "detector.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    config = VisionConfig(detector="deadly.detector", captioner="", ocr="")
    out = tmp_path / "c.jsonl"
    statuses = build(
        items, out, config=config, store=tmp_path / "s.sqlite", hire=partial(Processes, workers=2), batch_size=4
    )
    assert statuses == {"ok": 5, "unreadable": 2}
    marked = read_contexts(out)["13.png"]
    assert (marked.status, marked.reason) == (
        "unreadable",
        "given up: 3 workers ended with it, one after the other",
    )


@pytest.mark.slow
def test_killed_build_by_workers_ends_alike(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(30):
        Image.effect_noise((500, 300), 10 + number).convert("RGB").save(folder / f"{number:03d}.png")
    command = [sys.executable, "-m", "mner", "context", "build", str(folder), "--captioner", "", "--ocr", ""]
    command += ["--workers", "2", "--out"]

    def environment(cache: str) -> dict[str, str]:
        return {**os.environ, "MNER_CACHE": str(tmp_path / cache), "OMP_NUM_THREADS": "1"}

    def kept() -> int:
        with Store(tmp_path / "cache" / "contexts.sqlite") as store:
            return len(store)

    first = subprocess.Popen([*command, str(tmp_path / "c.jsonl")], env=environment("cache"), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while kept() < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert kept() >= 5
    assert not (tmp_path / "c.jsonl").exists()
    subprocess.run([*command, str(tmp_path / "c.jsonl")], env=environment("cache"), check=True, capture_output=True)
    subprocess.run([*command, str(tmp_path / "d.jsonl")], env=environment("other"), check=True, capture_output=True)
    assert (tmp_path / "c.jsonl").read_bytes() == (tmp_path / "d.jsonl").read_bytes()
    assert len(read_contexts(tmp_path / "c.jsonl")) == 30
