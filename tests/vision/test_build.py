"""Builds by workers: the same artefact, shards that continue, ended workers outlived."""

from __future__ import annotations

import hashlib
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
from mner.contexts.artefact import read_contexts
from mner.contexts.edit import Change, edit
from mner.contexts.store import Store
from mner.engines.processes import Processes
from mner.errors import DataError, MissingExtraError, WorkerError
from mner.types import VisualContext
from mner.vision.build import BATCH, build
from mner.vision.images import Picture, Unopened, decode

OFF = VisionConfig(detector="", captioner="", ocr="")

DEADLY = """
import os, signal
from pydantic import BaseModel, ConfigDict

VERSION = 1


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    large: bool = False


class Detector:
    def __init__(self, options, *, threads=0):
        if options.large:
            os._exit(9)

    def __call__(self, picture):
        if picture.width == 13:
            os.kill(os.getpid(), signal.SIGKILL)
        return []
"""


@pytest.fixture
def items(tmp_path: Path) -> list[tuple[str, Path]]:
    result = []
    for number in range(10, 17):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (number, 10), "red").save(path)
        result.append((path.name, path))
    result[1][1].write_text("broken")
    return result


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
    each = (tmp_path / "one.jsonl").read_bytes()
    assert each == (tmp_path / "two.jsonl").read_bytes() == parts(tmp_path / "out")


def test_shards_of_other_pictures_are_refused(items, tmp_path: Path) -> None:
    options = {"config": OFF, "store": tmp_path / "s.sqlite", "shard_size": 3}
    build(items, tmp_path / "out", **options)
    with pytest.raises(DataError, match="made of other pictures"):
        build(items[1:], tmp_path / "out", **options)
    with pytest.raises(DataError, match="fingerprint differ"):
        build(items, tmp_path / "out", **{**options, "config": VisionConfig(ocr="")})


@pytest.mark.parametrize("name", ["c", "c.parquet"])
def test_picture_that_changed_since_its_shard_was_made_is_read_again(
    items, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    options = {"config": OFF, "shard_size": 3}
    out = tmp_path / name
    build(items, out, store=tmp_path / "a.sqlite", **options)
    before = {part: part.stat().st_mtime_ns for part in out.glob("part-*")}
    Image.new("RGB", (40, 30), "blue").save(items[4][1])
    decoded: list[str | None] = []

    def watched(file: Unopened) -> Picture:
        decoded.append(file.sha256)
        return decode(file)

    monkeypatch.setattr("mner.vision.extract.decode", watched)
    assert build(items, out, store=tmp_path / "b.sqlite", **options) == {"ok": 6, "unreadable": 1}
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for _, path in items]
    assert decoded == [digests[1], digests[4]]  # what could not be read, and what changed; the others' contexts stay
    assert [row.sha256 for row in read_contexts(out).values()] == [digests[0], None, *digests[2:]]
    assert [part.name for part, time in before.items() if part.stat().st_mtime_ns != time] == [
        f"part-0000001{out.suffix or '.jsonl'}"
    ]


def test_picture_that_was_missing_when_its_shard_was_made_is_tried_again(items, tmp_path: Path) -> None:
    options = {"config": OFF, "store": tmp_path / "s.sqlite", "shard_size": 3}
    content = items[4][1].read_bytes()
    items[4][1].unlink()
    assert build(items, tmp_path / "out", **options) == {"ok": 5, "unreadable": 1, "missing": 1}
    items[4][1].write_bytes(content)
    Image.new("RGB", (11, 10)).save(items[1][1])
    assert build(items, tmp_path / "out", workers=2, **options) == {"ok": 7}
    assert build(items, tmp_path / "out", hire=hired, **options) == {"ok": 7}


def test_shards_are_continued_only_with_the_published_file_they_were_begun_with(items, tmp_path: Path) -> None:
    published = tmp_path / "d.tsv"
    published.write_text("".join(f'{name}\t[{{"class": "dog"}}]\n' for name, _ in items))
    config = VisionConfig(detector="vinvl", captioner="", ocr="", options={"vinvl": {"detections": str(published)}})
    options = {"config": config, "store": tmp_path / "s.sqlite", "shard_size": 3}
    content = published.read_text()
    published.unlink()
    with pytest.raises(DataError, match=r"d\.tsv: no such file"):
        build(items, tmp_path / "out", **options)
    published.write_text(content)
    build(items, tmp_path / "out", **options)
    assert build(items, tmp_path / "out", **options) == {"ok": 6, "unreadable": 1}
    published.write_text(content.replace("dog", "cat"))
    with pytest.raises(DataError, match="fingerprint differ"):
        build(items, tmp_path / "out", **options)


@pytest.fixture
def deadly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The dotted name of a detector that ends its process with a picture 13 wide, or, if it is large, at once."""
    package = tmp_path / "code" / "deadly"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "detector.py").write_text(DEADLY)
    monkeypatch.syspath_prepend(str(tmp_path / "code"))
    for name in ("deadly", "deadly.detector"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return "deadly.detector"


def test_backend_that_does_not_fit_is_told_and_no_picture_blamed(items, deadly: str, tmp_path: Path) -> None:
    config = OFF.model_copy(update={"detector": deadly, "options": {deadly: {"large": True}}})
    with pytest.raises(WorkerError, match=r"before it had loaded \(exit code 9\): too little memory"):
        build(items, tmp_path / "c.jsonl", config=config, store=tmp_path / "s.sqlite", workers=2)
    assert not (tmp_path / "c.jsonl").exists()


def test_picture_that_ends_its_workers_is_marked(items, deadly: str, tmp_path: Path) -> None:
    config = VisionConfig(detector=deadly, captioner="", ocr="")
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


def hired(opening):
    pytest.fail("workers were started")


def test_workers_start_with_the_first_picture_that_must_be_read(items, tmp_path: Path) -> None:
    options = {"config": OFF, "store": tmp_path / "s.sqlite", "batch_size": 2}
    gone = [("gone.png", tmp_path / "gone.png")]
    known = items[2:6]
    build(known, tmp_path / "a.jsonl", **options)
    assert build([*gone, *known], tmp_path / "b.jsonl", **options, hire=hired) == {"missing": 1, "ok": 4}
    assert (tmp_path / "b.jsonl").read_bytes().endswith((tmp_path / "a.jsonl").read_bytes())
    begun: list[object] = []

    def hire(opening):
        begun.append(opening)
        return Processes(opening, workers=1)

    assert build([*known, *items], tmp_path / "c.jsonl", **options, hire=hire) == {"ok": 10, "unreadable": 1}
    assert [row.image for row in read_contexts(tmp_path / "c.jsonl").values()] == [
        *(name for name, _ in known), items[0][0], items[1][0], items[6][0]
    ]  # fmt: skip
    assert len(begun) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_shards_of_parquet_are_the_same_rows_and_continue(items, tmp_path: Path, workers: int) -> None:
    options = {"config": OFF, "store": tmp_path / "s.sqlite", "shard_size": 3, "workers": workers}
    out = tmp_path / "c.parquet"
    build(items, tmp_path / "one.jsonl", config=OFF, store=tmp_path / "a.sqlite")
    assert build(items, out, **options) == {"ok": 6, "unreadable": 1}
    shards = [out / f"part-{number:07d}.parquet" for number in range(3)]
    assert sorted(out.iterdir()) == [out / "manifest.json", *shards]
    assert dict(read_contexts(out)) == dict(read_contexts(tmp_path / "one.jsonl"))
    before = [shard.stat().st_mtime_ns for shard in shards]
    content = shards[1].read_bytes()
    shards[1].unlink()
    assert build(items, out, **options) == {"ok": 6, "unreadable": 1}
    after = [shard.stat().st_mtime_ns for shard in shards]
    assert (after[0], after[2]) == (before[0], before[2])
    assert shards[1].read_bytes() == content


def test_shards_of_a_folder_in_capitals_are_parquet(items, tmp_path: Path) -> None:
    build(items, tmp_path / "C.PARQUET", config=OFF, store=tmp_path / "s.sqlite", shard_size=9)
    assert [path.suffix for path in (tmp_path / "C.PARQUET").glob("part-*")] == [".parquet"]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize("left", [0.6, 0.0])
def test_shard_that_was_cut_short_is_told_and_made_anew(items, tmp_path: Path, suffix: str, left: float) -> None:
    options = {"config": OFF, "store": tmp_path / "s.sqlite", "shard_size": 3}
    out = tmp_path / f"c{suffix}"
    build(items, out, **options)
    shard = out / f"part-0000001{suffix}"
    content = shard.read_bytes()
    shard.write_bytes(content[: int(left * len(content))])
    with pytest.raises(DataError, match=rf"part-0000001{suffix}.* run the same command again: rm {shard}"):
        build(items, out, **options)
    shard.unlink()
    assert build(items, out, **options) == {"ok": 6, "unreadable": 1}
    assert shard.read_bytes() == content


@pytest.mark.parametrize("shard_size", [0, 3])
def test_build_that_breaks_leaves_its_store_closed(items, tmp_path: Path, shard_size: int) -> None:
    def broken(context: VisualContext) -> None:
        raise RuntimeError("no more")

    options = {"config": OFF, "store": tmp_path / "s.sqlite", "shard_size": shard_size}
    with pytest.raises(RuntimeError, match="no more") as caught:
        build(items, tmp_path / "c", **options, watch=broken)
    assert caught.tb is not None  # it holds whatever the build had at hand
    assert not (tmp_path / "s.sqlite-wal").exists()  # sqlite removes it with the last connection that is closed


def test_what_cannot_be_written_is_told_before_anything_is_read(
    items, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mner.vision.images._content", lambda *_: pytest.fail("read"))
    (tmp_path / "out").mkdir()
    with pytest.raises(DataError, match=r"out: is a folder; name a file, or give a shard size"):
        build(items, tmp_path / "out", config=OFF, store=tmp_path / "s.sqlite")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for shard_size in (0, 3):
        with pytest.raises(MissingExtraError, match=r"mner\[parquet\]"):
            build(items, tmp_path / "c.parquet", config=OFF, store=tmp_path / "s.sqlite", shard_size=shard_size)


COUNTED = """
import os, time
from pydantic import BaseModel, ConfigDict

VERSION = 1


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Detector:
    def __init__(self, options, *, threads=0):
        pass

    def __call__(self, picture):
        high, low, _ = picture.getpixel((0, 0))
        time.sleep(float(os.environ["PAUSE"]))
        with open(os.environ["SEEN"], "a") as stream:
            stream.write(f"{256 * high + low:04d}.png\\n")
        return []
"""


@pytest.mark.slow
def test_killed_build_by_workers_reads_nothing_twice_and_ends_alike(tmp_path: Path) -> None:
    count, workers = 2000, 2
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (4, 4), (number >> 8, number & 255, 0)).save(folder / f"{number:04d}.png")
    (tmp_path / "counted").mkdir()
    (tmp_path / "counted" / "__init__.py").touch()
    (tmp_path / "counted" / "detector.py").write_text(COUNTED)

    def command(out: str) -> list[str]:
        options = ["--detector", "counted.detector", "--captioner", "", "--ocr", "", "--workers", str(workers)]
        return [sys.executable, "-m", "mner", "context", "build", str(folder), *options, "--out", str(tmp_path / out)]

    def environment(cache: str, seen: str, pause: float) -> dict[str, str]:
        given = {"MNER_CACHE": tmp_path / cache, "SEEN": tmp_path / seen, "PAUSE": pause, "OMP_NUM_THREADS": 1}
        paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
        return {**os.environ, **{name: str(value) for name, value in given.items()}, "PYTHONPATH": paths}

    def seen(name: str) -> list[str]:
        path = tmp_path / name
        return path.read_text().splitlines() if path.exists() else []

    first = subprocess.Popen(
        command("c.jsonl"),
        env=environment("cache", "first", 0.002),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(seen("first")) < count // 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)  # the workers, too, in the middle of whatever they do
    first.wait()
    with Store(tmp_path / "cache" / "contexts.sqlite") as store:
        stored = {context.image for _, context in store}
    assert count // 5 < len(stored) < count
    assert stored <= set(seen("first"))
    assert len(seen("first")) - len(stored) <= workers * BATCH
    assert not (tmp_path / "c.jsonl").exists()
    resumed, unbroken = environment("cache", "second", 0), environment("other", "third", 0)
    subprocess.run(command("c.jsonl"), env=resumed, check=True, capture_output=True)
    assert sorted([*seen("second"), *stored]) == [f"{number:04d}.png" for number in range(count)]
    subprocess.run(command("d.jsonl"), env=unbroken, check=True, capture_output=True)
    assert (tmp_path / "c.jsonl").read_bytes() == (tmp_path / "d.jsonl").read_bytes()
    assert [row.status for row in read_contexts(tmp_path / "c.jsonl").values()] == ["ok"] * count


def test_context_that_was_edited_stays_when_the_build_goes_on(items, tmp_path: Path) -> None:
    options = {"config": OFF, "store": tmp_path / "s.sqlite", "shard_size": 3}
    out = tmp_path / "out"
    build(items, out, **options)
    part = sorted(out.glob("part-*"))[0]
    for name in (items[1][0], items[2][0]):  # the first could not be read
        edit(part, name, Change(captions=["two men"], status="ok"))
    before = parts(out)
    assert build(items, out, **options) == {"ok": 7}
    assert parts(out) == before
