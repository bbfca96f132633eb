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
SOURCES = sorted((ROOT / "src" / "mner").rglob("*.py"))
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
    "show/gallery.py": "JSON on its way into a page's script",
    "show/tables.py": "text on its way into Markdown",
    "show/analysis.py": "a heading that would say its analysis twice",
}
"""Files of these rooms that take a text apart, and which."""

PLUGINS = {
    "analysis", "cli", "data/formats", "encoders", "integrations", "models", "show/exhibits",
    *(f"vision/{kind}" for kind in ("attributes", "captioners", "detectors", "features", "ocr", "scene")),
}  # fmt: skip
"""Folders whose files are found by presence: a small file is a plug-in, and contract tests run over the listing."""

BANNED = re.compile(
    r"\b(in vain|anew|bears|told|what is asked|(is|are) none of|is no \w+ of|has it\b(?! own))\b", re.IGNORECASE
)
BANNED_NAMES = {"one", "some", "told", "found", "asked", "looked", "kept", "made", "anew"}
SMALL: set[str] = {"show/notebook"}
"""Small modules with one importer that stay: nothing else needs a notebook, and training/run.py is full."""

COVERED: dict[str, str] = {
    "cli/backends": "cli/test_artefact.py",
    "cli/compare": "cli/test_train.py",
    "cli/config": "cli/test_target.py",
    "cli/evaluate": "cli/test_train.py",
    "cli/options": "cli/test_odd_input.py",
    "cli/report": "cli/test_target.py",
    "cli/source": "cli/test_predict.py",
    "cli/store": "cli/test_target.py",
    "config/config_errors": "config/test_read.py",
    "contexts/published/names": "contexts/published/test_vinvl.py",
    "data/formats/_layout": "data/test_layout.py",
    "data/formats/json": "data/test_json.py",
    "data/formats/text": "data/test_text.py",
    "data/formats/twitter": "data/test_twitter.py",
    "encoders/minilm": "encoders/test_wheel.py",
    "interrupt": "training/test_interrupts.py",
    "models/parts/chain": "decode/test_chain.py",
    "models/parts/loops": "models/parts/test_crf.py",
    "models/parts/objective": "models/test_ita.py",
    "models/parts/scan": "models/parts/test_crf.py",
    "models/parts/tagger": "models/test_models.py",
    "models/parts/vectors": "encoders/test_vectors.py",
    "models/text": "models/test_models.py",
    "preflight/training": "preflight/test_posts.py",
    "runs/counting": "runs/test_compare.py",
    "runs/pairing": "runs/test_compare.py",
    "runs/rescale": "runs/test_calibrate.py",
    "runs/shape": "runs/test_experiments.py",
    "runtime/graph_weights": "runtime/test_onnx.py",
    "serve": "serve/conftest.py",
    "tagger/features": "models/test_imgfeat.py",
    "training/card": "training/test_folder.py",
    "training/checkpoint": "training/test_interrupts.py",
    "training/search/record": "training/search/test_run.py",
    "views/coverage": "views/test_contexts.py",
    "views/packing": "views/test_batch.py",
    "vision/published_file": "vision/test_listing.py",
    "vision/quiet": "vision/test_sessions.py",
    "vision/reading_steps": "vision/test_extract.py",
    "show/baseline_gains": "show/test_report.py",
}
"""Module without a test of its name that no test imports -> the test that covers it; or so for a whole folder."""


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
    assert model <= 60_000_000
    assert {name: size for name, size in sizes.items() if size > 12_000_000} == {}
    assert sum(sizes.values()) + model < 90_000_000


def name_of(row: Path) -> str:
    """What a run of a row is called; one of a system on word vectors says that its encoder's stand for them."""
    return f"{row.stem}-encoder-embeddings" if row.stem in ("ocsga", "riva") else row.stem


@pytest.mark.parametrize("row", ROWS, ids=lambda path: path.stem)
def test_row_loads_on_its_own_data(row: Path) -> None:
    assert configs.load(row).name == name_of(row)


@pytest.mark.parametrize("base", BASES, ids=lambda path: path.stem)
@pytest.mark.parametrize("row", ROWS, ids=lambda path: path.stem)
def test_row_loads_on_every_data_set(row: Path, base: Path) -> None:
    merged, alone = configs.load(row, base=base), configs.load(base)
    assert merged.name == name_of(row) + alone.name.removeprefix("run")  # a base with an encoder adds its name
    assert merged.data == alone.data
    assert merged.model.encoder == alone.model.encoder


@pytest.mark.parametrize("path", [*BASES, *ROWS], ids=lambda path: path.stem)
def test_config_survives_being_written_out(path: Path) -> None:
    config = configs.load(path)
    assert configs.check(tomllib.loads(configs.dumps(config))) == config


def test_configs_are_here() -> None:
    encoders = ("", "-e5", "-mpnet", "-bert-base-cased", "-bert-base-uncased", "-xlm-roberta-large")
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


def imports(path: Path) -> Iterator[str]:
    """The modules of mner that a file imports, as places in ``src/mner``."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "mner":
            place = "/".join((node.module or "").split(".")[1:])
            yield place
            yield from (f"{place}/{alias.name}".lstrip("/") for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("mner.").replace(".", "/") for alias in node.names)


MODULES = {
    path.relative_to(ROOT / "src" / "mner").with_suffix("").as_posix(): path
    for path in SOURCES
    if not path.stem.startswith("__")
}
TESTS = {path.relative_to(ROOT / "tests").as_posix(): path for path in sorted((ROOT / "tests").rglob("*.py"))}


def test_small_module_has_several_importers() -> None:
    importers: dict[str, set[Path]] = {name: set() for name in MODULES}
    for path in SOURCES:
        for name in imports(path):
            if name in importers and path != MODULES[name]:
                importers[name].add(path)
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}
    small = [name for name, lines in lengths.items() if lines < 40 and name.rpartition("/")[0] not in PLUGINS]
    assert {name for name in small if len(importers[name]) < 2} == SMALL


def test_each_module_has_a_test() -> None:
    """One of its name, one that imports it, one that runs over its folder, or one that is listed."""
    imported = {name for path in TESTS.values() for name in imports(path)}
    untested = [
        name
        for name in MODULES
        if re.sub(r"([^/]+)$", r"test_\1.py", name) not in TESTS
        and name not in imported
        and not (name.startswith(("vision/", "analysis/")) and name.rpartition("/")[0] in PLUGINS)
    ]
    listed = {name: cover for cover in COVERED for name in untested if name == cover or name.startswith(f"{cover}/")}
    assert [name for name in untested if name not in listed] == [], "write a test, or list one in COVERED"
    assert sorted(COVERED.keys() - listed.values()) == [], "take these out of COVERED"
    for name, cover in listed.items():
        test = COVERED[cover]
        tree = ast.parse(MODULES[name].read_text("utf-8"))
        public = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        room = name.split("/")[0]
        mention = "|".join(map(re.escape, [*public, name.rpartition("/")[2].strip("_"), f"mner.{room}"]))
        assert re.search(rf"\b({mention})\b", TESTS[test].read_text("utf-8")), f"{test} does not mention {name}"


def banned(path: Path) -> Iterator[str]:
    """Banned words and names in a file, each with its line."""
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        yield from (f"{number}: {match[0]}" for match in BANNED.finditer(line))
    for node in ast.walk(ast.parse(text)) if path.suffix == ".py" else ():
        name = (
            node.id
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            else node.arg
            if isinstance(node, ast.arg)
            else node.name
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
            else ""
        )
        if name.strip("_") in BANNED_NAMES:
            yield f"{getattr(node, 'lineno', 0)}: the name {name}"


def test_banned_words_do_not_occur() -> None:
    roots = ("src", "lab", "tools", "docs", "examples", "README.md", "CONTRIBUTING.md")
    occurring = {}
    for path in committed():
        name = path.relative_to(ROOT).as_posix()
        checked = name.startswith(roots) and path.suffix in {".py", ".md", ".html", ".toml"}
        if checked and (lines := list(banned(path))):
            occurring[name] = lines
    assert occurring == {}


UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|Not" r"Implemented(Error)?)\b")
SKIPPED = re.compile(r"\b(?:skipif|importorskip|xfail)\((?:[^()]|\([^()]*\))*\)")


def test_nothing_is_left_undone_or_skipped_without_a_reason() -> None:
    undone, unexplained = [], []
    for path in committed():
        if path.is_relative_to(ROOT / "src" / "mner" / "ready") or path.suffix not in {
            ".py",
            ".md",
            ".toml",
            ".sh",
            "",
        }:
            continue
        name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8", errors="replace")
        undone += [f"{name}: {match[0]}" for match in UNFINISHED.finditer(text)]
        if name.startswith("tests/"):
            unexplained += [f"{name}: {match[0]}" for match in SKIPPED.finditer(text) if "reason=" not in match[0]]
    assert undone == []
    assert unexplained == [], "say what is missing: reason="
