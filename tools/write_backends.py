"""Fill in what the pages of docs/backends take from the code; ``--check`` only says whether they are current.

A page is written by hand but for its blocks: ``<!-- about detector nanodet -->`` up to ``<!-- end -->`` holds what the
backend's file says of needs, licence and speed, ``models`` its models of the hub, ``options`` its table of options.
``<!-- example camera.jpg -->`` runs the TOML block above it on a picture of the packaged sample.
"""

from __future__ import annotations

import argparse
import ast
import base64
import inspect
import re
import struct
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

from write_reference import annotations, cell, remarks, toml

from mner import config as configs
from mner import plugins
from mner.cli.context import described
from mner.contexts.published import imports
from mner.types import VisualContext
from mner.vision.backends import KINDS
from mner.vision.extract import Extractor
from mner.vision.listing import backends

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "backends"
SAMPLE = Path(str(files("mner.data.sample"))) / "images"
BLOCK = re.compile(
    r"(?P<head><!-- (?P<what>about|models|options|example) (?P<of>[^\n]+) -->\n).*?<!-- end -->", re.DOTALL
)
TOML = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DECIMALS = re.compile(r"\d\.\d\d\b")
NEAR = 0.02
"""Another processor may round a confidence otherwise."""


def module(kind: str, name: str) -> ModuleType:
    """The file of a backend."""
    return plugins.load(KINDS[kind][0], name)


def about(kind: str, name: str) -> list[str]:
    """What it needs, downloads, costs and may be used for, as its file says."""
    (backend,) = [backend for backend in backends() if (backend.kind, backend.name) == (kind, name)]
    rows = {"needs": ", ".join(backend.needs) or "the core install", **backend.facts}
    return ["| | |", "|---|---|", *(f"| {fact.lower()} | {cell(text)} |" for fact, text in rows.items())]


def models(kind: str, name: str) -> list[str]:
    """The models of the hub that fit it, for a start."""
    fitting = module(kind, name).ABOUT.checkpoints
    rows = [f"| `{model.name}` | {model.size} | {model.licence} | {model.seconds} |" for model in fitting]
    return ["| model | files | licence | a picture on one core (estimate) |", "|---|---|---|---|", *rows]


def options(kind: str, name: str) -> list[str]:
    """The keys of its table, with the remark that stands beside each in its file."""
    table: Any = module(kind, name).Options
    remark_of, kinds = dict(remarks(inspect.getsource(sys.modules[table.__module__]))), annotations(table)
    lines = ["| key | type | default | |", "|---|---|---|---|"]
    for key, field in table.model_fields.items():
        default = field.get_default(call_default_factory=True)
        written = "" if default is None else f"`{toml(default)}`"
        lines.append(
            f"| `{key}` | {cell(ast.unparse(kinds[key]))} | {written} | {cell(remark_of[table.__name__, key])} |"
        )
    return lines


def example(of: str, before: str) -> list[str]:
    """What a command prints: of a picture of the sample, by the last configuration above; or of a made-up file."""
    if of in MADE:
        lines = list(MADE[of]())
    else:
        config = configs.check(tomllib.loads(TOML.findall(before)[-1]))
        row = Extractor(config.vision, threads=1).read(SAMPLE / of, image=of)
        lines = [f"$ mner context show {of} --config vision.toml", *described(row).splitlines()]
    return [f"    {line}" for line in lines]


def _texts() -> Iterator[str]:
    """Background by picture."""
    record = '{"image": "rocket.jpg", "text": "Falcon 9 lifts DSCOVR from Cape Canaveral", "score": 12.5}'
    yield from ("$ cat found.jsonl", record, "$ mner context import found.jsonl --source search --out texts.jsonl")
    yield from ("$ mner context show texts.jsonl", *_imported("found.jsonl", record, "texts", source="search"))


def _bottomup() -> Iterator[str]:
    """A picture of two boxes in the columns of the published features."""

    def coded(kind: str, *numbers: float) -> str:
        return base64.b64encode(struct.pack(f"<{len(numbers)}{kind}", *numbers)).decode()

    columns = [
        "123", "300", "400", coded("q", 0, 1), coded("f", 0.91, 0.64), coded("q", 1, 0), coded("f", 0.42, 0.05), "2",
        coded("f", 20, 10, 180, 290, 150, 90, 190, 140), coded("f", 0, 0),
    ]  # fmt: skip
    yield "$ mner context import features.tsv --kind bottomup --out objects.jsonl"
    yield "$ mner context show objects.jsonl"
    beside = {"objects_vocab.txt": "man\nmicrophone,mic\n", "attributes_vocab.txt": "black\nsmiling\n"}
    yield from _imported("features.tsv", "\t".join(columns), "bottomup", **beside)


MADE = {"texts": _texts, "bottomup": _bottomup}
"""Examples of files that are made up here, in the published form."""


def _imported(name: str, content: str, kind: imports.Kind, *, source: str = "", **beside: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        for file, text in {name: content, **beside}.items():
            (Path(folder) / file).write_text(f"{text}\n", encoding="utf-8")
        rows: list[VisualContext] = list(imports.rows(Path(folder) / name, kind, source=source))
    return "\n".join(map(described, rows)).splitlines()


def page(text: str) -> str:
    """A page with its blocks filled in."""

    def filled(match: re.Match[str]) -> str:
        if match["what"] == "example":
            lines = example(match["of"], text[: match.start()])
        else:
            lines = {"about": about, "models": models, "options": options}[match["what"]](*match["of"].split())
        return match["head"] + "\n".join(["", *lines, "", "<!-- end -->"])

    return BLOCK.sub(filled, text)


def same(old: str, new: str) -> bool:
    """Whether two pages say the same, confidences of examples to within ``NEAR``."""
    if DECIMALS.split(old) != DECIMALS.split(new):
        return False
    pairs = zip(DECIMALS.findall(old), DECIMALS.findall(new), strict=True)
    return all(abs(float(first) - float(second)) <= NEAR for first, second in pairs)


def main() -> int:
    """0, or 1 when a page was not current and ``--check`` was given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a page is not current")
    arguments = parser.parse_args()
    stale = 0
    for path in sorted(FOLDER.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        written = page(text)
        if same(text, written):
            continue
        stale += 1
        if arguments.check:
            print(f"{path}: not current; run: make docs", file=sys.stderr)
        else:
            path.write_text(written, encoding="utf-8")
            print(path, file=sys.stderr)
    return 1 if stale and arguments.check else 0


if __name__ == "__main__":
    raise SystemExit(main())
