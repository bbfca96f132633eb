"""Pages in Chromium: what a test opens, types and sees, with every console error and every request that would leave."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AWAY = re.compile(r"^(?!file:|data:|blob:|about:|(http|ws)://(127\.0\.0\.1|localhost|\[::1\])(:|/|$))")
"""Addresses that are not on this machine."""

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
AXE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "axe-core" / "axe.min.js"


@dataclass(slots=True)
class Opened:
    """A page in the browser.

    When the test ends, ``errors`` and ``refused`` must be empty; a test that expects one clears the list.

    Attributes:
        page: Playwright's page.
        errors: Errors on the console and uncaught exceptions.
        refused: Requests that would have left this machine; none of them did.
    """

    page: Page
    errors: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def findings(self) -> list[str]:
        """What axe-core finds serious or critical on the page as it stands; the test is skipped where axe is not."""
        if not AXE.is_file():
            pytest.skip(f"axe-core is not at {AXE}: tools/fetch_axe.sh")
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        result = self.page.evaluate("() => axe.run({resultTypes: ['violations']})")
        assert result["testEngine"]["name"] == "axe-core"
        return [
            f"{finding['impact']} {finding['id']}: {node['target']} {node['failureSummary']}"
            for finding in result["violations"]
            if finding["impact"] in ("serious", "critical")
            for node in finding["nodes"]
        ]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window; the test is skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        local = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[local])
        yield chromium
        chromium.close()


@pytest.fixture
def browse(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """A function that opens a file or an address of this machine: ``browse(where, width=1280, dark=False)``.

    A page narrower than 600 pixels is a phone's, with touch. ``**options`` go to Playwright's ``new_context``.
    """
    contexts, opened = [], []

    def open_(where: str | Path, *, width: int = 1280, height: int = 800, dark: bool = False, **options: Any) -> Opened:
        phone = width < 600
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            is_mobile=phone,
            has_touch=phone,
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(10_000)
        opening = Opened(context.new_page())
        opened.append(opening)
        context.route(AWAY, lambda route: route.abort())
        context.on("request", lambda request: opening.refused.append(request.url) if AWAY.match(request.url) else None)
        context.on("console", lambda line: opening.errors.append(line.text) if line.type == "error" else None)
        context.on("weberror", lambda error: opening.errors.append(str(error.error)))
        opening.page.on(
            "websocket", lambda socket: opening.refused.append(socket.url) if AWAY.match(socket.url) else None
        )
        opening.page.goto(where.resolve().as_uri() if isinstance(where, Path) else where)
        return opening

    yield open_
    for context in contexts:
        context.close()
    assert [error for opening in opened for error in opening.errors] == []
    assert [address for opening in opened for address in opening.refused] == []
