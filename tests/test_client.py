"""The client: what it asks, what it tries again, and what it says where it is refused."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from mner import client as clients
from mner.client import Client
from mner.errors import ServiceError

pytestmark = [pytest.mark.service, pytest.mark.enable_socket]

Reply = tuple[int, dict[str, str], Any]


class Stand:
    """A service that says what the test wants, and keeps what it was asked."""

    def __init__(self, replies: list[Reply]) -> None:
        self.replies, self.requests, self.headers = replies, [], []
        stand = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                stand.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                stand.headers.append(dict(self.headers))
                status, headers, value = stand.replies.pop(0) if len(stand.replies) > 1 else stand.replies[0]
                content = value if isinstance(value, bytes) else json.dumps(value).encode()
                if status == 0:  # hang up
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, text in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(content)

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def stand() -> Iterator[Callable[..., Stand]]:
    with ExitStack() as stack:

        def make(*replies: Reply) -> Stand:
            service = Stand(list(replies))
            thread = threading.Thread(target=service.server.serve_forever, daemon=True)
            thread.start()
            stack.callback(lambda: (service.server.shutdown(), service.server.server_close(), thread.join()))
            return service

        yield make


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the client would have waited."""
    waited: list[float] = []
    monkeypatch.setattr(clients.time, "sleep", waited.append)
    return waited


def test_text_words_picture_and_options_are_sent(stand, tmp_path) -> None:
    service = stand((200, {}, {"entities": [], "posts": []}))
    (tmp_path / "a.png").write_bytes(b"ABC")
    with Client(service.address, key="secret") as client:
        client.entities("Kevin", image=tmp_path / "a.png", views=["T"], min_score=0.5)
        client.entities(words=["Kevin"], image=b"ABC", context={"captions": []})
        client.entities("Kevin", image=[b"ABC", str(tmp_path / "a.png")])
        list(client.batch([{"text": "Kevin", "images": [b"ABC", b"ABC"]}]))
    assert service.requests[2:] == [
        {"text": "Kevin", "images": ["QUJD", "QUJD"]},
        {"posts": [{"text": "Kevin", "images": ["QUJD", "QUJD"]}]},
    ]
    assert service.requests[:2] == [
        {"text": "Kevin", "image": "QUJD", "views": ["T"], "min_score": 0.5},
        {"words": ["Kevin"], "image": "QUJD", "context": {"captions": []}},
    ]
    assert service.headers[0]["Authorization"] == "Bearer secret"


def test_empty_name_of_a_picture_stands_for_none(stand) -> None:
    service = stand((200, {}, {"entities": [], "posts": []}))
    with Client(service.address) as client:
        list(client.batch([{"text": "Kevin", "image": ""}, {"text": "Kevin", "image": None}]))
        client.entities("Kevin", image="")
    assert service.requests == [{"posts": [{"text": "Kevin"}, {"text": "Kevin"}]}, {"text": "Kevin"}]


def test_batches_come_in_order_and_are_read_as_they_are_needed(stand) -> None:
    service = stand((200, {}, {"posts": [{"id": "0"}, {"id": "1"}]}))
    taken: list[int] = []

    def posts() -> Iterator[Any]:
        for number in range(6):
            taken.append(number)
            yield {"id": str(number), "text": "a"} if number % 2 else "a"

    with Client(service.address) as client:
        rows = client.batch(posts(), size=2, explain=True)
        assert [next(rows)["id"], next(rows)["id"]] == ["0", "1"]
        assert len(taken) == 2
        assert len(list(rows)) == 4
    assert service.requests[0] == {"posts": [{"text": "a"}, {"text": "a", "id": "1"}], "explain": True}


def test_busy_service_is_asked_again_after_the_seconds_it_names(stand, pauses) -> None:
    busy = {"error": {"code": "busy", "message": "come again", "field": None}}
    service = stand((429, {"Retry-After": "3"}, busy), (503, {}, busy), (200, {}, {"entities": []}))
    with Client(service.address) as client:
        assert client.entities("a") == {"entities": []}
    assert pauses == [3.0, 1.0]


def test_busy_service_is_given_up_after_so_many_tries(stand, pauses) -> None:
    service = stand((429, {"Retry-After": "1"}, {"error": {"code": "busy", "message": "come again", "field": None}}))
    with Client(service.address, retries=2) as client, pytest.raises(ServiceError, match="come again") as fault:
        client.entities("a")
    assert (fault.value.status, fault.value.code, len(pauses)) == (429, "busy", 2)


def test_refused_request_is_not_sent_again(stand, pauses) -> None:
    said = {"error": {"code": "invalid_image", "message": "not base64", "field": "image"}}
    service = stand((422, {}, said))
    with Client(service.address) as client, pytest.raises(ServiceError, match="image: not base64") as fault:
        client.entities("a")
    assert (fault.value.field, pauses, len(service.requests)) == ("image", [], 1)


def test_lost_connection_is_opened_again(stand, pauses) -> None:
    service = stand((0, {}, b""), (200, {}, {"entities": []}))
    with Client(service.address) as client:
        assert client.entities("a") == {"entities": []}
    assert len(service.requests) == 2


def test_connection_that_the_service_closed_meanwhile_is_no_fault(stand, pauses) -> None:
    service = stand((200, {}, {"entities": []}), (0, {}, b""), (200, {}, {"entities": []}))
    with Client(service.address, retries=0) as client:
        assert client.entities("a") == client.entities("b")
    assert [request["text"] for request in service.requests] == ["a", "b", "b"]


class Closed(http.client.HTTPConnection):
    """A connection over TLS that the other side has closed, perhaps after an answer."""

    answer: Any = None

    def connect(self) -> None: ...

    def request(self, *_: Any, **__: Any) -> None:
        raise ssl.SSLEOFError(8, "EOF occurred in violation of protocol")

    def getresponse(self) -> Any:
        if self.answer is None:
            self.request()
        return self.answer


def test_tls_connection_that_the_service_closed_meanwhile_is_no_fault(stand, pauses) -> None:
    service = stand((200, {}, {"entities": []}))
    with Client(service.address, retries=0) as client:
        client._idle.append(Closed("127.0.0.1"))
        assert client.entities("a") == {"entities": []}


def test_tls_connection_that_is_closed_is_opened_again(stand, pauses, monkeypatch) -> None:
    service = stand((200, {}, {"entities": []}))
    with Client(service.address, retries=1) as client:
        connections = [Closed("127.0.0.1"), client._connection()]
        monkeypatch.setattr(client, "_connection", lambda: connections.pop(0))
        assert client.entities("a") == {"entities": []}
    assert len(pauses) == 1


def test_refusal_over_tls_before_the_whole_body_was_sent_is_shown(pauses, monkeypatch) -> None:
    content = b'{"error": {"code": "too_large", "message": "the body is over the limit", "field": null}}'
    connection = Closed("127.0.0.1")
    connection.answer = SimpleNamespace(status=413, will_close=True, read=lambda: content, getheaders=list)
    with Client() as client:
        monkeypatch.setattr(client, "_connection", lambda: connection)
        with pytest.raises(ServiceError, match="over the limit") as fault:
            client.entities("a")
    assert (fault.value.status, pauses) == (413, [])


def test_certificate_that_is_not_trusted_is_not_asked_again(pauses, monkeypatch) -> None:
    def connect(connection: http.client.HTTPConnection) -> None:
        raise ssl.SSLCertVerificationError("certificate verify failed")

    monkeypatch.setattr(http.client.HTTPSConnection, "connect", connect)
    with Client("https://127.0.0.1:1") as client, pytest.raises(ServiceError, match="certificate"):
        client.entities("a")
    assert pauses == []


def test_connections_are_used_again_and_closed_at_the_end(stand) -> None:
    service = stand((200, {}, {"entities": []}))
    with Client(service.address) as client:
        threads = [threading.Thread(target=client.entities, args=("a",)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 <= len(client._idle) <= 4
    assert not client._idle


def test_no_service_is_said_with_its_address(pauses) -> None:
    with Client("http://127.0.0.1:9", retries=1) as client:
        assert not client.ready()
        with pytest.raises(ServiceError, match=r"127[.]0[.]0[.]1:9: no answer"):
            client.entities("a")


def test_answer_of_a_proxy_is_shown(stand) -> None:
    service = stand((502, {}, b"<html>Bad Gateway"))
    with Client(service.address) as client, pytest.raises(ServiceError, match="Bad Gateway") as fault:
        client.entities("a")
    assert fault.value.status == 502


@pytest.mark.parametrize(
    "content", [b"<html>\x1b[31mLog in</html>", b"", b"\xff\xfe", b"[]", b"null", b'{"login": "/"}', b"[" * 100_000]
)
def test_answer_of_something_else_is_refused_with_the_address(stand, pauses, content) -> None:
    service = stand((200, {"Content-Type": "text/html"}, content))
    with Client(service.address) as client:
        for request in (lambda: client.entities("Kevin"), lambda: list(client.batch(["Kevin"])), client.model):
            with pytest.raises(ServiceError, match="the answer is not from `mner serve`") as fault:
                request()
            assert (fault.value.status, fault.value.code) == (200, "unknown")
            assert service.address in str(fault.value) and str(fault.value).isprintable()
    assert pauses == []


def test_what_is_no_address_no_words_or_no_list_is_refused() -> None:
    with pytest.raises(ValueError, match="address"):
        Client("localhost:8000")
    with pytest.raises(TypeError, match="list of words"):
        Client().entities(words="Kevin Love")
    with pytest.raises(TypeError, match="many posts"):
        next(Client().batch("Kevin Love"))


def test_client_needs_the_standard_library_alone() -> None:
    code = "import sys, mner.client; print([m for m in ('numpy', 'pydantic', 'fastapi', 'PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connection_that_is_reset_at_once_is_no_answer(
    scheme: str, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    def connect(connection: http.client.HTTPConnection) -> None:
        raise ConnectionResetError("reset by peer")

    monkeypatch.setattr(
        http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection, "connect", connect
    )
    with Client(f"{scheme}://127.0.0.1:1", retries=1) as client:
        assert client.ready() is False
        with pytest.raises(ServiceError, match="no answer: reset by peer"):
            client.entities("a")
    assert len(pauses) == 1


@pytest.mark.parametrize(
    "address",
    ["http://h:99999", "http://h:x", "http://[::1", "ftp://h", "h:8000", "http://127.0.0..1", f"http://{'h' * 64}.de"],
)
def test_faulty_address_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match=r"address: expected one such as http://127\.0\.0\.1:8000"):
        Client(address)


def test_key_is_sent_without_the_line_end_of_its_file(stand) -> None:
    service = stand((200, {}, {"entities": []}))
    with Client(service.address, key=" secret\r\n") as client:
        client.entities("a")
    assert service.headers[0]["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("key", ["“secret”", "schlüssel", "two words", "two\nlines"])
def test_what_no_key_holds_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="key: expected visible ASCII characters") as fault:
        Client(key=key)
    assert key not in str(fault.value)


def test_batch_of_no_posts_is_refused() -> None:
    with pytest.raises(ValueError, match="size: expected 1 or more, got 0"):
        next(Client().batch(["a"], size=0))
