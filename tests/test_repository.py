"""Rules about the tree itself: file sizes, names, configs, versions, generated pages."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from mner import config as configs

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "configs"
BASES = sorted(CONFIGS.glob("*.toml"))
ROWS = sorted((CONFIGS / "rows").glob("*.toml"))
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "core", "tools", "base"}


BENCHMARKS = re.compile(
    r"twitter-?(20)?1[57]|\bsnap\b|\bita-(ga|la|oca|all|random)\b|\btext-(double|pad)\b|\bllm-labels\b", re.I
)
PARSING = {"split", "rsplit", "partition", "rpartition", "removeprefix", "removesuffix", "startswith", "endswith"}
PARSED = {
    "runs/record.py": "DATA/NAME/SEED@MODEL, which is how a file of results writes down a run",
    "runs/searches.py": "dotted keys of settings",
    "runs/shape.py": "messages of pydantic",
    "runs/experiments.py": "messages of pydantic, made one line",
    "analysis/parts/analysis_record.py": "messages of pydantic, made one line",
    "analysis/ocr.py": "what was read from pictures, into words",
    "evaluation/signature.py": "a value that is printed: its spaces become underscores",
    "show/tables.py": "text on its way into Markdown",
    "show/analysis.py": "a heading that would say its analysis twice",
}
"""Files of these rooms that take a text apart, and which."""


def committed() -> list[Path]:
    """Files under version control or about to be; without git all but what is made by running things."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.split("\0")
        paths = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        generated = {"demo", "runs", "dist", "build", "__pycache__"}
        paths_here = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        paths = [ROOT / path for path in paths_here if not any(p in generated or p.startswith(".") for p in path.parts)]
    return [path for path in paths if path.is_file()]


def test_source_files_are_short(record_property: pytest.RecordProperty) -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {str(path.relative_to(ROOT)): n for path, n in lengths.items() if n > 300} == {}
    median = statistics.median(lengths.values())
    record_property("median_lines", median)
    assert median < 150


def test_module_names_say_what_is_inside() -> None:
    assert [str(path) for path in SOURCES if path.stem in FORBIDDEN_NAMES or path.parent.name in FORBIDDEN_NAMES] == []


def test_test_folders_are_no_packages() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_files_name_no_place_of_one_machine() -> None:
    # Put together here, so that this file does not find itself.
    words = [
        "/".join(["", "work", ""]),
        "/".join(["", "root", ""]),
        "." + "library",
        "pypi" + ".org",
        "pythonhosted" + ".org",
        "npmjs" + ".org",
        "npmjs" + ".com",
        "debian" + ".org",
    ]
    places = []
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        places += [f"{path.relative_to(ROOT)}: {word}" for word in words if word in text]
    assert places == []


def test_files_are_small_enough_to_clone() -> None:
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in committed()}
    model = sizes.pop("src/mner/ready/model.int8.onnx", 0)  # the one that mner.load() gives
    assert model <= 30_000_000
    assert {name: size for name, size in sizes.items() if size > 12_000_000} == {}
    assert sum(sizes.values()) + model < 60_000_000


@pytest.mark.parametrize("row", ROWS, ids=lambda path: path.stem)
def test_row_loads_on_its_own_data(row: Path) -> None:
    assert configs.load(row).name == row.stem


@pytest.mark.parametrize("base", BASES, ids=lambda path: path.stem)
@pytest.mark.parametrize("row", ROWS, ids=lambda path: path.stem)
def test_row_loads_on_every_data_set(row: Path, base: Path) -> None:
    merged, alone = configs.load(row, base=base), configs.load(base)
    assert merged.name == row.stem + alone.name.removeprefix("run")  # a base with an encoder adds its name
    assert merged.data == alone.data
    assert merged.model.encoder == alone.model.encoder


@pytest.mark.parametrize("path", [*BASES, *ROWS], ids=lambda path: path.stem)
def test_config_survives_being_written_out(path: Path) -> None:
    config = configs.load(path)
    assert configs.check(tomllib.loads(configs.dumps(config))) == config


def test_configs_are_here() -> None:
    encoders = ("", "-mpnet", "-bert-base-cased", "-xlm-roberta-large")
    wanted = {f"twitter{year}{encoder}" for year in (15, 17) for encoder in encoders}
    assert {"sample", *wanted} <= {path.stem for path in BASES}
    alone = {f"ita-{context}" for context in ("la", "ga", "oca", "all", "random")}
    joint, controls = {"ita-ga-joint", "ita-all-joint"}, {"ita-ga-cva-empty", "ita-ga-cva-shuffled"}
    text = {"text", "text-pad", "text-double-steps"}
    assert text | alone | {f"{row}-cva" for row in alone} | joint | controls <= {path.stem for path in ROWS}


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == version("mner")
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert project["version"] in headings


def test_constraints_pin_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0] for line in lines if "==" in line}
    wanted = project["dependencies"] + [
        requirement for extra in project["optional-dependencies"].values() for requirement in extra
    ]
    names = {re.split(r"[\[<>=~! ;]", requirement)[0].lower().replace("_", "-") for requirement in wanted} - {"mner"}
    assert names - pinned == set()


def test_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "arXiv 2112.06482" in (ROOT / "NOTICE").read_text(encoding="utf-8")


def test_assets_of_others_are_noticed() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assets = [path for path in (ROOT / "src").rglob("*") if path.suffix in {".onnx", ".safetensors", ".pt", ".bin"}]
    assert [path.name for path in assets if path.name not in notice] == []


def test_generated_reference_is_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "write_reference.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def said(tree: ast.AST, *, docstrings: bool) -> Iterator[str]:
    """The texts of a module, those of f-strings among them; docstrings only where they are asked for."""
    bodies = [node.body[0] for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    prose = {id(first.value) for first in bodies if isinstance(first, ast.Expr)}
    prose |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and (docstrings or id(node) not in prose):
            yield node.value


def test_package_names_no_benchmark_no_row_of_the_paper_and_no_goal() -> None:
    """Docstrings may name one as an example; those of commands are help, and may not."""
    mentions = []
    for path in SOURCES:
        name = path.relative_to(ROOT / "src" / "mner").as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        texts = said(tree, docstrings=name.startswith("cli/"))
        mentions += [f"{name}: {text[:80]}" for text in texts if BENCHMARKS.search(text)]
        names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
        mentions += [f"{name}: {each}" for each in names if "goal" in each.lower()]
        modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        mentions += [f"{name} imports {module}" for module in modules if module.split(".")[0] == "lab"]
    assert mentions == []


def test_nothing_parses_a_signature_a_name_or_a_printed_line() -> None:
    parsing = set()
    for room in ("evaluation", "runs", "analysis", "show"):
        for path in sorted((ROOT / "src" / "mner" / room).rglob("*.py")):
            calls = [node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
            methods = [call for call in calls if isinstance(call, ast.Attribute)]
            patterns = [call for call in methods if isinstance(call.value, ast.Name) and call.value.id == "re"]
            if patterns or any(call.attr in PARSING for call in methods):
                parsing.add(path.relative_to(ROOT / "src" / "mner").as_posix())
    assert parsing == PARSED.keys()
