"""``import mner`` costs next to nothing, and every public name is there."""

from __future__ import annotations

import ast
import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import mner

HEAVY = {"torch", "transformers", "onnxruntime", "numpy", "PIL", "pydantic", "tokenizers", "rich", "typer", "jinja2"}


@pytest.mark.parametrize("name", mner.__all__)
def test_public_name_is_its_modules(name: str) -> None:
    value = getattr(mner, name)
    assert getattr(sys.modules[value.__module__], name) is value
    assert value.__doc__
    assert name in dir(mner)


def test_all_names_have_a_home() -> None:
    assert set(mner.__all__) == set(mner._HOME)
    assert sorted(mner.__all__) == mner.__all__


def test_stub_says_the_same() -> None:
    tree = ast.parse(Path(mner.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    homes = {name.name: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert homes == mner._HOME
    (listed,) = (node.value for node in tree.body if isinstance(node, ast.Assign))
    assert ast.literal_eval(listed) == mner.__all__


def test_public_surface_is_what_it_was() -> None:
    """Whoever changes this list breaks somebody's code, or adds what must be kept; the changelog says which."""
    classes = "Caption ContextText Entity Evidence Explanation MnerError OcrText Post Prediction Region Span Tag Tagger"
    assert mner.__all__ == [*classes.split(), "VisualContext", "load", "predict_shards", "tag_frame"]
    methods = {name for name in vars(mner.Tagger) if not name.startswith("_")}
    assert methods == {"atag", "batch", "explain", "pipe", "push_to_hub", "save"}
    options = "path download backend precision threads device allow_plugins use_images images allow_outside_images"
    assert (
        list(inspect.signature(mner.load).parameters)
        == f"{options} contexts features store timeout max_pictures grounding min_score raw_scores".split()
    )
    call = ["self", "post", "image", "context", "min_score"]
    assert list(inspect.signature(mner.Tagger.__call__).parameters) == call
    assert list(inspect.signature(mner.Tagger.atag).parameters) == call


def test_help_begins_with_every_name_and_what_it_is_for() -> None:
    overview, contents, rest = pydoc.plain(pydoc.render_doc(mner)).partition("PACKAGE CONTENTS")
    methods = {name for name in vars(mner.Tagger) if not name.startswith("_")}
    assert [name for name in {*mner.__all__, *methods} if f"``{name}``" not in overview] == []
    assert contents and len(overview.splitlines()) < 40
    assert all(f"class {name}(" in rest or f"{name}(" in rest for name in mner.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"laod.*load"):
        _ = mner.laod
    assert not hasattr(mner, "nothing")


def test_version_is_the_distributions() -> None:
    from importlib.metadata import version

    assert mner.__version__ == version("mner")


def test_import_is_light_and_fast() -> None:
    code = (
        "import sys, time; before = time.process_time(); import mner; print(time.process_time() - before, *sys.modules)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    _, *modules = runs[0].stdout.split()
    assert not HEAVY & {name.partition(".")[0] for name in modules}
    assert min(float(run.stdout.split()[0]) for run in runs) < 0.15


def test_types_need_nothing_heavy() -> None:
    code = "import sys, mner; mner.Post, mner.Span, mner.VisualContext, mner.MnerError; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & {name.partition(".")[0] for name in done.stdout.split()}
