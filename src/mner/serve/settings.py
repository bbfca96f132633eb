"""What a service allows, and how it shares the machine; every limit with its unit."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from pathlib import Path

from mner.errors import ConfigError
from mner.several import MOST_PICTURES

LEAST_KEY = 16
"""Characters that a key has at least: a shorter one can be guessed."""

_VISIBLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"[^/\s@\[\]]+")
_MADE = "openssl rand -hex 24"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The limits of one service.

    Attributes:
        max_bytes: Of a request's body; more is refused before it is read.
        max_held: Bytes in memory at a time of all bodies and of the pictures that were fetched for them. A request
            beyond them is asked to come again, and a fetched picture beyond them is not read. Pictures that wait for a
            worker may take as many again, since they wait on when their request was answered.
        max_pixels: Of a picture, read from its header; a larger one is not decoded, nor is one over the limits of
            ``mner.vision.images.Limits``, which are lower for what is no JPEG.
        max_posts: Posts of one request.
        max_pictures: Pictures of one post, or as many as the tagger takes (``mner.load(max_pictures=...)``) if that is
            fewer.
        max_words: Words of one post.
        max_characters: Characters of one post's text and of a caption that stands for its picture; a context may have
            as many in its entries, times ``max_pictures``.
        body_seconds: Seconds within which a body must have come.
        picture_ms: Most milliseconds for the pictures of one request. A picture that is not read by then counts as
            none, and one that a grounder has not looked at gives none of its regions.
        picture_workers: Processes that read pictures.
        pictures_waiting: Pictures that may wait for a worker; one beyond them is not read.
        contexts: Readings of pictures that are kept in memory.
        concurrency: Requests that are answered at a time; one beyond them is asked to come again.
        waiting_words: Words that may wait for the model; a request beyond them is asked to come again.
        batch_words: Words that the model reads at once, those of contexts included; 1 turns batching off.
        wait_ms: Milliseconds that a batch waits for other requests that are under way; 0 waits for none.
        rate: Requests per second of one client, in the long run; 0 sets no limit.
        burst: Requests that a client may send at once, within that rate.
        key: What clients must send as "Authorization: Bearer KEY", visible ASCII characters; None: nothing.
        hosts: Hosts that pictures may be fetched from, such as "pictures.example.org", with its port if that is unusual
            ("pictures.example.org:8080"); none: no address is fetched.
        store: SQLite file that keeps what was read from pictures; None takes the user's cache.
    """

    max_bytes: int = 16 * 2**20
    max_held: int = 512 * 2**20
    max_pixels: int = 40_000_000
    max_posts: int = 256
    max_pictures: int = MOST_PICTURES
    max_words: int = 2_000
    max_characters: int = 20_000
    body_seconds: float = 30.0
    picture_ms: int = 5_000
    picture_workers: int = 1
    pictures_waiting: int = 64
    contexts: int = 512
    concurrency: int = 256
    waiting_words: int = 65_536
    batch_words: int = 3_072
    wait_ms: float = 2.0
    rate: float = 0.0
    burst: int = 20
    key: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()
    store: Path | None = None

    def __post_init__(self) -> None:
        zero = {"wait_ms", "rate", "contexts", "pictures_waiting"}
        for setting in fields(self):
            value = getattr(self, setting.name)
            if isinstance(value, int | float) and not (value >= 0 if setting.name in zero else value > 0):
                least = "0 or more" if setting.name in zero else "more than 0"
                raise ConfigError(f"{setting.name}: expected {least}, found {value}")
        object.__setattr__(self, "hosts", tuple(map(_written, self.hosts)))
        if self.key is not None and len(self.key) < LEAST_KEY:
            raise ConfigError(
                f"the key has {len(self.key)} characters; expected {LEAST_KEY} or more, such as this makes: {_MADE}"
            )
        if self.key is not None and not _VISIBLE.fullmatch(self.key):
            raise ConfigError(
                "the key: expected visible ASCII characters without blanks, which all clients send alike, such as this "
                f"makes: {_MADE}"
            )

    @property
    def public(self) -> dict[str, int]:
        """The limits that a client can keep to; ``max_pixels_other`` is for pictures that are no JPEG."""
        from mner.vision.images import Limits

        names = ("max_bytes", "max_posts", "max_pictures", "max_words", "max_characters", "picture_ms")
        pixels = min(self.max_pixels, Limits().pixels)
        other = min(self.max_pixels, Limits().whole)
        return {name: getattr(self, name) for name in names} | {"max_pixels": pixels, "max_pixels_other": other}


def _written(name: str) -> str:
    """A host as addresses have it, with its port: in small letters, and in ASCII.

    >>> _written("Bücher.example:8080")
    'xn--bcher-kva.example:8080'
    """
    host, colon, port = name.lower().partition(":")
    try:
        written = host.encode("idna").decode() + colon + port
    except UnicodeError:
        written = ""
    if not _HOST.fullmatch(written):
        raise ConfigError(f'hosts: expected a host such as "pictures.example.org", found "{name}"')
    return written
