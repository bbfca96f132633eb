"""The site loads nothing from elsewhere, and its navigation takes whole folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import site_hooks

HERE = (
    '<link rel="stylesheet" href="a.css"><script src="a.js?v=1"></script><a href="https://example.org">read</a>'
    '<img src="data:image/png;base64,AA=="><link rel="canonical" href="https://example.org/">'
)


def built(folder: Path, page: str, style: str = "b { color: red }") -> list[str]:
    (folder / "index.html").write_text(page, encoding="utf-8")
    (folder / "a.css").write_text(style, encoding="utf-8")
    (folder / "a.js").write_text("", encoding="utf-8")
    return list(site_hooks.foreign(folder))


def test_own_files_and_links_are_fine(tmp_path: Path) -> None:
    assert built(tmp_path, HERE) == []


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://example.org/x.js"></script>',
        '<link rel="stylesheet" href="//example.org/x.css">',
        '<link rel="preconnect" href="https://example.org">',
        '<img src="http://example.org/x.png">',
        '<img srcset="a.js, https://example.org/x.png 2x">',
        '<p style="background: url(https://example.org/x.png)">',
        "<style>@import 'https://example.org/x.css'; b { background: url(a.png) }</style>",
        '<img src="nosuch.png">',
    ],
)
def test_what_would_be_loaded_from_elsewhere_is_named(tmp_path: Path, page: str) -> None:
    assert [line for line in built(tmp_path, page) if line.startswith("index.html loads")]


def test_style_sheets_are_read_as_well(tmp_path: Path) -> None:
    wrong = built(tmp_path, HERE, "@font-face { src: url('https://example.org/x.woff2') }")
    assert wrong == ["a.css loads https://example.org/x.woff2"]


def test_folders_become_pages_and_absent_ones_drop_out(tmp_path: Path) -> None:
    (tmp_path / "backends").mkdir()
    for name in ("b.md", "a.md"):
        (tmp_path / "backends" / name).touch()
    nav = [{"Home": "index.md"}, {"Backends": "backends"}, {"Systems": "systems"}]
    assert site_hooks.expanded(nav, tmp_path) == [
        {"Home": "index.md"},
        {"Backends": ["backends/a.md", "backends/b.md"]},
    ]
