"""A grounder that is slow: its own request is answered in time, and no other one waits for it."""

from __future__ import annotations

import base64
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image
from pydantic import BaseModel

import mner
from mner.serve import Settings
from mner.serve.answers import LATE, LOOKERS
from tests.serve.conftest import PICTURES, Running, running

pytestmark = [pytest.mark.service, pytest.mark.enable_socket]

POST = "five stars for Phoenix this time"
SLOW = "slow.grounder"


class Slow:
    """A grounder that answers once it may, and the service that asks it."""

    service: Running

    def __init__(self) -> None:
        self.called, self.go_on = threading.Event(), threading.Event()
        self.asked: list[int] = []  # how many names, for each picture

    def __call__(self, picture: Image.Image, sought: list[object]) -> list[list[object]]:
        self.asked.append(len(sought))
        self.called.set()
        assert self.go_on.wait(60)
        return [[(0.7, (1, 2, 30, 40))] for _ in sought]

    def sources(self, body: dict) -> set[str]:
        """Which readers found regions of the one entity of a post."""
        (entity,) = self.service.ask(body)[1]["entities"]
        return {region["source"] for region in entity["regions"]}


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Slow]:
    """A service that asks the grounder; it gives pictures a minute where a request names no shorter time."""
    grounder = Slow()
    module = ModuleType(SLOW, "Mine.")
    vars(module).update(Options=type("Options", (BaseModel,), {}), Grounder=lambda options, *, threads=0: grounder)
    monkeypatch.setitem(sys.modules, "slow", ModuleType("slow"))
    monkeypatch.setitem(sys.modules, SLOW, module)
    tagger = mner.load(threads=1, grounding={"grounder": SLOW})
    with running(tagger, Settings(store=tmp_path / "store.sqlite", picture_ms=60_000)) as service:
        service.pictures_ready()
        grounder.service = service
        yield grounder
        grounder.go_on.set()


@pytest.fixture
def image(slow: Slow, ticket: bytes) -> str:
    """A picture that the service has read already."""
    image = sent(ticket)
    assert slow.service.ask({"text": "", "image": image})[1]["image_status"] == "used"
    return image


def sent(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_slow_grounder_holds_up_no_other_request(slow: Slow, image: str) -> None:
    pictured = {"text": POST, "image": image}
    rows: list[dict] = []
    bodies = ({"posts": [pictured, {"text": POST}]}, {**pictured, "explain": True})
    threads = [threading.Thread(target=lambda body=body: rows.append(slow.service.ask(body)[1])) for body in bodies]
    for thread in threads:
        thread.start()
    assert slow.called.wait(60)
    assert slow.service.ask({"text": "Kevin Love is back"})[0] == 200
    assert not rows
    slow.go_on.set()
    for thread in threads:
        thread.join(60)
    assert len(rows) == 2
    for row in rows:
        (entity,) = row["posts"][0]["entities"] if "posts" in row else row["entities"]
        assert {region["source"] for region in entity["regions"]} == {SLOW, "rapid"}
        assert "reason" not in row
    assert sum("evidence" in row for row in rows) == 1


@pytest.mark.parametrize("explain", [False, True])
def test_late_grounder_leaves_its_regions_out_and_says_so(slow: Slow, image: str, explain: bool) -> None:
    late = {"text": POST, "image": image, "picture_ms": 100, "explain": explain}
    status, row, _ = slow.service.ask(late)
    assert slow.called.is_set()
    assert (status, row["view"], row["image_status"], row["reason"]) == (200, "I+T", "used", LATE)
    (entity,) = row["entities"]
    assert {region["source"] for region in entity["regions"]} == {"rapid"}
    if explain:
        assert row["evidence"][0]["regions"] == entity["regions"]
    assert "mner_grounder_late_total 1.0" in slow.service.ask(path="/metrics")[1].decode()
    slow.go_on.set()
    assert slow.sources({**late, "picture_ms": 60_000}) == {"rapid", SLOW}


def test_late_grounder_takes_nothing_from_several_pictures_and_posts(slow: Slow, image: str) -> None:
    concert = (PICTURES / "dev-007.png").read_bytes()
    images = [image, sent(b"<html>404</html>"), sent(concert)]
    slow.service.ask({"text": "", "images": images})
    posts = [{"text": POST, "images": images}, {"text": POST, "image": image}, {"text": POST}]
    _, answer, _ = slow.service.ask({"posts": posts, "picture_ms": 100})
    several, single, alone = answer["posts"]
    assert [picture["status"] for picture in several["pictures"]] == ["used", "unreadable", "used"]
    assert several["reason"].endswith(LATE)
    assert (single["image_status"], single["reason"]) == ("used", LATE)
    assert (alone["image_status"], alone.get("reason")) == ("none", None)
    assert all(row["entities"] for row in answer["posts"])


def test_picture_that_is_late_itself_is_not_looked_at(slow: Slow, ticket: bytes) -> None:
    row = slow.service.ask({"text": POST, "image": sent(ticket), "picture_ms": 0})[1]
    assert (row["view"], row["image_status"]) == ("T", "timeout")
    assert LATE not in row["reason"]
    assert not slow.called.is_set()


def test_hanging_grounder_keeps_a_few_pictures_and_no_more(slow: Slow, image: str) -> None:
    late = {"text": POST, "image": image, "picture_ms": 50}
    for _ in range(LOOKERS + 4):
        assert slow.service.ask(late)[1]["reason"] == LATE
    answers = slow.service.service.answers
    assert len(slow.asked) == LOOKERS, "those that wait for a thread are dropped with their requests"
    lookers = [thread for thread in threading.enumerate() if thread.name == "mner-grounder"]
    assert len(lookers) == LOOKERS
    assert all(thread.daemon for thread in lookers), "the process does not wait for them when it ends"
    slow.go_on.set()
    until = time.monotonic() + 30
    while answers._free_lookers._value < LOOKERS and time.monotonic() < until:
        time.sleep(0.01)
    assert slow.sources({**late, "picture_ms": 60_000}) == {"rapid", SLOW}
