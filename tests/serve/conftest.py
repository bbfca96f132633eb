"""A real service on a free port of the loopback address, in a thread of the test."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import mner
from mner.data import sample
from mner.serve import Settings
from mner.serve.app import create_app

PICTURES = Path(str(sample.__file__)).parent / "images"


class Running:
    """A service that runs, and its address."""

    def __init__(self, app: Any, server: Any, port: int) -> None:
        self.app, self.server, self.port = app, server, port
        self.service = app.state.service
        self.address = f"http://127.0.0.1:{port}"

    def ask(
        self, body: Any = None, *, path: str = "/v1/entities", method: str | None = None, **headers: str
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, parsed body and headers of one request; a body that is no bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if content is not None:
            named.setdefault("Content-Type", "application/json")
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, content, named)
            answer = connection.getresponse()
            text = answer.read()
            received = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, json.loads(text) if "json" in received.get("content-type", "") else text, received
        finally:
            connection.close()

    def pictures_ready(self, seconds: float = 60.0) -> None:
        """Wait until a worker can read."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(crew.idle for crew in self.service.pictures._workers._crews):
                return
            time.sleep(0.05)
        raise AssertionError("no worker has loaded")


@contextmanager
def running(tagger: mner.Tagger, settings: Settings) -> Iterator[Running]:
    import uvicorn

    app = create_app(tagger, settings)
    listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
    config = uvicorn.Config(
        app, lifespan="on", log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=20
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield Running(app, server, listening.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(30)
        listening.close()
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def tagger() -> mner.Tagger:
    """The packaged model."""
    return mner.load(threads=1)


@pytest.fixture
def serve(tagger: mner.Tagger, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """A function that starts a service with these settings; it ends with the test."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(**settings: Any) -> Running:
            settings.setdefault("store", tmp_path / "store.sqlite")
            return stack.enter_context(running(tagger, Settings(**settings)))

        yield start


@pytest.fixture(scope="module")
def service(tagger: mner.Tagger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with the limits that it has by default, but for time on a busy machine; its picture worker is ready."""
    with running(
        tagger, Settings(store=tmp_path_factory.mktemp("store") / "store.sqlite", picture_ms=60_000)
    ) as service:
        service.pictures_ready()
        yield service


@pytest.fixture
def ticket() -> bytes:
    """A picture of the sample: a bus ticket to Phoenix."""
    return (PICTURES / "dev-003.png").read_bytes()
