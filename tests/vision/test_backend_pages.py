"""The pages of docs/backends: one for each backend, current, their configurations and examples true."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mner import config as configs
from mner.cli.context import described
from mner.config import VisionConfig
from mner.contexts.rows import from_row, to_row
from mner.types import VisualContext
from mner.vision.backends import Backends
from mner.vision.extract import Extractor
from mner.vision.listing import backends

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "backends").glob("*.md"))


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module("write_backends")


def test_pages_are_current(tool: Any) -> None:
    stale = [path.name for path in PAGES if not tool.same(path.read_text("utf-8"), tool.page(path.read_text("utf-8")))]
    assert stale == [], "run: make docs"


def test_page_is_not_the_same_where_a_word_or_a_number_differs(tool: Any) -> None:
    assert tool.same("a person 0.89\n", "a person 0.90\n")
    for other in ("a person 0.95\n", "a dog 0.89\n", "a person 0.89 0.89\n", "a person 8.89\n"):
        assert not tool.same("a person 0.89\n", other)
    assert tool.page("<!-- options captioner template -->\nold\n<!-- end -->").count("`kinds` | int | `4`") == 1


def test_every_backend_has_a_page_with_its_facts_and_options() -> None:
    pages = {path.stem: path.read_text("utf-8") for path in PAGES}
    for each in backends():
        others = (text for text in pages.values() if f"about {each.kind} {each.name} " in text)
        home = pages.get(each.name) or next(others)
        kind = "detector" if each.name in pages else each.kind  # published output has one page for both of its parts
        assert f"<!-- about {kind} {each.name} -->" in home and f"<!-- options {kind} {each.name} -->" in home
        assert (f"<!-- models {kind} {each.name} -->" in home) == bool(each.models)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_configurations_of_a_page_can_be_used(path: Path) -> None:
    result = re.findall(r"^```toml\n(.*?)^```$", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert result
    for text in result:
        config = configs.check(tomllib.loads(text))
        Backends(config.vision)
        chosen = config.vision.options or config.vision != VisionConfig()
        assert chosen or config.context.texts or config.data.features


FORMS = [
    (path.stem, line.strip()) for path in PAGES for line in path.read_text("utf-8").splitlines() if line[:6] == '    {"'
]
TINY: dict[str, tuple[str, dict[str, Any]]] = {
    "detector-hub": ("rt_detr", {}),
    "detector-openvocab": ("owlv2", {"threshold": 0.1}),
    "captioner-hub": ("blip", {"captions": 1, "beams": 2}),
}
KINDS = {"detector": "tags", "attributes": "tags", "captioner": "captions", "ocr": "ocr"}


@pytest.mark.parametrize(("page", "line"), [form for form in FORMS if form[0] != "texts"])
def test_form_of_an_entry_is_one_of_a_row(page: str, line: str) -> None:
    part, entry = KINDS[page.partition("-")[0]], json.loads(line)
    assert to_row(from_row({"image": "1.jpg", part: [entry]}))[part] == [entry]


@pytest.mark.parametrize("page", TINY)
def test_form_of_an_entry_is_what_the_backend_writes(
    page: str, tiny_vision: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "names.txt").write_text("cat\n")
    architecture, options = TINY[page]
    kind, _, name = page.partition("-")
    given = {"vocabulary": str(tmp_path / "names.txt")} if name == "openvocab" else {}
    hub = {name: {"model": str(tiny_vision(architecture)), "threshold": 0.2, **given, **options}}
    if kind == "captioner":
        del hub[name]["threshold"]
    parts = {"detector": "", "captioner": "", "ocr": "", kind: name}
    measured = {"attributes": {"most": 0}}
    noise = np.random.default_rng(1).integers(0, 256, (80, 90, 3), np.uint8)
    row = Extractor(VisionConfig(**parts, options={**hub, **measured})).read(Image.fromarray(noise), image="1")
    (first, *_) = to_row(row)[KINDS[kind]]
    form = next(json.loads(line) for of, line in FORMS if of == page)
    assert first.keys() == form.keys() and first["source"] == form["source"]


def shown(page: str, image: str) -> list[str]:
    """The lines of a page that show what was read from a picture."""
    text = (ROOT / "docs" / "backends" / page).read_text("utf-8")
    result = re.search(rf"^    {re.escape(image)}: ok\n((?:      .*\n)+)", text, re.MULTILINE)
    assert result
    return [line[4:] for line in result[1].splitlines()]


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")
def test_tesseract_reads_what_its_page_shows(tool: Any) -> None:
    config = VisionConfig(detector="", captioner="", ocr="tesseract")
    row = Extractor(config).read(tool.SAMPLE / "unseen-001.png", image="unseen-001.png")
    assert tool.same("\n".join(shown("ocr-tesseract.md", "unseen-001.png")), described(row).partition("\n")[2])


@pytest.mark.data
@pytest.mark.skipif(not os.environ.get("MNER_DATA"), reason="set MNER_DATA to the folder of the real data")
def test_published_objects_are_those_of_the_page() -> None:
    from mner.contexts.published.vinvl import Published

    result = Published(Path(os.environ["MNER_DATA"]) / "vinvl").find("70560.jpg").tags
    lines = described(VisualContext("70560.jpg", tags=result)).splitlines()[1:]
    assert lines[:4] == shown("vinvl.md", "70560.jpg")
