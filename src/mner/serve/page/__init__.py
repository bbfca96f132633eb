"""The page at ``/``: one file that loads nothing from elsewhere, under a policy that forbids it to."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from starlette.responses import Response

FILE = Path(__file__).with_name("index.html")


class _Inline(HTMLParser):
    """Collects what stands inside ``script`` and ``style``."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, list[str]] = {"script": [], "style": []}
        self._inside: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.texts:
            self._inside = tag
            self.texts[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self.texts[self._inside][-1] += data


def policy(html: str) -> str:
    """The Content-Security-Policy under which only the page's own scripts and styles run.

    It allows requests to the same service, and pictures from memory; nothing else is loaded, and no other page may
    show this one in a frame.
    """
    inline = _Inline()
    inline.feed(html)
    inline.close()
    hashes = {tag: " ".join(_hash(text) for text in texts) or "'none'" for tag, texts in inline.texts.items()}
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {hashes['script']}",
            f"style-src {hashes['style']}",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def of(file: Path) -> Callable[[], Response] | None:
    """What gives the page as a response; None where there is no such file."""
    if not file.is_file():
        return None
    html = file.read_text(encoding="utf-8")
    headers = {
        "Content-Security-Policy": policy(html),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return lambda: Response(html, media_type="text/html", headers=headers)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
