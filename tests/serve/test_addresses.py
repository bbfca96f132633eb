"""Pictures from addresses: only from named hosts, within a limit and a time, and no further than that."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mner.serve.addresses import check
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
            self.send_response(200)
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
        status, row, _ = service.ask({"text": "five stars for Phoenix", "image_url": f"http://{named}{path}"})
        assert status == 200
        return row["image_status"], row.get("reason", "")

    assert ask("/ticket.png") == ("used", "")
    assert ask("/moved") == ("missing", "the picture's host answered 302")
    assert ask("/large")[0] == "missing"
