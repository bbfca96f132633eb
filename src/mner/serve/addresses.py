"""Pictures from addresses: only from hosts that whoever runs the service has named, within a limit and a time."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from urllib.parse import urlsplit

from mner.serve.faults import RequestError
from mner.serve.settings import Settings

FETCHES = 4
"""Pictures that are fetched at a time."""


class Fetcher:
    """Fetches pictures in threads of its own, so that slow hosts hold up nothing else.

    Args:
        settings: Names the hosts, and the most bytes of a picture.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(FETCHES, "mner-fetch")

    def close(self) -> None:
        """Fetch no more; what is under way ends with its time."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def fetch(self, address: str, until: float) -> bytes:
        """The bytes at an address.

        Neither a redirection nor a proxy is followed, and nothing but the address is sent.

        Args:
            address: http or https.
            until: The end of the time for it, as the event loop counts; the connection is cut off then.

        Raises:
            RequestError: The host is not among those that may be asked, or this is not an address.
            OSError: It cannot be had.
            TimeoutError: It did not come in time.
        """
        secure, host, port, path = check(address, self._settings.hosts)
        loop = asyncio.get_running_loop()
        end = time.monotonic() + until - loop.time()
        async with asyncio.timeout_at(until):
            return await loop.run_in_executor(
                self._threads, _get, secure, host, port, path, self._settings.max_bytes, end
            )


def check(address: str, hosts: tuple[str, ...], *, field: str = "image_url") -> tuple[bool, str, int | None, str]:
    """Whether an address is https, its host, port and path; ``field`` is the one of the request that names it.

    Raises:
        RequestError: As ``fetch``.

    >>> check("https://pictures.example.org/1.jpg?x=2", ("pictures.example.org",))
    (True, 'pictures.example.org', None, '/1.jpg?x=2')
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise RequestError(422, "invalid_url", "not an address", field=field) from None
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or not address.isascii() or not address.isprintable():
        raise RequestError(422, "invalid_url", "expected an address such as https://host/picture.jpg", field=field)
    named = host if port is None else f"{host}:{port}"
    if named not in hosts:
        raise RequestError(422, "url_refused", "this service does not fetch from that host", field=field)
    query = f"?{parts.query}" if parts.query else ""
    path = (parts.path or "/").replace(" ", "%20")
    return parts.scheme == "https", host, port, path + query.replace(" ", "%20")


def _get(secure: bool, host: str, port: int | None, path: str, most: int, end: float) -> bytes:
    """The picture, or a TimeoutError at ``end`` on the monotonic clock, however slowly its host answers."""
    usual = http.client.HTTPS_PORT if secure else http.client.HTTP_PORT
    port = port or usual
    with closing(http.client.HTTPConnection(host, port)) as connection, _connected(secure, host, port, end) as stream:
        connection.default_port, connection.sock = usual, stream
        # A time-out is for each part that comes, and a host that trickles never reaches it.
        cut = threading.Timer(max(0.0, end - time.monotonic()), _cut, [stream])
        cut.daemon = True
        cut.start()
        try:
            if isinstance(stream, ssl.SSLSocket):
                stream.do_handshake()
            content = _answer(connection, path, most)
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() >= end:
                raise TimeoutError from None
            if isinstance(error, OSError):
                raise
            raise OSError(f"the picture's host did not answer as it should: {type(error).__name__}") from None
        finally:
            cut.cancel()
    if time.monotonic() >= end:  # what has no stated length may have been cut off
        raise TimeoutError
    return content


def _connected(secure: bool, host: str, port: int, end: float) -> socket.socket:
    """A connection; of https one whose handshake is still to come."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    stream = socket.create_connection((host, port), left)
    if not secure:
        return stream
    try:
        return ssl.create_default_context().wrap_socket(stream, server_hostname=host, do_handshake_on_connect=False)
    except BaseException:
        stream.close()
        raise


def _cut(stream: socket.socket) -> None:
    with suppress(OSError):  # it has ended meanwhile
        socket.socket.shutdown(stream, socket.SHUT_RDWR)  # not that of TLS, which another thread is reading


def _answer(connection: http.client.HTTPConnection, path: str, most: int) -> bytes:
    connection.request("GET", path, headers={"User-Agent": "mner", "Accept": "image/*"})
    with connection.getresponse() as answer:
        if answer.status != 200:
            raise OSError(f"the picture's host answered {answer.status}")
        content = b"" if (answer.length or 0) > most else answer.read(most + 1)
        if len(content) + (answer.length or 0) > most:
            raise OSError(f"the picture is over the limit of {most:,} bytes")
        if answer.length:
            raise OSError("the picture's host ended before the whole picture had come")
    return content
