"""The page at ``/``: files of the package, under a policy that lets them load nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from mner.data import sample

FOLDER = Path(__file__).parent
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".png": "image/png"}
SAMPLES = {"first.png": "train-002.png", "second.png": "train-088.png"}
"""Pictures of the packaged sample that the page offers: one sentence means a company beside one, a person beside the
other."""

HEADERS = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""The page's own files run, requests go to the same service, and no other page may show this one in a frame."""


def files() -> dict[str, Callable[[Request], Awaitable[Response]]]:
    """What answers each address of the page."""
    pictures = Path(sample.__file__).parent / "images"
    paths = {"/": FOLDER / "index.html"}
    paths |= {f"/page/{path.name}": path for path in sorted(FOLDER.iterdir()) if path.suffix in {".css", ".js"}}
    paths |= {f"/page/{name}": pictures / file for name, file in SAMPLES.items()}
    return {address: partial(_file, path.read_bytes(), TYPES[path.suffix]) for address, path in paths.items()}


async def _file(content: bytes, media_type: str, request: Request) -> Response:
    return Response(content, media_type=media_type, headers=HEADERS)
