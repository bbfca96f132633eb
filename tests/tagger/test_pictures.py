"""Every way a picture may fail gives a status and a reason; none raises or hangs."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mner.config import VisionConfig
from mner.errors import PluginError
from mner.tagger.beside import judge
from mner.tagger.pictures import Pictures
from mner.tagger.requests import request
from mner.types import Caption, ContextText, Post, VisualContext

Read = Callable[[str, Any], VisualContext]


class FakeExtractor:
    """Stands for the vision backends."""

    def __init__(self, read: Read) -> None:
        self._answer = read
        self.seen: list[tuple[str, Any]] = []
        self.threads: set[int] = set()

    def read(self, source: Any, *, image: str, store: Any = None) -> VisualContext:
        self.seen.append((image, source))
        self.threads.add(threading.get_ident())
        return self._answer(image, source)


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> Callable[[Read], FakeExtractor]:
    def put(read: Read) -> FakeExtractor:
        fake = FakeExtractor(read)
        monkeypatch.setattr("mner.tagger.pictures._open", lambda vision, store: (fake, None))
        return fake

    return put


def captioned(name: str, source: Any) -> VisualContext:
    return VisualContext(name, captions=(Caption("a dog", source="x"),))


def test_text_alone_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mner.tagger.pictures._open", lambda *_: pytest.fail("the backends were loaded"))
    assert Pictures(VisionConfig()).context(request("Hi")) is None


def test_backends_are_opened_once_and_stay_in_one_thread(backends: Callable[[Read], FakeExtractor]) -> None:
    fake = backends(captioned)
    pictures = Pictures(VisionConfig())
    threads = [threading.Thread(target=pictures.context, args=(request("Hi", image=f"{n}.jpg"),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(name for name, _ in fake.seen) == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert len(fake.threads) == 1
    assert threading.get_ident() not in fake.threads


def test_ready_context_goes_before_reading(backends: Callable[[Read], FakeExtractor]) -> None:
    fake = backends(captioned)
    ready = VisualContext("1.jpg", captions=(Caption("ready"),))
    given = VisualContext("1.jpg", captions=(Caption("given"),))
    pictures = Pictures(VisionConfig(), contexts={"1.jpg": ready})
    assert pictures.context(request("Hi", image="1.jpg")) is ready
    assert pictures.context(request("Hi", image="1.jpg", context=given)) is given
    assert fake.seen == []
    pictures.context(request("Hi", image="2.jpg"))
    assert fake.seen == [("2.jpg", Path("2.jpg"))]


def test_named_picture_is_looked_for_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"")
    pictures = Pictures(VisionConfig(), images=tmp_path)
    assert pictures.source(request({"text": "Hi", "image": "1.jpg"})) == tmp_path / "1.png"
    assert pictures.source(request("Hi", image="1.jpg")) == Path("1.jpg")
    assert pictures.source(request("Hi", image=b"x")) == b"x"
    for name in ("x" * 5000, "a\0b", "../1.jpg"):
        assert pictures.source(request({"text": "Hi", "image": name})) is not None
    assert pictures.source(request("Hi")) is None


def test_slow_picture_times_out_and_is_finished_behind(backends: Callable[[Read], FakeExtractor]) -> None:
    begin, done = threading.Event(), threading.Event()

    def read(name: str, source: Any) -> VisualContext:
        if name == "slow.jpg":
            begin.wait(10)
            done.set()
        return captioned(name, source)

    backends(read)
    pictures = Pictures(VisionConfig(), timeout=0.1)
    started = time.monotonic()
    slow, waiting = (pictures.context(request("Hi", image=name)) for name in ("slow.jpg", "next.jpg"))
    assert time.monotonic() - started < 5
    assert slow is not None
    assert (slow.status, slow.reason) == ("timeout", "the picture was not read within 0.1 seconds")
    assert waiting is not None
    assert waiting.status == "timeout"
    begin.set()
    assert done.wait(5)
    later = Pictures(VisionConfig(), timeout=5).context(request("Hi", image="later.jpg"))
    assert later is not None
    assert later.status == "ok"


def test_defect_of_a_backend_is_raised(backends: Callable[[Read], FakeExtractor]) -> None:
    def read(name: str, source: Any) -> VisualContext:
        raise ZeroDivisionError

    backends(read)
    with pytest.raises(ZeroDivisionError):
        Pictures(VisionConfig()).context(request("Hi", image="1.jpg"))


def ended(threads: set[threading.Thread]) -> bool:
    deadline = time.monotonic() + 5
    while any(thread.is_alive() for thread in threads) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not any(thread.is_alive() for thread in threads)


def test_absent_backend_is_raised_and_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        threads.add(threading.current_thread())
        raise PluginError("no such plug-in")

    threads: set[threading.Thread] = set()
    monkeypatch.setattr("mner.tagger.pictures._open", fail)
    pictures = Pictures(VisionConfig())
    for _ in range(2):
        with pytest.raises(PluginError):
            pictures.context(request("Hi", image="1.jpg"))
    assert len(threads) == 2
    assert ended(threads)


def test_thread_ends_with_its_owner_and_closes_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    class FakeStore:
        def close(self) -> None:
            closed.append(threading.current_thread())

    def opened(*_: Any) -> Any:
        threads.add(threading.current_thread())
        return FakeExtractor(captioned), FakeStore()

    closed: list[threading.Thread] = []
    threads: set[threading.Thread] = set()
    monkeypatch.setattr("mner.tagger.pictures._open", opened)
    pictures = Pictures(VisionConfig())
    pictures.context(request("Hi", image="1.jpg"))
    del pictures
    gc.collect()
    assert ended(threads)
    assert closed == list(threads)


def test_vision_turned_off_is_disabled() -> None:
    wanted = request("Hi", image="1.jpg")
    context = Pictures(VisionConfig(detector="", captioner="", ocr="")).context(wanted)
    status, reason = judge(wanted, context, ())
    assert status == "disabled"
    assert reason is not None
    assert "[vision]" in reason


def test_text_of_another_post_with_the_same_picture_is_left_out() -> None:
    texts = (ContextText("of one", extra={"post": "p1"}), ContextText("of two", extra={"post": "p2"}))
    pictures = Pictures(VisionConfig(), contexts={"1.jpg": VisualContext("1.jpg", texts=texts)})
    post = Post("p2", "Hi", ("Hi",), ((0, 2),), image="1.jpg")
    context = pictures.context(request(post))
    assert context is not None and [text.text for text in context.texts] == ["of two"]


FORK = """
import os, signal, sys
import mner
from PIL import Image

def picture(colour):
    return Image.new("RGB", (64, 64), colour)

tagger = mner.load()
first = tagger("Kevin Love is back in Cleveland", image=picture("navy"))
child = os.fork()
signal.alarm(60)  # a child that waits for threads it does not have ends by this signal
second = tagger("Kevin Love is back in Cleveland", image=picture("olive"))
assert (second.entities, second.reason) == (first.entities, first.reason), second
if child == 0:
    del tagger
    sys.exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_child_forked_after_a_picture_was_read_reads_pictures_and_ends(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", FORK], env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
