"""What ``mkdocs.yml`` cannot say: pages by folder, pages from beside ``docs/``, and no asset from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
BESIDE = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "SECURITY.md": "security.md"}
"""Pages of the repository that the site shows, too."""

LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
}
URL = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


class Loaded(HTMLParser):
    """Collects what a page makes a browser load; links that a reader may follow are not."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of an element that loads one, and those of its styles."""
        values = {key: value or "" for key, value in attrs}
        if tag in LOADS and LOADS[tag] in values:
            self.addresses.append(values[LOADS[tag]])
        if tag == "link" and not {"next", "prev", "canonical", "edit"} & set(values.get("rel", "").split()):
            self.addresses.append(values.get("href", ""))
        self.addresses += [first.split()[0] for first in values.get("srcset", "").split(",") if first.strip()]
        self.addresses += in_style(values.get("style", ""))

    def handle_data(self, data: str) -> None:
        """Note the addresses of a style element."""
        self.addresses += in_style(data) if "url(" in data and self.lasttag == "style" else []


def in_style(text: str) -> list[str]:
    """The addresses that a style sheet loads.

    >>> in_style("@import 'a.css'; b { background: url(c.png) }")
    ['a.css', 'c.png']
    """
    return [match[1] or match[2] for match in URL.finditer(text)]


def foreign(site: Path) -> Iterator[str]:
    """Whatever a page or style sheet of a built site would load from elsewhere, or from a file that is not there."""
    for path in sorted(site.rglob("*")):
        if path.suffix not in {".html", ".css"}:
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".css":
            addresses = in_style(text)
        else:
            page = Loaded()
            page.feed(text)
            addresses = page.addresses
        for address in addresses:
            here, name = address.partition("?")[0].partition("#")[0], path.relative_to(site)
            if address.startswith("data:") or not here:
                continue
            if re.match(r"(\w+:)?//", address):
                yield f"{name} loads {address}"
            elif not (site / here.lstrip("/") if here.startswith("/") else path.parent / here).exists():
                yield f"{name} loads {address}, which is not there"


def listed(nav: Any) -> set[str]:
    """The pages and folders that a navigation names."""
    inner = nav if isinstance(nav, list) else nav.values() if isinstance(nav, dict) else ()
    return {nav} if isinstance(nav, str) else set().union(*map(listed, inner))


def expanded(nav: Any, docs: Path, named: set[str] | None = None) -> Any:
    """The navigation with every folder replaced by those of its pages that it does not name; an empty one drops out."""
    named = listed(nav) if named is None else named
    if isinstance(nav, list):
        inner = [expanded(each, docs, named) for each in nav]
        return [page for each in inner for page in (each if isinstance(each, list) else [each]) if page]
    if isinstance(nav, dict):
        return {title: inner for title, value in nav.items() if (inner := expanded(value, docs, named))}
    if nav.endswith(".md"):
        return nav
    pages = (path.relative_to(docs).as_posix() for path in (docs / nav).rglob("*.md"))
    return sorted(page for page in pages if page not in named)


def on_config(config: Any) -> Any:
    """Put the pages of folders into the navigation."""
    config.nav = expanded(config.nav, Path(config.docs_dir))
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that stand beside ``docs/``, their links leading into the site."""
    from mkdocs.structure.files import File

    for source, name in BESIDE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        text = re.sub(r"\]\((?:docs/)([^)]+)\)", r"](\1)", text)
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Lead links to pages beside ``docs/`` to their copies in the site."""
    up = "../" * page.file.src_uri.count("/")
    for source, name in BESIDE.items():
        markdown = re.sub(rf"\]\((?:\.\./)*{re.escape(source)}", f"]({up}{name}", markdown)
    return markdown


def on_post_build(config: Any) -> None:
    """Refuse a site that would load anything from elsewhere."""
    from mkdocs.exceptions import PluginError

    if wrong := list(foreign(Path(config.site_dir))):
        raise PluginError("\n".join(["the site must load nothing from elsewhere:", *wrong]))
