"""One line of JSON for each request: what happened and how long it took, never what a post says."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
import traceback
import uuid
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mner.serve.faults import response
from mner.serve.metrics import Metrics

log = logging.getLogger("mner.serve")

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class JsonLines(logging.Formatter):
    """A record as a line of JSON: time, level, event, and the fields that came as ``extra``.

    Of an exception its type and its places in the code are written, and not its message, which may quote a post.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        row: dict[str, Any] = {
            "time": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03d}",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        row |= {key: value for key, value in vars(record).items() if key not in _OWN}
        if record.exc_info and record.exc_info[0] is not None:
            row["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            row["places"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
        return json.dumps(row, default=str)


class Watch:
    """Counts and logs every request, gives it an id, and answers where the service itself failed."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection's request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        name = _name(scope)
        state: dict[str, Any] = scope.setdefault("state", {})
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message.setdefault("headers", []).append((b"x-request-id", name.encode()))
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:  # it is to stop, and the time for that is over
            if status:
                raise
            message = "the service stopped before it had the answer; send this again"
            await response(503, "stopping", message, headers={"Retry-After": "1"})(scope, receive, sending)
        except Exception:
            log.exception("the service failed on a request", extra={"event": "failure", "request": name})
            if status:  # half an answer is out: have the connection closed
                raise
            message = f"the service failed on this request; its log has the place under the request {name}"
            await response(500, "internal", message)(scope, receive, sending)
        self._tell(scope, state, name, status, time.perf_counter() - began)

    def _tell(self, scope: Scope, state: dict[str, Any], name: str, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self._metrics.requests.labels(route, str(status)).inc()
        pictures = {kind: count for kind, count in state.get("pictures", {}).items() if kind != "none"}
        if "posts" in state and status == 200:
            self._metrics.seconds.labels("yes" if pictures else "no").observe(seconds)
        if route in {"/healthz", "/readyz", "/metrics"} and status == 200:
            return
        client = scope.get("client")
        fields = {
            "event": "request",
            "request": name,
            "client": client[0] if client else None,
            "method": scope["method"],
            "route": route,
            "status": status,
            "fault": state.get("fault"),
            "ms": round(seconds * 1000, 1),
            "posts": state.get("posts"),
            "pictures": pictures or None,
        }
        log.info("request", extra={key: value for key, value in fields.items() if value is not None})


def _name(scope: Scope) -> str:
    """The id that came with a request, where it is a plain one; else a new one."""
    for key, value in scope["headers"]:
        if key == b"x-request-id" and _ID.fullmatch(text := value.decode("latin-1")):
            return str(text)
    return uuid.uuid4().hex
