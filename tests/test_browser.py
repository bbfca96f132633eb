"""The browser of the tests: it sees errors, lets no request out, and axe finds what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser import AWAY, Opened

Browse = Callable[..., Opened]
HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>page</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main>"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a page with this in its body."""

    def write_(body: str) -> Path:
        path = tmp_path / "page.html"
        path.write_text(HEAD + body, encoding="utf-8")
        return path

    return write_


def test_page_is_opened_at_its_size_and_in_its_colours(browse: Browse, write: Callable[[str], Path]) -> None:
    path = write("<h1>Hello</h1>")
    for width, dark in ((1280, False), (390, True)):
        opened = browse(path, width=width, dark=dark)
        assert opened.page.inner_text("h1") == "Hello"
        assert opened.page.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]") == [width, dark]


def test_errors_are_collected(browse: Browse, write: Callable[[str], Path]) -> None:
    opened = browse(
        write(
            "<script>console.error('said'); console.log('fine'); setTimeout(() => { throw Error('thrown') })</script>"
        )
    )
    opened.page.wait_for_timeout(100)
    assert [line.splitlines()[0] for line in opened.errors] == ["said", "thrown"]
    opened.errors.clear()


def test_request_that_leaves_is_refused_and_named(browse: Browse, write: Callable[[str], Path]) -> None:
    opened = browse(
        write('<img src="http://example.com/a.png" alt=""><script>new WebSocket("ws://example.org/")</script>')
    )
    opened.page.wait_for_timeout(100)
    assert set(opened.refused) == {"http://example.com/a.png", "ws://example.org/"}
    assert opened.errors
    opened.errors.clear()
    opened.refused.clear()


@pytest.mark.parametrize(
    ("address", "away"),
    [
        ("http://127.0.0.1:8000/v1", False),
        ("http://localhost/", False),
        ("data:,x", False),
        ("file:///tmp/page.html", False),
        ("http://localhost.example.com/", True),
        ("http://127.0.0.1.example.com/", True),
        ("https://example.com/", True),
        ("//example.com", True),
    ],
)
def test_only_this_machine_is_not_away(address: str, away: bool) -> None:
    assert bool(AWAY.match(address)) is away


def test_axe_finds_a_picture_without_words(browse: Browse, write: Callable[[str], Path]) -> None:
    pixel = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
    assert browse(write(f'<h1>Hello</h1><img src="{pixel}" alt="">')).findings() == []
    (finding,) = browse(write(f'<h1>Hello</h1><img src="{pixel}">')).findings()
    assert finding.startswith("critical image-alt")
