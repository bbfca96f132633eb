"""Who may come in: a key, a rate for each client, a number of requests at a time."""

from __future__ import annotations

import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mner.serve.faults import RequestError
from mner.serve.settings import Settings

CLIENTS = 10_000
"""Clients whose rate is remembered; the one that has been quiet for longest is forgotten first."""


class Gate:
    """Lets requests in or refuses them.

    Args:
        settings: The limits.
        clock: Seconds, for tests.

    Attributes:
        inside: Requests that are being answered.
        held: Bytes of their bodies.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.inside, self.held = 0, 0
        self._settings, self._clock = settings, clock
        self._clients: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens left, and when that was

    def check_key(self, authorization: str | None) -> None:
        """Nothing, if the header holds the key, or none is wanted.

        Raises:
            RequestError: It does not.
        """
        if self._settings.key is None:
            return
        scheme, _, given = (authorization or "").partition(" ")
        wanted = self._settings.key.encode()
        right = hmac.compare_digest(given.strip().encode("latin-1", "replace"), wanted)  # in constant time
        if scheme.lower() != "bearer" or not right:
            raise RequestError(401, "unauthorized", "this service wants its key: Authorization: Bearer KEY")

    def check_rate(self, client: str) -> None:
        """Nothing, if this client has not asked too often.

        Raises:
            RequestError: It has; the fault says when it may come again.
        """
        rate, burst = self._settings.rate, float(self._settings.burst)
        if not rate:
            return
        now = self._clock()
        left, at = self._clients.pop(client, (burst, now))
        left = min(burst, left + (now - at) * rate)
        allowed = left >= 1.0
        self._clients[client] = (left - allowed, now)
        while len(self._clients) > CLIENTS:
            self._clients.popitem(last=False)
        if not allowed:
            wait = max(1, math.ceil((1.0 - left) / rate))
            raise RequestError(429, "rate", f"more than {rate:g} requests a second; come again in {wait} s", wait=wait)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """A block that one request is inside.

        Raises:
            RequestError: As many as may be are inside.
        """
        if self.inside >= self._settings.concurrency:
            raise RequestError(429, "busy", "as many requests as may be are being answered; send this again", wait=1)
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    @contextmanager
    def holding(self) -> Iterator[Callable[[int], None]]:
        """A block in which a body is in memory; gives the function to call with each number of bytes that comes.

        The function raises a ``RequestError`` where all bodies together are too many bytes.
        """
        own = 0

        def hold(size: int) -> None:
            nonlocal own
            if self.held + size > self._settings.max_held and self.held > own:
                raise RequestError(429, "busy", "too much is being uploaded; send this again", wait=1)
            own += size
            self.held += size

        try:
            yield hold
        finally:
            self.held -= own
