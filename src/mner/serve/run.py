"""Runs a service until it gets the signal to stop."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from mner.errors import ConfigError

if TYPE_CHECKING:
    from fastapi import FastAPI

GRACE = 30
"""Seconds that requests have to be answered once the service is to stop."""

IDLE = 30
"""Seconds that a connection stays open without a request."""

BACKLOG = 2048
"""Connections that may wait to be accepted."""


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens for the service; port 0 takes any that is free.

    Raises:
        ConfigError: The port is taken, or may not be used, or there is no such address here, or this is not an address.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except UnicodeError:  # a part of the name is empty or too long
        raise ConfigError(f"{host}: not an address or a host's name; --host 127.0.0.1 is this machine alone") from None
    except OSError as error:
        why = {
            "EADDRINUSE": f"another program has that port; choose another: --port {port + 1 if port < 65535 else 8000}",
            "EACCES": "ports below 1024 are for the administrator; choose another: --port 8000",
            "EADDRNOTAVAIL": "this machine has no such address; --host 127.0.0.1 is this machine alone",
        }
        import errno

        code = errno.errorcode.get(error.errno or 0, "")
        raise ConfigError(f"{host}:{port}: {why.get(code, error.strerror or str(error))}") from None
    # Answers go out in two parts; without this the second one waits 40 ms for the client's word about the first.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def run(app: FastAPI, listening: socket.socket, *, proxies: str = "", started: Callable[[], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; then answer what was accepted, and leave.

    Args:
        app: What ``create_app`` made.
        listening: What ``bound`` gave.
        proxies: Addresses of proxies whose word about the client is taken, with commas between them.
        started: Called once requests are taken.
    """
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=GRACE,
        backlog=BACKLOG,
        ws="none",
    )
    # uvicorn raises the signal once more when it has stopped; that it stopped is then no news.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with suppress(KeyboardInterrupt):
            Server(config).run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def log_to(stream: logging.Handler) -> None:
    """Have the service's records, and the web server's faults, written by a handler as lines of JSON."""
    from mner.serve.logs import JsonLines

    stream.setFormatter(JsonLines())
    logging.captureWarnings(True)
    for name, level in (("mner.serve", logging.INFO), ("uvicorn.error", logging.WARNING), ("py.warnings", None)):
        logger = logging.getLogger(name)
        logger.addHandler(stream)
        logger.propagate = False
        if level is not None:
            logger.setLevel(level)
