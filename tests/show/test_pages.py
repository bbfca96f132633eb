"""Pages: what they say is what went in, nothing is loaded from elsewhere, nothing runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mner.evidence import Explanation
from mner.show.pages import write_pages

EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'{{ 7*7 }}&amp;"


def test_strings_of_others_never_become_markup(
    tmp_path: Path, picture: Image.Image, evil: Callable[..., Explanation], parse: Callable[[str], Any]
) -> None:
    written = write_pages([evil(EVIL, picture)], tmp_path, title=EVIL)
    for path in written:
        parsed = parse(path.read_text(encoding="utf-8"))
        tags = {name for name, _ in parsed.elements}
        assert not tags & {"script", "iframe", "object", "link", "base", "form"}
        assert all(not name.startswith("on") for _, attributes in parsed.elements for name in attributes)
        assert all(str(image["src"]).startswith("data:image/jpeg;base64,") for image in parsed.attributes_of("img"))
        assert EVIL in parsed.text("h1")
        assert "49" not in parsed.text("h1")
    parsed = parse(written[1].read_text(encoding="utf-8"))
    assert parsed.text("p.post", without="span.label") == EVIL
    assert parsed.attributes_of("img")[0]["alt"] == f"The post's picture: {EVIL}"
    assert parsed.text("text") == f"{EVIL} {EVIL}"


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path, explained: Explanation, fallen: Explanation) -> None:
    for path in write_pages([explained, fallen], tmp_path):
        text = re.sub(r"data:image/jpeg;base64,[A-Za-z0-9+/=]+", "", path.read_text(encoding="utf-8"))
        assert not re.search(r"https?:|//|url\(|@import|<script|<link", text)


def test_pages_are_linked_and_written_whole(
    tmp_path: Path, explained: Explanation, fallen: Explanation, parse: Any
) -> None:
    written = write_pages(iter([explained, fallen, explained]), tmp_path / "new", title="dev")
    names = ["index.html", "00001.html", "00002.html", "00003.html"]
    assert [path.name for path in written] == names
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(names)
    index = parse(written[0].read_text(encoding="utf-8"))
    assert [link["href"] for link in index.attributes_of("a")] == names[1:]
    assert "3 posts" in index.text("header")
    assert "2 with a picture used" in index.text("header")
    assert "2 label changed" in index.text("header")
    assert len(index.attributes_of("img")) == 2
    links = [
        [link["href"] for link in parse(path.read_text(encoding="utf-8")).attributes_of("a")] for path in written[1:]
    ]
    assert links == [
        ["index.html", "00002.html"],
        ["00001.html", "index.html", "00003.html"],
        ["00002.html", "index.html"],
    ]


def test_interrupted_pages_leave_no_part(tmp_path: Path, explained: Explanation) -> None:
    def stopping() -> Iterator[Explanation]:
        yield explained
        yield explained
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_pages(stopping(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["00001.html"]


def test_pages_of_an_earlier_run_are_removed(
    tmp_path: Path, explained: Explanation, parse: Callable[[str], Any]
) -> None:
    write_pages([explained] * 5, tmp_path)
    (tmp_path / "00004.html").write_text("<p>mine</p>")
    (tmp_path / "notes.html").write_text("mine, too")
    index, *_ = write_pages([explained] * 2, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "00001.html", "00002.html", "00004.html", "00005.html", "index.html", "notes.html",
    ]  # fmt: skip
    links = parse(index.read_text(encoding="utf-8")).attributes_of("a")
    assert [link["href"] for link in links] == ["00001.html", "00002.html"]


def test_legend_names_each_label_once(tmp_path: Path, explained: Explanation, parse: Callable[[str], Any]) -> None:
    for path in write_pages([explained, explained], tmp_path):
        legend = parse(path.read_text(encoding="utf-8")).text("p.legend")
        assert legend.count("PER person") == legend.count("LOC location") == 1


def test_no_posts_make_an_index(tmp_path: Path, parse: Callable[[str], Any]) -> None:
    (index,) = write_pages([], tmp_path)
    assert "0 posts" in parse(index.read_text(encoding="utf-8")).text("header")
