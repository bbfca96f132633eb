"""A client of ``mner serve``; it needs the standard library alone.

>>> client = Client("http://127.0.0.1:8000")
>>> client  # doctest: +ELLIPSIS
<mner.client.Client http://127.0.0.1:8000>
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import ssl
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mner.errors import ServiceError

Picture = str | os.PathLike[str] | bytes
"""A path, or the bytes of a picture's file."""

Pictures = Picture | Sequence[Picture]
"""A picture, or a list of several."""

AGAIN = frozenset({429, 503})
"""Statuses after which the same request is sent again."""

PAUSE = 0.5
"""Seconds before the second try, where the service names none; doubled with each further one."""

LONGEST = 60.0
"""Most seconds between two tries."""

CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""How a connection fails that the other side has closed; TLS has errors of its own for that."""


class Client:
    """Asks a service for entities. It may be used from several threads.

    Args:
        address: Of the service, such as ``http://127.0.0.1:8000``.
        key: Its key, where it wants one; blanks and line ends around it do not count.
        timeout: Seconds to wait for an answer.
        retries: Further tries where the service is busy (429, 503), or the connection was lost before an answer came.
        context: Of TLS, for an https address; None takes the system's authorities.

    Raises:
        ValueError: The address does not begin with http:// or https://, its host cannot be one, or its port is not a
            number up to 65535; or the key holds what no key does.

    >>> with Client("http://127.0.0.1:8000") as client:  # doctest: +SKIP
    ...     assert client.ready(), "start one: mner serve"
    ...     print(client.model()["labels"])
    ...     print(client.entities("Kevin Love is back", image="photo.jpg", min_score=0.5)["entities"])
    ...     for row in client.batch(["Kevin Love is back", {"text": "We are back", "image": "photo.jpg"}]):
    ...         print(row["entities"])
    >>> client.close()  # doctest: +SKIP
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8000",
        *,
        key: str | None = None,
        timeout: float = 60.0,
        retries: int = 5,
        context: ssl.SSLContext | None = None,
    ) -> None:
        try:
            parts = urlsplit(address)
            valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
            str(parts.hostname).encode("idna")  # as the look-up of its address does
        except ValueError:  # a port that is not a number, half an IPv6 address, or a host such as 127.0.0..1
            valid = False
        if not valid:
            raise ValueError(f"address: expected one such as http://127.0.0.1:8000, got {address!r}")
        if key is not None and not re.fullmatch(r"[!-~]*", key := key.strip()):
            raise ValueError("key: expected visible ASCII characters without blanks, as the service's key has")
        self._address, self._parts = address.rstrip("/"), parts
        self._key, self._timeout, self._retries, self._context = key, timeout, retries, context
        self._idle: deque[http.client.HTTPConnection] = deque()  # its ends are safe to use from several threads

    def __repr__(self) -> str:
        return f"<mner.client.Client {self._address}>"

    def entities(
        self,
        text: str | None = None,
        *,
        words: Sequence[str] | None = None,
        image: Pictures | None = None,
        context: str | Mapping[str, Any] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """The row of one post: text, entities with start, end, text, label and score, view, image_status.

        Args:
            text: The post.
            words: Its words, instead.
            image: Its picture: a path, or the bytes of the file; or a list of several.
            context: What stands for the picture: a caption, or a context as answers have it.
            options: ``views=["T", "I+T"]``, ``explain=True``, ``min_score=0.5``, ``picture_ms=500``, ``id="1"``.

        Raises:
            ServiceError: The service refuses the request, or does not answer.
        """
        return self._post({**_post(text, words, image, context), **options}, "entities")

    def batch(
        self, posts: Iterable[str | Mapping[str, Any]], *, size: int = 64, **options: Any
    ) -> Iterator[dict[str, Any]]:
        """The rows of many posts, in their order, ``size`` of them in one request.

        Args:
            posts: Texts, or mappings with what ``entities`` takes: text or words, image or images, context, id.
            size: Posts of one request.
            options: As for ``entities``, for all posts.

        Raises:
            ServiceError: As ``entities``.
            ValueError: ``size`` is below 1.
        """
        if isinstance(posts, str | Mapping):
            raise TypeError("expected many posts, such as a list of texts; one post: client.entities(text)")
        if size < 1:
            raise ValueError(f"size: expected 1 or more, got {size}")
        source = iter(posts)
        while part := [_row(post) for post in islice(source, size)]:
            yield from self._post({"posts": part, **options}, "posts")["posts"]

    def model(self) -> dict[str, Any]:
        """The service's model: name, labels, views, version, limits."""
        return self._ask("GET", "/v1/model", None, "labels")

    def ready(self) -> bool:
        """Whether the service takes requests."""
        try:
            return self._once("GET", "/readyz", None)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def close(self) -> None:
        """Close the connections; a further request opens one again."""
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _post(self, value: dict[str, Any], key: str) -> dict[str, Any]:
        return self._ask("POST", "/v1/entities", json.dumps(value).encode(), key)

    def _ask(self, method: str, path: str, body: bytes | None, key: str) -> dict[str, Any]:
        """What the service answers, an object with that key, after as many tries as it takes and may."""
        pause = PAUSE
        for left in range(self._retries, -1, -1):
            try:
                status, headers, content = self._once(method, path, body)
            except (OSError, http.client.HTTPException) as error:
                again = isinstance(error, CLOSED) or not isinstance(error, TimeoutError | ssl.SSLError)
                if not left or not again:
                    why = str(error) or type(error).__name__
                    raise ServiceError(f"{self._address}: no answer: {why}") from error
                wait = pause
            else:
                if status == 200:
                    return _answer(self._address, key, content)
                if status not in AGAIN or not left:
                    raise _refused(self._address, status, content)
                wait = _seconds(headers.get("retry-after"), pause)
            time.sleep(min(LONGEST, wait))
            pause = min(LONGEST, 2 * pause)
        raise AssertionError("the last try ends above")

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        path = self._parts.path.rstrip("/") + path
        with suppress(IndexError):
            while connection := self._idle.pop():
                with suppress(*CLOSED, http.client.HTTPException):  # the service closed it while it was idle
                    return self._exchange(connection, method, path, body, headers)
        return self._exchange(self._connection(), method, path, body, headers)

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One request and its answer; the connection is then idle, or closed."""
        try:
            if connection.sock is None:
                connection.connect()
            with suppress(*CLOSED):  # it may refuse a body before all of it was sent
                connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content

    def _connection(self) -> http.client.HTTPConnection:
        host, port = str(self._parts.hostname), self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout)


def _row(post: str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(post, str):
        return {"text": post}
    rest = {key: value for key, value in post.items() if key not in {"text", "words", "image", "images", "context"}}
    image = post.get("image") if post.get("images") is None else post["images"]
    return {**_post(post.get("text"), post.get("words"), image, post.get("context")), **rest}


def _post(
    text: str | None, words: Sequence[str] | None, image: Pictures | None, context: str | Mapping[str, Any] | None
) -> dict[str, Any]:
    if isinstance(words, str):
        raise TypeError("words: expected a list of words, got one string; give it as text")
    row: dict[str, Any] = {}
    if text is not None:
        row["text"] = text
    if words is not None:
        row["words"] = list(words)
    if isinstance(image, list | tuple):
        row["images"] = [_base64(picture) for picture in image]
    elif image is not None and image != "":  # which records have in place of no picture
        row["image"] = _base64(image)
    if context is not None:
        row["context"] = context if isinstance(context, str) else dict(context)
    return row


def _base64(picture: Any) -> str:
    content = bytes(picture) if isinstance(picture, bytes | bytearray) else Path(picture).read_bytes()
    return base64.b64encode(content).decode()


def _seconds(text: str | None, otherwise: float) -> float:
    return float(text) if text is not None and text.isascii() and text.isdigit() else otherwise


def _answer(address: str, key: str, content: bytes) -> dict[str, Any]:
    """The object that the service answers with, which has a certain key.

    Raises:
        ServiceError: It is no such object: something else answers at that address.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and key in value:
        return value
    start = content[:80].decode("utf-8", "replace")
    raise ServiceError(
        f"{address}: the answer is not from `mner serve`: {start!r}; check the address, and whether a proxy or a login "
        "page answers there (status 200, unknown)",
        status=200,
        code="unknown",
    )


def _refused(address: str, status: int, content: bytes) -> ServiceError:
    """The error that an answer of the service reports."""
    try:
        error = json.loads(content)["error"]
        code, message, field = str(error["code"]), str(error["message"]), error.get("field")
    except (ValueError, KeyError, TypeError, AttributeError):  # something between here and the service
        code, message, field = "unknown", content[:200].decode("utf-8", "replace"), None
    where = f"{field}: " if field and not message.startswith(str(field)) else ""
    return ServiceError(f"{address}: {where}{message} (status {status}, {code})", status=status, code=code, field=field)
