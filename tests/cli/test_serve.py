"""mner serve as a process: it starts, answers what it accepted, says why it cannot start, and logs no words."""

from __future__ import annotations

import base64
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mner.client import Client
from mner.tagger import packaged

pytestmark = [pytest.mark.service, pytest.mark.enable_socket, pytest.mark.slow]


class Process:
    """A service in a process of its own; stderr is in ``log``."""

    def __init__(self, folder: Path, *words: object, room: int = 0, **variables: str) -> None:
        self.log = folder / "log"
        with self.log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mner", "serve", *map(str, words)],
                stderr=stream,
                env={**os.environ, "MNER_CACHE": str(folder / "cache"), **variables},
                preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))) if room else None,
            )

    @property
    def lines(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines()

    def address(self, seconds: float = 120.0) -> str:
        """The address that it names once it takes requests."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            for line in self.lines:
                if line.startswith("serving "):
                    return line.removeprefix("serving ")
            time.sleep(0.05)
        raise AssertionError(self.lines)

    def requests(self) -> list[dict[str, Any]]:
        rows = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [row for row in rows if row.get("event") == "request"]


@pytest.fixture
def asking() -> Iterator[Callable[..., Client]]:
    """A function that makes a client, closed with the test."""
    with ExitStack() as stack:
        yield lambda address, **settings: stack.enter_context(Client(address, retries=0, **settings))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    begun: list[Process] = []

    def make(*words: object, **more: Any) -> Process:
        begun.append(Process(tmp_path, *words, "--port", 0, **more))
        return begun[-1]

    yield make
    for each in begun:
        each.process.kill()
        each.process.wait()


def test_service_answers_what_it_accepted_and_leaves_without_a_fault(start, asking) -> None:
    service = start("--no-images")
    client = asking(service.address())
    rows: list[Any] = []
    post = " ".join(["Kevin Love is back in Cleveland"] * 20)
    thread = threading.Thread(target=lambda: rows.extend(client.batch([post] * 16, explain=True)))
    thread.start()
    time.sleep(0.5)
    service.process.send_signal(signal.SIGTERM)
    thread.join(120)
    assert service.process.wait(60) == 0
    assert len(rows) == 16
    assert not any("Traceback" in line for line in service.lines)


def test_log_has_one_line_for_each_request_and_no_word_of_a_post(start, asking) -> None:
    service = start("--no-images", MNER_SERVE_KEY=" a-key-of-many-letters\n")
    client = asking(service.address(), key="a-key-of-many-letters")
    client.entities("Zanzibar", id="Quagga")
    service.process.send_signal(signal.SIGINT)
    assert service.process.wait(60) == 0
    (row,) = service.requests()
    assert (row["route"], row["status"], row["posts"], row["level"]) == ("/v1/entities", 200, 1, "info")
    text = "\n".join(service.lines)
    assert not any(word in text for word in ("Zanzibar", "Quagga", "a-key-of-many-letters"))


def test_taken_port_is_one_line_that_says_what_to_type(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "mner", "serve", "--port", str(port)], capture_output=True, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: 127.0.0.1:{port}: another program has that port")
    assert f"--port {port + 1}" in done.stderr
    assert "Traceback" not in done.stderr


def test_model_folder_that_is_replaced_changes_nothing(start, asking, tmp_path) -> None:
    model = tmp_path / "model"
    shutil.copytree(packaged(), model)
    service = start(model, "--no-images")
    client = asking(service.address())
    before = client.entities("Kevin Love is back in Cleveland")
    shutil.rmtree(model)
    model.mkdir()
    (model / "model.json").write_text("{}")
    assert client.entities("Kevin Love is back in Cleveland") == before


def test_full_disk_for_the_store_fails_no_request(start, asking, tmp_path) -> None:
    service = start("--picture-ms", 300_000, room=50_000)
    pictures = []
    for number in range(12):
        Image.new("RGB", (40, 40), (number * 20, 0, 0)).save(tmp_path / "a.png")
        pictures.append(base64.b64encode((tmp_path / "a.png").read_bytes()).decode())
    client = asking(service.address(), timeout=300)
    for _ in range(2):
        rows = [
            client.entities("Kevin Love", id=str(at), image=base64.b64decode(picture))
            for at, picture in enumerate(pictures)
        ]
        assert {row["image_status"] for row in rows} <= {"used", "empty"}
    sizes = [path.stat().st_size for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert max(sizes) <= 50_000
    assert sum(sizes) > 30_000


@pytest.mark.parametrize(
    ("words", "key", "said"),
    [
        (["nowhere"], "", "nowhere: no such model"),
        (["--host", "203.0.113.1"], "", "no such address"),
        (["--key-file", "empty"], "", "expected the key in the first line"),
        (["--key-file", "utf16"], "", "utf16: not UTF-8; save it as plain text"),
        (["--allow-host", "https://a.example.org"], "", "hosts: expected a host such as"),
        ([], " \n", "MNER_SERVE_KEY: expected the key, found blanks alone"),
        ([], "a-key-öf-many-letters", "the key: expected visible ASCII characters"),
        (["--max-bytes", "1"], "", "expected a number from 1,024"),
        (["--port", "99999999"], "", "found 99,999,999"),
    ],
)
def test_what_cannot_be_served_is_one_message(tmp_path, words, key, said) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "utf16").write_text("a-key-of-many-letters", encoding="utf-16")
    done = subprocess.run(
        [sys.executable, "-m", "mner", "serve", "--port", "0", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "MNER_SERVE_KEY": key},
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
