"""Pictures from addresses: only from named hosts, within a limit and a time, and no further than that."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mner.serve.addresses import _get, check
from mner.serve.faults import RequestError

HOSTS = ("pictures.example.org", "127.0.0.1:81")


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "https://",
        "https://other.example.org/a.jpg",
        "https://pictures.example.org.evil.example/a.jpg",
        "https://evil.example/pictures.example.org",
        "https://pictures.example.org@evil.example/a.jpg",
        "https://pictures.example.org:81/a.jpg",
        "http://127.0.0.1/a.jpg",
        "http://[::1/a.jpg",
        "https://pictures.example.org:99999/a.jpg",
        "https://pictures.example.org/a\r\nHost: x",
        "https://pictures.example.org/é.jpg",
    ],
)
def test_all_but_the_named_hosts_are_refused(address) -> None:
    with pytest.raises(RequestError) as fault:
        check(address, HOSTS)
    assert (fault.value.status, fault.value.field) == (422, "image_url")


def test_named_host_may_have_a_port() -> None:
    assert check("http://127.0.0.1:81/a b?c", HOSTS) == (False, "127.0.0.1", 81, "/a%20b?c")
    assert check("https://PICTURES.example.org", HOSTS) == (True, "pictures.example.org", None, "/")


@pytest.fixture
def host(ticket: bytes) -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", "/ticket.png")
                self.end_headers()
                return
            if "trickle" in self.path:
                self.send_response(200)
                if "head" not in self.path:
                    self.end_headers()
                else:
                    self.flush_headers()
                with suppress(OSError):
                    for number in range(200):
                        self.wfile.write(b"x" if "head" not in self.path else f"X-{number}: 1\r\n".encode())
                        time.sleep(0.05)
                return
            self.send_response(200)
            if self.path == "/short":
                self.send_header("Content-Length", str(len(ticket) + 1))
            self.end_headers()
            self.wfile.write(b"\0" * 5_000_000 if self.path == "/large" else ticket)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.service
@pytest.mark.enable_socket
def test_picture_is_fetched_from_a_named_host(serve, host) -> None:
    named = f"127.0.0.1:{host.server_port}"
    service = serve(hosts=(named,), max_bytes=2_000_000, picture_ms=60_000)

    def ask(path: str) -> tuple[str, str]:
        status, row, _ = service.ask({"text": "five stars for Phoenix this time", "image_url": f"http://{named}{path}"})
        assert status == 200
        return row["image_status"], row.get("reason", "")

    assert ask("/ticket.png") == ("used", "")
    assert ask("/moved") == ("missing", "the picture's host answered 302")
    assert ask("/large")[0] == "missing"
    assert ask("/short") == ("missing", "the picture's host ended before the whole picture had come")


@pytest.mark.service
@pytest.mark.enable_socket
@pytest.mark.parametrize("path", ["/trickle", "/trickled-head"])
def test_host_that_trickles_keeps_its_thread_no_longer_than_its_time(host, path) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        _get(False, "127.0.0.1", host.server_port, path, 10**6, began + 0.5)
    assert time.monotonic() - began < 3


@pytest.mark.service
@pytest.mark.enable_socket
def test_slow_hosts_hold_up_no_picture_that_was_sent(serve, host, ticket: bytes) -> None:
    named = f"127.0.0.1:{host.server_port}"
    service = serve(hosts=(named,), picture_ms=60_000)
    service.pictures_ready()
    sent = {"text": "five stars for Phoenix this time", "image": base64.b64encode(ticket).decode()}
    assert service.ask(sent)[1]["image_status"] == "used"
    posts = [{"text": "a", "image_url": f"http://{named}/trickle?{number}"} for number in range(40)]
    rows: list[dict] = []
    slow = threading.Thread(target=lambda: rows.extend(service.ask({"posts": posts, "picture_ms": 4000})[1]["posts"]))
    slow.start()
    time.sleep(0.5)
    assert service.ask({**sent, "picture_ms": 2000})[1]["image_status"] == "used"
    assert not rows
    slow.join(30)
    assert {row["image_status"] for row in rows} == {"timeout"}


@pytest.mark.service
@pytest.mark.enable_socket
def test_pictures_that_were_fetched_count_among_the_bytes_that_are_held(serve, host, ticket: bytes) -> None:
    named = f"127.0.0.1:{host.server_port}"
    service = serve(hosts=(named,), max_held=2 * len(ticket) + 2000, picture_ms=60_000)
    posts = [{"text": "five stars for Phoenix this time", "image_url": f"http://{named}/ticket.png"}] * 6
    status, answer, _ = service.ask({"posts": posts})
    assert status == 200
    assert sorted(row["image_status"] for row in answer["posts"]) == ["timeout"] * 4 + ["used"] * 2
    assert "send it again" in next(row["reason"] for row in answer["posts"] if row["image_status"] == "timeout")
    assert service.service.gate.held == 0


@pytest.mark.service
@pytest.mark.enable_socket
def test_address_that_is_refused_is_named_before_any_is_fetched(serve, host) -> None:
    named = f"127.0.0.1:{host.server_port}"
    service = serve(hosts=(named,))
    posts = [
        {"text": "a", "image_url": f"http://{named}/ticket.png"},
        {"text": "a", "image_url": "http://example.org/1.png"},
    ]
    status, answer, _ = service.ask({"posts": posts})
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (422, "url_refused", "posts[1].image_url")
