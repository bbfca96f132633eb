"""Requests to a chat API: tried again where that may help, at a bounded rate, in a bounded time, of a bounded size."""

from __future__ import annotations

import math
import ssl
import threading
import time
import weakref
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from mner.errors import ImageError, ServiceError
from mner.vision.endpoint.settings import Options
from mner.vision.texts import clean

AGAIN = frozenset({408, 429, 500, 502, 503, 504, 529})
"""Statuses after which the same request is sent again."""

PAUSE = 0.5
"""Seconds before the second try, where the server names none; doubled with each further one."""

LONGEST = 30.0
"""Most seconds between two tries, unless the server asks for more."""

MOST_BYTES = 2**20
"""Of an answer; a longer one is not read to its end."""

QUOTED = 200
"""Characters of a server's refusal that a reason quotes."""


class Clock:
    """The time that one picture may take; waiting for its turn at the rate limit does not count."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._until = seconds, time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self._until - time.monotonic()

    def add(self, seconds: float) -> None:
        """Give it more time."""
        self._until += seconds

    def over(self) -> ImageError:
        """The error that it took too long."""
        return ImageError("timeout", f"the endpoint did not answer within {self._seconds:g} seconds")


class Transport:
    """A connection to one endpoint; it may be used from several threads.

    Attributes:
        calls: Requests that were sent, further tries included.

    Args:
        options: Address, limits and retries.
        key: The API key; None sends none.
    """

    def __init__(self, options: Options, key: str | None) -> None:
        self._options, self._key, self.calls = options, key, 0
        # Neither proxies nor passwords of the environment: a picture goes to the address that was named, or nowhere.
        # The default context takes the system's authorities.
        self._client = httpx.Client(trust_env=False, follow_redirects=False, verify=ssl.create_default_context())
        weakref.finalize(self, self._client.close)
        self._headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key}"
        self._gap = 60.0 / options.per_minute if options.per_minute else 0.0
        self._lock, self._next = threading.Lock(), 0.0

    def post(self, body: dict[str, Any], clock: Clock) -> bytes:
        """The content of the server's answer as it came, after as many tries as it takes and may.

        Raises:
            ServiceError: The server refuses, also by a wait that is longer than the time left; cannot be reached; or
                answers with too much. The message does not show the key.
            ImageError: The time is over without an answer; its status is "timeout".
        """
        pause = PAUSE
        for left in range(self._options.retries, -1, -1):
            self._turn(clock)
            try:
                answer, content = self._once(body, clock)
            except httpx.TimeoutException:
                raise clock.over() from None
            except httpx.HTTPError as error:
                if not left:
                    why = str(error) or type(error).__name__
                    raise ServiceError(f"{self._options.address}: no answer: {self._shown(why)}") from None
                if pause >= clock.left:
                    raise clock.over() from None
                wait = pause
            else:
                if answer.status_code == 200:
                    return content
                asked_for = _seconds(answer.headers.get("retry-after"))
                wait = pause if asked_for is None else asked_for
                if answer.status_code not in AGAIN or not left or wait >= clock.left:
                    raise self._refused(answer.status_code, content, wait=asked_for)
            time.sleep(wait)
            pause = min(LONGEST, 2 * pause)
        raise AssertionError("the last try ends above")

    def _turn(self, clock: Clock) -> None:
        """Wait until the rate limit lets one more request through."""
        with self._lock:
            now = time.monotonic()
            at = max(now, self._next)
            self._next = at + self._gap
            self.calls += 1
        time.sleep(at - now)
        clock.add(at - now)

    def _once(self, body: dict[str, Any], clock: Clock) -> tuple[httpx.Response, bytes]:
        if clock.left <= 0:
            raise clock.over()
        url, content = f"{self._options.address}/chat/completions", b""
        with self._client.stream("POST", url, json=body, headers=self._headers, timeout=clock.left) as answer:
            # Raw: what a server compressed against our wish could be of any size once it is unpacked.
            for chunk in answer.iter_raw():
                content += chunk
                if len(content) > MOST_BYTES:
                    raise ServiceError(f"{self._options.address}: answered with more than {MOST_BYTES:,} bytes")
                if clock.left <= 0:  # it sends a little now and then
                    raise clock.over()
        return answer, content

    def without_key(self, text: str) -> str:
        """A text that is about to be shown, with "[key]" in place of the API key."""
        return text if self._key is None else text.replace(self._key, "[key]")

    def _refused(self, status: int, content: bytes, *, wait: float | None) -> ServiceError:
        hint = f"; asked to wait {round(wait, 1):g} s" if wait else ""
        if status in {401, 403}:
            variable = self._options.key
            hint += f"; it wants another key in {variable}" if variable else "; name a key: vision.options.endpoint.key"
        elif 300 <= status < 400:
            hint += "; redirects are not followed: name the address that it leads to"
        why = self._shown(content.decode("utf-8", "replace"))
        return ServiceError(f"{self._options.address}: refused with status {status}: {why}{hint}", status=status)

    def _shown(self, text: str) -> str:
        return clean(self.without_key(text)[: 4 * QUOTED], longest=QUOTED)


def _seconds(text: str | None) -> float | None:
    """The seconds of a Retry-After header, which may be a number or a date; None if it is neither, or absent.

    >>> _seconds("2.5"), _seconds("soon"), _seconds("Wed, 21 Oct 2015 07:28:00 GMT")
    (2.5, None, 0.0)
    """
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None
