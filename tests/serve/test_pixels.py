"""Models that read features of pictures: what became of each, limits, and a thread that is not that of the model."""

from __future__ import annotations

import asyncio
import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import mner
from mner.errors import ImageError
from mner.serve import Settings
from mner.serve.faults import RequestError
from mner.tagger.beside import Beside
from mner.types import Caption, VisualContext
from mner.views import Array
from mner.vision.images import open_image
from tests.serve.conftest import PICTURES, Running, running
from tests.serve.test_pictures import bomb

pytestmark = [pytest.mark.service, pytest.mark.enable_socket]

POST = "five stars for Phoenix this time"
PIXELS = 500 * 400


class Features:
    """Stands for an extractor of features; sees a picture once it may."""

    declared = (Array("grid", ("post", "region", 2)),)

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.seen: list[str] = []  # the thread of each picture

    def read(self, name: str, source: Any) -> Any:
        if source is None:
            return {}, "empty", "a text alone stands for it"
        assert self.go_on.wait(60)
        self.seen.append(threading.current_thread().name)
        try:
            open_image(source)
        except ImageError as error:
            return {}, "unreadable", error.reason
        return {"grid": np.ones((1, 2), np.float32)}, "used", None


class Service:
    def __init__(self, running: Running, features: Features) -> None:
        self.running, self.features = running, features

    def ask(self, *contents: bytes, **fields: Any) -> dict[str, Any]:
        images = [base64.b64encode(content).decode() for content in contents]
        status, row, _ = self.running.ask({"text": POST, "images": images, **fields})
        assert status == 200
        return row


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    tagger = mner.load(threads=1)
    features: Any = Features()
    tagger._beside = Beside(tagger._views.options, tagger._pictures, reads_context=False, features=features)
    settings = Settings(store=tmp_path / "store.sqlite", picture_ms=60_000, max_pixels=PIXELS, pictures_waiting=3)
    with running(tagger, settings) as service:
        yield Service(service, features)
        features.go_on.set()


def test_each_picture_has_the_status_that_is_true_of_it(service: Service, ticket: bytes) -> None:
    large = (PICTURES / "dev-007.png").read_bytes()
    row = service.ask(ticket, b"not a picture", bomb(1000, 1000), b"")
    assert [picture["status"] for picture in row["pictures"]] == ["used", "unreadable", "too_large", "unreadable"]
    assert "known format" in row["pictures"][1]["reason"]
    assert f"the limit of this service is {PIXELS:,}" in row["pictures"][2]["reason"]
    assert (row["image_status"], row["view"]) == ("used", "I+T")
    assert service.ask(bomb(1000, 1000))["image_status"] == "too_large"
    assert service.ask(large[:100])["image_status"] == "unreadable"
    assert service.ask(ticket, explain=True, views=["T", "I+T"])["views"]["I+T"] is not None


def test_no_backend_is_started_whose_output_the_model_does_not_read(service: Service, ticket: bytes) -> None:
    assert service.running.service.pictures is None
    row = service.ask(ticket)
    assert "context" not in row
    assert set(service.features.seen) == {"mner-features_0"}


@pytest.mark.parametrize("explain", [False, True])
def test_slow_extractor_holds_up_no_text_and_is_given_the_time_of_the_request(
    service: Service, ticket: bytes, explain: bool
) -> None:
    service.features.go_on.clear()
    began = time.monotonic()
    row = service.ask(ticket, ticket, picture_ms=300, explain=explain)
    assert time.monotonic() - began < 10
    assert (row["image_status"], row["view"]) == ("timeout", "T")
    assert [picture["status"] for picture in row["pictures"]] == ["timeout", "timeout"]
    assert service.running.ask({"text": "Kevin Love is back"})[0] == 200
    service.features.go_on.set()
    assert service.ask(ticket, ticket)["image_status"] == "used"


def test_pictures_that_wait_have_a_limit(service: Service, ticket: bytes) -> None:
    service.features.go_on.clear()
    rows: list[dict] = []
    threads = [threading.Thread(target=lambda: rows.append(service.ask(ticket, ticket))) for _ in range(2)]
    threads[0].start()
    until = time.monotonic() + 10
    answers = service.running.service.answers
    while not answers._pixels.waiting and time.monotonic() < until:
        time.sleep(0.01)
    threads[1].start()
    threads[1].join(30)
    assert [row["image_status"] for row in rows] == ["timeout"]
    assert "too many pictures wait already" in rows[0]["reason"]
    service.features.go_on.set()
    threads[0].join(30)
    assert rows[1]["image_status"] == "used"
    assert answers._pixels.waiting == 0


class Context:
    """Stands for picture workers that have read a picture."""

    async def read(self, content: bytes, *, until: float) -> VisualContext:
        return VisualContext("picture", captions=(Caption("a stadium in Phoenix"),))


@pytest.mark.parametrize("pictures", [1, 2])
def test_what_was_read_is_used_where_the_features_are_late(service: Service, ticket: bytes, pictures: int) -> None:
    answers = service.running.service.answers
    answers._pictures = Context()
    answers._tagger._beside.reads_context = True
    service.features.go_on.clear()
    row = service.ask(*[ticket] * pictures, picture_ms=300)
    assert (row["image_status"], row["view"]) == ("used", "I+T")
    assert "read without its features" in row["reason"]
    assert row["context"]["captions"]


def test_extractor_is_loaded_before_the_first_picture(service: Service) -> None:
    until = time.monotonic() + 10
    while not service.features.seen and time.monotonic() < until:
        time.sleep(0.01)
    assert service.features.seen == ["mner-features_0"]


def test_what_a_refused_request_holds_is_given_back(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """One picture's extractor fails while another one is still on its way."""
    answers = service.running.service.answers
    fetched = asyncio.Event()

    async def look(post: Any, until: float, room: Any) -> None:
        if post.posted.url is None:
            raise RequestError(422, "invalid_image", "no extractor")
        await asyncio.sleep(0.3)
        room(1_000_000)
        fetched.set()

    monkeypatch.setattr(answers, "_look", look)
    monkeypatch.setattr(answers, "_checked", lambda posted: SimpleNamespace(posted=posted))
    posts = [{"text": "a", "image_url": "https://example.org/1.jpg"}, {"text": "b", "image": "aGk="}]
    assert service.running.ask({"posts": posts})[0] == 422
    time.sleep(0.6)
    assert service.running.service.gate.held == 0 and not fetched.is_set()


def test_model_says_what_it_is_and_not_where_it_runs(service: Service) -> None:
    fingerprints = service.running.service.model["fingerprints"]
    assert "model" in fingerprints and not {"runtime", "images", "timeout"} & fingerprints.keys()
