"""A server that speaks the OpenAI-compatible chat protocol and sees nothing, with the faults that real ones have.

Run as a program it answers every picture alike: ``python tests/vision/fake_endpoint.py 8000``.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple

from PIL import Image

MODEL = "sees-7b"

GOOD = {
    "captions": ["a man in a red jersey holds a ball", "a player on a field"],
    "objects": [{"name": "man", "attributes": ["smiling", "tall"]}, {"name": "ball", "attributes": []}],
    "text": ["SAVANNAH", "Gate 7"],
}


class Reply(NamedTuple):
    """What the server sends; ``content`` is the model's text, ``raw`` stands for the whole body."""

    content: str = json.dumps(GOOD)
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    raw: bytes | None = None
    model: str = MODEL
    silence: float = 0.0


class Server:
    """Sends the replies in turn, the last one again and again, and keeps the requests and their headers."""

    def __init__(self, *replies: Reply, port: int = 0) -> None:
        self.replies = list(replies) or [Reply()]
        self.choose: Callable[[dict[str, Any]], Reply | None] = lambda body: None
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.most, self._now, self._lock, self.leaving = 0, 0, threading.Lock(), threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                reply = server.next(body, dict(self.headers), self.path)
                try:
                    self._send(reply)
                except ConnectionError:  # it did not want to hear all of it
                    self.close_connection = True
                finally:
                    server.done()

            def _send(self, reply: Reply) -> None:
                server.leaving.wait(reply.silence)
                if reply.status == 0:
                    self.close_connection = True
                    return
                content = completion(reply) if reply.raw is None else reply.raw
                self.send_response(reply.status)
                for name, text in {**reply.headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_port}/v1"

    def next(self, body: dict[str, Any], headers: dict[str, str], path: str) -> Reply:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.requests.append(body)
            self.headers.append({**headers, "path": path})
            self.times.append(time.monotonic())
            return self.choose(body) or (self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])

    def done(self) -> None:
        with self._lock:
            self._now -= 1

    @staticmethod
    def picture(body: dict[str, Any]) -> Image.Image:
        """The picture of a request."""
        url = body["messages"][0]["content"][1]["image_url"]["url"]
        return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))

    def __enter__(self) -> Server:
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leaving.set()
        self.server.shutdown()
        self.server.server_close()


def completion(reply: Reply) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": reply.content}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960}
    return json.dumps({"id": "1", "model": reply.model, "choices": [choice], "usage": usage}).encode()


if __name__ == "__main__":
    Server(port=int(sys.argv[1])).server.serve_forever()
