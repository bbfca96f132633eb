"""The socket that a service listens on, and where its records go."""

from __future__ import annotations

import io
import json
import logging
import socket
from collections.abc import Iterator

import pytest

from mner.errors import ConfigError
from mner.serve.run import bound, log_to

NAMES = ("mner.serve", "uvicorn.error", "py.warnings")


@pytest.mark.service
@pytest.mark.enable_socket
def test_answers_do_not_wait_for_the_client_to_acknowledge_their_first_part() -> None:
    with bound("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()) as client:
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert client.recv(1) == b""


@pytest.mark.service
@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("host", "said"), [("203.0.113.1", "no such address"), ("127.0.0.1", "another program has that port")]
)
def test_what_cannot_be_listened_on_is_said(host: str, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match=said):
        bound(host, taken.getsockname()[1])


@pytest.mark.service
@pytest.mark.enable_socket
@pytest.mark.parametrize("host", ["127.0.0..1", "h" * 64])
def test_what_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match=f"^{host}: not an address or a host's name"):
        bound(host, 0)


@pytest.fixture
def loggers() -> Iterator[None]:
    before = {name: (logging.getLogger(name).level, logging.getLogger(name).propagate) for name in NAMES}
    yield
    logging.captureWarnings(False)
    for name, (level, propagate) in before.items():
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(level)
        logger.propagate = propagate


def test_records_of_service_and_server_go_to_one_handler_as_json(loggers: None) -> None:
    stream = io.StringIO()
    log_to(logging.StreamHandler(stream))
    logging.getLogger("mner.serve").info("one")
    logging.getLogger("uvicorn.error").info("not this")
    logging.getLogger("uvicorn.error").warning("two")
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == ["one", "two"]
