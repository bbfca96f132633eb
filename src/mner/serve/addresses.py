"""Pictures from addresses: only from hosts that whoever runs the service has named, within a limit and a time."""

from __future__ import annotations

import asyncio
import http.client
from urllib.parse import urlsplit

from mner.serve.faults import RequestError
from mner.serve.settings import Settings


async def fetch(address: str, settings: Settings, until: float) -> bytes:
    """The bytes at an address.

    Neither a redirection nor a proxy is followed, and nothing but the address is sent.

    Args:
        address: http or https.
        settings: Names the hosts, and the most bytes.
        until: The end of the time for it, as the event loop counts.

    Raises:
        RequestError: The host is not among those that may be asked, or this is not an address.
        OSError: It cannot be had.
        TimeoutError: It did not come in time.
    """
    secure, host, port, path = check(address, settings.hosts)
    loop = asyncio.get_running_loop()
    left = max(0.001, until - loop.time())
    return await asyncio.wait_for(
        loop.run_in_executor(None, _get, secure, host, port, path, settings.max_bytes, left), left
    )


def check(address: str, hosts: tuple[str, ...]) -> tuple[bool, str, int | None, str]:
    """Whether an address is https, its host, port and path.

    Raises:
        RequestError: As ``fetch``.

    >>> check("https://pictures.example.org/1.jpg?x=2", ("pictures.example.org",))
    (True, 'pictures.example.org', None, '/1.jpg?x=2')
    """
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise RequestError(422, "invalid_url", "not an address", field="image_url") from None
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or not address.isascii() or not address.isprintable():
        raise RequestError(
            422, "invalid_url", "expected an address such as https://host/picture.jpg", field="image_url"
        )
    named = host if port is None else f"{host}:{port}"
    if named not in hosts:
        raise RequestError(422, "url_refused", "this service does not fetch from that host", field="image_url")
    query = f"?{parts.query}" if parts.query else ""
    path = (parts.path or "/").replace(" ", "%20")
    return parts.scheme == "https", host, port, path + query.replace(" ", "%20")


def _get(secure: bool, host: str, port: int | None, path: str, most: int, seconds: float) -> bytes:
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(host, port, timeout=seconds)
    try:
        connection.request("GET", path, headers={"User-Agent": "mner", "Accept": "image/*"})
        with connection.getresponse() as answer:
            if answer.status != 200:
                raise OSError(f"the picture's host answered {answer.status}")
            content = answer.read(most + 1)
    except http.client.HTTPException as error:
        raise OSError(f"the picture's host did not answer as it should: {type(error).__name__}") from None
    finally:
        connection.close()
    if len(content) > most:
        raise OSError(f"the picture is over the limit of {most:,} bytes")
    return content
