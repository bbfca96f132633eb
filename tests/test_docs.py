"""Every link of the documentation leads somewhere; every code block of the README and the tutorial runs."""

from __future__ import annotations

import inspect
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mner.evidence import Evidence, Explanation
from mner.grounding.texts import Match
from mner.regions import Region
from mner.types import PREDICTION_KEYS, Entity, PictureStatus, Prediction
from mner.views import Piece

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
WRITTEN_BY_PROGRAMS = {"docs/results.md", "docs/images/result.png"}
BLOCK = re.compile(
    r"(?P<before>[^\n]*\n)?^```(?P<language>\w+)\n(?P<code>.*?)^```$(\n\n^```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
NOT_RUN = re.compile(r"<!-- not run: .{10,} -->")
RUN_BY = re.compile(r"<!-- run by (\S+) -->")
FINDING_IS_FINE = 'mner() { command mner "$@" || { local code=$?; [ "$1 $2 $code" = "data check 1" ]; }; }\n'


class Block(NamedTuple):
    line: int
    language: str
    code: str
    output: str | None


def blocks(page: Path, *, by: str | None = None) -> Iterator[Block]:
    """The blocks of a page that run: bash and python, but for those marked ``<!-- not run: reason -->``.

    A block of text right behind one is what it prints. Blocks marked ``<!-- run by tests/name.py -->`` are run ``by``
    that file, which lays out more for them.
    """
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        before = match["before"] or ""
        named = RUN_BY.match(before)
        if (named[1] if named else None) != by:
            continue
        if match["language"] in {"bash", "python"} and not NOT_RUN.match(before):
            line = text[: match.start("code")].count("\n") + 1
            yield Block(line, match["language"], match["code"], match["output"])


def test_features_name_their_page_and_test_or_why_not() -> None:
    page = ROOT / "docs" / "explanation" / "what-it-does.md"
    rows = [line.strip("| ").split(" | ") for line in page.read_text("utf-8").splitlines() if line.startswith("| ")]
    rows = [[cell.strip(" |") for cell in row] for row in rows if row[1] != "here"]
    assert len(rows) > 40
    for feature, here, *proof in rows:
        if here.startswith(("yes", "in part")):
            assert (ROOT / proof[1].strip("`")).is_file(), f"{feature}: names a test that is not there"
        else:
            assert here.startswith("not planned: "), f"{feature}: says neither yes nor why not"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target or target.startswith(("#", "mailto:")):
            continue
        path = (page.parent / target.partition("#")[0]).resolve()
        if not path.exists() and str(path.relative_to(ROOT)) not in WRITTEN_BY_PROGRAMS:
            broken.append(target)
    assert broken == []


def test_blocks_that_another_test_runs_name_it() -> None:
    named = {(page, by) for page in PAGES for by in RUN_BY.findall(page.read_text(encoding="utf-8"))}
    assert named
    for page, by in named:
        source = (ROOT / by).read_text(encoding="utf-8")
        assert f'"{page.relative_to(ROOT)}"' in source and "by=" in source, f"{page}: {by} does not run its blocks"


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")} - {"index.md"}
    assert {page for page in pages if f"]({page})" not in index} == set()


def workshop(folder: Path, model: Path) -> None:
    """Lay out what the pages speak of: a trained model, posts, pictures, configurations."""
    sample = Path(str(files("mner.data.sample")))
    shutil.copytree(model, folder / "my-model")
    shutil.copytree(ROOT / "configs", folder / "configs")
    (folder / "photos").mkdir()
    for name, file in (("train", "train"), ("dev", "dev"), ("unseen", "posts")):
        rows = (sample / f"{name}.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:12]
        (folder / f"{file}.jsonl").write_text("".join(rows), encoding="utf-8")
        for image in filter(None, (json.loads(row).get("image") for row in rows)):
            shutil.copy(sample / "images" / image, folder / "photos")
    shutil.copy(sample / "images" / "astronaut.jpg", folder / "photo.jpg")


def unrounded(text: str) -> list[str]:
    """The words of an output; the last digits of scores differ between processors."""
    return re.sub(r"\d\.\d+", "0.5", text).split()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "docs/tutorial.md",
        "docs/howto/several-pictures.md",
        "docs/howto/contexts.md",
        "docs/howto/features.md",
        "docs/howto/grounding.md",
        "docs/howto/own-data.md",
        "docs/howto/own-captioner.md",
        "docs/howto/spacy.md",
        "docs/howto/pandas.md",
        "docs/howto/datasets.md",
        "docs/howto/labelling-tools.md",
    ],
)
def test_code_blocks_run(name: str, tmp_path: Path, tiny_model: Path) -> None:
    runnable = list(blocks(ROOT / name))
    assert runnable
    workshop(tmp_path, tiny_model)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    python: list[str] = []
    for block in runnable:
        if block.language == "bash":
            command = ["bash", "-euo", "pipefail", "-c", FINDING_IS_FINE + block.code]
        else:  # a python block goes on where the one before it stopped
            named = re.match(r"# (\w+/\w+\.py)\n", block.code)
            if named:  # and one that names a file is that file
                (tmp_path / named[1]).parent.mkdir(exist_ok=True)
                (tmp_path / named[1]).write_text(block.code, encoding="utf-8")
            python.append(block.code)
            command = [sys.executable, "-W", "error", "-c", "\n".join(python)]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}:{block.line}\n{block.code}\n{done.stdout}\n{done.stderr}"
        if block.output is not None:
            expected = unrounded(block.output)
            assert unrounded(done.stdout)[-len(expected) :] == expected, f"{name}:{block.line}"


def test_reference_lists_every_key_of_predictions_and_explanations() -> None:
    text = (ROOT / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
    rows = text.partition("## Predictions")[2].partition("## Saved models")[0].split("\n")
    listed = {key for row in rows if row.startswith("|") for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    entity = Entity(0, 2, "Bo", "PER", 0.5, (Region((0.0, 0.0, 1.0, 1.0), "rapid", 0.9, "case", "BO"),))
    evidence = Evidence(entity, "raised", 0.1, 0.9, {"ocr": 0.2}, "LOC", (Match("BO", (0.0, 0.0, 1.0, 1.0), True),))
    prediction = Prediction("1", "Bo", (entity,), "I+T", "used", "slow", None, "1.jpg", {"words": 1}, {"lang": "en"})
    row = Explanation(prediction, (evidence,), (Piece("ocr", "rapid", "BO"),), gold=(entity,)).to_dict()
    several = replace(prediction, pictures=(PictureStatus("used", "1.jpg"), PictureStatus("missing", "2.jpg", "gone")))
    row |= several.to_dict()
    left_out = replace(evidence, without_picture=(0.2, 0.9)).to_dict()
    assert set(row) - {"lang", "gold"} == PREDICTION_KEYS
    assert set(row) - {"lang"} | set(left_out) | set(row["entities"][0]) <= listed


EXAMPLES_NOT_RUN = {
    "mner.Tagger.push_to_hub": "uploads to the Hugging Face Hub",
    "mner.client.Client": "asks a running service; tests/test_client.py starts one",
    "mner.training.train": "trains for minutes; tests/training runs it",
    "mner.export.onnx.export": "takes a trained model and seconds; tests/export runs it",
    "mner.runs.evaluate.evaluate": "takes a finished run; tests/runs trains one",
}
"""Names whose example the tests do not run (``# doctest: +SKIP``), all of them in the reference, and why."""


def reference() -> Iterator[tuple[str, Any, list[str]]]:
    """The names of the page of the Python reference, what they name, and the methods that it shows of them."""
    text = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    for name, options in re.findall(r"^::: (\S+)\n((?: .*\n)*)", text, re.MULTILINE):
        named = pkgutil.resolve_name(name)
        members = re.search(r"members: \[(.*)\]", options)
        if members is not None:
            shown = members[1].split(", ")
        else:
            own = vars(named).items() if inspect.isclass(named) else ()
            shown = [member for member, value in own if inspect.isfunction(value) and member[0] != "_"]
        yield name, named, shown


def test_reference_has_an_example_of_every_name() -> None:
    lacking, skipped = [], set()
    for name, named, members in reference():
        docs = {name: inspect.getdoc(named) or ""}
        docs |= {f"{name}.{member}": inspect.getdoc(getattr(named, member)) or "" for member in members}
        own = "\n".join(re.findall(r"^(?:>>>|\.\.\.) .*", docs[name], re.MULTILINE))
        if not inspect.ismodule(named) and not own:
            lacking.append(name)
        lacking += [
            f"{name}.{member}"
            for member in members
            if ">>> " not in docs[f"{name}.{member}"] and f".{member}(" not in own
        ]
        skipped |= {place for place, text in docs.items() if "+SKIP" in text}
    assert lacking == [], "needs an example in its docstring, or in that of its class"
    assert skipped == EXAMPLES_NOT_RUN.keys()
    marked = {path for path in (ROOT / "src").rglob("*.py") if "# doctest: +SKIP" in path.read_text(encoding="utf-8")}
    assert marked == {Path(inspect.getfile(pkgutil.resolve_name(name))) for name in EXAMPLES_NOT_RUN}
