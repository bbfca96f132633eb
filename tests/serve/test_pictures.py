"""Pictures: read once, within a time, by workers that may end; a bad one never stops a post."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import signal
import struct
import threading
import time
import zlib
from types import SimpleNamespace

import pytest
from PIL import Image

from mner.config import VisionConfig
from mner.contexts.store import Store
from mner.errors import DataError, WorkerError
from mner.serve import Settings, picture_workers
from mner.serve.picture_workers import Job, Opening, Workers, too_large
from mner.serve.pictures import PictureReader
from mner.types import VisualContext
from mner.vision.extract import Extractor

pytestmark = [pytest.mark.service, pytest.mark.enable_socket]

POST = "five stars for Phoenix this time"


def drawn(number: int) -> bytes:
    """A small picture unlike all others."""
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), (number % 256, number // 256, 90)).save(stream, "PNG")
    return stream.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header says so many pixels, and that holds none."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def ask(service, content: bytes, **fields):
    status, row, _ = service.ask({"text": POST, "image": base64.b64encode(content).decode(), **fields})
    assert status == 200
    return row


def read(service) -> int:
    return service.service.pictures.seen.read


@pytest.mark.parametrize(
    ("content", "image_status"),
    [
        (b"", "unreadable"),
        (b"not a picture", "unreadable"),
        (b"<svg onload=alert(1)>", "unreadable"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "unreadable"),
        (bomb(50_000, 50_000), "too_large"),
        (bomb(7_000, 7_000), "too_large"),
    ],
)
def test_bad_picture_leaves_the_words(service, tagger, content, image_status) -> None:
    row = ask(service, content)
    assert (row["image_status"], row["view"]) == (image_status, "T")
    assert row["reason"]
    assert row["entities"] == tagger(POST).to_dict()["entities"]


def test_picture_is_read_once(service, ticket) -> None:
    ask(service, ticket)
    before = read(service)
    assert ask(service, ticket)["image_status"] == "used"
    assert read(service) == before


def test_picture_that_many_ask_for_at_once_is_read_once(service) -> None:
    before, content, rows = read(service), drawn(1), []
    threads = [threading.Thread(target=lambda: rows.append(ask(service, content))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(rows) == 6
    assert read(service) == before + 1


def test_store_keeps_readings_over_a_restart(serve, tmp_path, ticket) -> None:
    first = serve(store=tmp_path / "kept.sqlite", picture_ms=60_000)
    first.pictures_ready()
    assert ask(first, ticket)["image_status"] == "used"
    second = serve(store=tmp_path / "kept.sqlite")
    assert ask(second, ticket)["image_status"] == "used"
    assert (read(second), second.service.pictures.seen.remembered) == (0, 1)


def test_picture_over_its_time_leaves_the_words_and_is_read_for_the_next(service, tagger) -> None:
    content = drawn(2)
    row = ask(service, content, picture_ms=1)
    assert (row["image_status"], row["view"]) == ("timeout", "T")
    assert row["entities"] == tagger(POST).to_dict()["entities"]
    assert ask(service, content)["image_status"] != "timeout"


def test_time_is_for_all_pictures_of_a_request_together(service) -> None:
    posts = [{"text": POST, "image": base64.b64encode(drawn(10 + n)).decode()} for n in range(12)]
    began = time.monotonic()
    status, answer, _ = service.ask({"posts": posts, "picture_ms": 300})
    assert status == 200
    assert time.monotonic() - began < 3
    assert {row["image_status"] for row in answer["posts"]} >= {"timeout"}


@pytest.mark.slow
def test_worker_that_is_killed_is_replaced(serve, ticket) -> None:
    service = serve(picture_ms=60_000)
    service.pictures_ready()
    reader = service.service.pictures
    (pid,) = reader.pids
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 30
    while reader.pids in ([], [pid]) and time.monotonic() < until:
        time.sleep(0.05)
    service.pictures_ready()
    assert reader.pids != [pid]
    assert reader.seen.replaced == 1
    assert ask(service, ticket)["image_status"] == "used"


@pytest.mark.slow
def test_worker_that_is_killed_with_a_picture_has_it_read_by_another(serve, ticket) -> None:
    service = serve(picture_ms=60_000)
    service.pictures_ready()
    reader = service.service.pictures
    (pid,) = reader.pids
    os.kill(pid, signal.SIGSTOP)
    rows: list[dict] = []
    thread = threading.Thread(target=lambda: rows.append(ask(service, ticket)))
    thread.start()
    time.sleep(1.0)
    assert service.ask({"text": "Kevin Love"})[0] == 200  # texts go on meanwhile
    os.kill(pid, signal.SIGKILL)
    thread.join(60)
    assert [row["image_status"] for row in rows] == ["used"]


class Crews:
    """Stands for pools of one process each, whose process is this one or one that is gone.

    Args:
        replaced: What happens to the process that is started in the place of one that is gone.
    """

    def __init__(self, replaced: Exception | None = None, result: object = None) -> None:
        self.replaced, self.result = replaced, result
        self.opened = 0

    def __call__(self, opening: object, *, workers: int) -> Crews:
        self.opened += 1
        return self

    def __enter__(self) -> Crews:
        self.idle = 1
        return self

    def __exit__(self, *error: object) -> None: ...

    @property
    def pids(self) -> list[int]:
        return [999_999_999]

    def give(self, task: int, items: object) -> None: ...

    def wait(self) -> list[tuple[int, object]]:
        if self.idle and self.replaced is not None and self.opened == 1:
            self.idle = 0
            return []
        if not self.idle and self.replaced is not None:
            raise self.replaced
        if isinstance(self.result, Exception):
            raise self.result
        return [(0, self.result)]


def read_by(monkeypatch, crews: Crews, *, alive) -> tuple[VisualContext, list[str]]:
    """What becomes of a picture, and why workers ended."""
    ended: list[str] = []
    monkeypatch.setattr(picture_workers, "Processes", crews)
    monkeypatch.setattr(picture_workers, "active_children", lambda: [SimpleNamespace(pid=999_999_999)] * alive())
    workers = Workers(lambda: None, workers=1, waiting=4, held=10**6, ended=ended.append)  # type: ignore[arg-type]

    async def run() -> VisualContext:
        loop = asyncio.get_running_loop()
        job = Job(("picture", b"x"), loop.create_future(), loop.time() + 30, loop)
        assert workers.put(job)
        workers.start()
        context, _ = await asyncio.wait_for(job.future, 20)
        return context

    try:
        return asyncio.run(run()), ended
    finally:
        workers.close()


def test_bytes_of_pictures_that_wait_are_bounded() -> None:
    workers = Workers(lambda: None, workers=1, waiting=4, held=100, ended=print)  # type: ignore[arg-type]

    async def put(*sizes: int) -> list[bool]:
        loop = asyncio.get_running_loop()
        return [workers.put(Job(("p", b"x" * size), loop.create_future(), loop.time(), loop)) for size in sizes]

    assert asyncio.run(put(60, 30, 20, 10)) == [True, True, False, True]
    for size in (60, 30, 10):
        job = workers._next()
        assert job is not None and len(job.item[1]) == size
    assert workers._held == 0

    assert asyncio.run(put(300, 1)) == [True, False], "a single picture may be larger than all that wait together"


def test_picture_outlives_an_idle_worker_whose_successor_cannot_load(monkeypatch) -> None:
    read = VisualContext("picture")
    crews = Crews(WorkerError("a worker ended before it had loaded"), [read])
    context, ended = read_by(monkeypatch, crews, alive=lambda: crews.opened > 1)
    assert context is read
    assert ended[0] == "it ended while it was idle"
    assert crews.opened == 2


def test_picture_is_not_to_blame_where_no_worker_can_be_started(monkeypatch) -> None:
    context, _ = read_by(monkeypatch, Crews(result=WorkerError("too little memory")), alive=lambda: True)
    assert (context.status, "too little memory" in (context.reason or "")) == ("timeout", True)
    context, _ = read_by(monkeypatch, Crews(result=ValueError("no")), alive=lambda: True)
    assert context.status == "unreadable"


def test_worker_that_raised_is_not_ended_later(monkeypatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(picture_workers, "_end", ended.append)
    monkeypatch.setattr(picture_workers, "LONGEST", 0.2)
    read_by(monkeypatch, Crews(result=ValueError("no")), alive=lambda: True)
    before = len(ended)  # closing ends what there is
    time.sleep(0.5)
    assert len(ended) == before


def test_store_that_cannot_be_opened_is_refused_at_the_start(tagger, tmp_path) -> None:
    reader = PictureReader(
        tagger.config.vision, store=tmp_path, workers=1, pixels=10**6, waiting=1, held=10**6, contexts=1
    )
    with pytest.raises(DataError, match="store"):
        reader.start()


def test_pixels_are_read_from_the_header_alone() -> None:
    assert too_large("a", bomb(100, 100), 10_000) is None
    context = too_large("a", bomb(101, 100), 10_000)
    assert context is not None
    assert (context.status, "101 x 100" in (context.reason or "")) == ("too_large", True)
    assert too_large("a", b"", 1) is None


def test_format_that_is_decoded_whole_has_a_lower_limit() -> None:
    context = too_large("a", bomb(7000, 5300), 40_000_000)
    assert context is not None
    assert (context.reason or "").endswith("the limit of this service is 36,000,000 for PNG")
    stream = io.BytesIO()
    Image.new("L", (7000, 5300)).save(stream, "JPEG")
    assert too_large("a", stream.getvalue(), 40_000_000) is None


@pytest.mark.parametrize(
    ("allowed", "jpeg", "other"),
    [(40_000_000, 40_000_000, 36_000_000), (1000, 1000, 1000), (10**9, 100_000_000, 36_000_000)],
)
def test_limits_that_are_published_are_those_that_hold(allowed, jpeg, other) -> None:
    limits = Settings(max_pixels=allowed).public
    assert (limits["max_pixels"], limits["max_pixels_other"]) == (jpeg, other)


def test_opening_pickles(tagger, tmp_path) -> None:
    import pickle

    opening = Opening(tagger.config.vision, tmp_path / "a", 100)
    assert pickle.loads(pickle.dumps(opening)) == opening


@pytest.mark.parametrize("sends", [False, True])
def test_worker_reads_a_drawn_picture_before_the_first_one_and_sends_it_nowhere(
    monkeypatch, tmp_path, ticket, sends
) -> None:
    read: list[str] = []
    plain = Extractor.read
    monkeypatch.setattr(Extractor, "sends", sends)

    def reading(extractor: Extractor, source: object, *, image: str, store: Store | None = None) -> VisualContext:
        read.append(image)
        return plain(extractor, source, image=image, store=store)

    monkeypatch.setattr(Extractor, "read", reading)
    monkeypatch.setattr(os, "nice", lambda steps: 0)
    opened = Opening(VisionConfig(ocr="rapid"), tmp_path / "store.sqlite", 10**8)()
    assert read == ([] if sends else ["first"])
    (context,) = opened([("picture", ticket)])
    assert context.ocr[-1].text == "PHOENIX"
    assert len(Store(tmp_path / "store.sqlite")) == 1
