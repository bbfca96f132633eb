"""``import mner`` costs next to nothing, and every public name is there."""

from __future__ import annotations

import ast
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


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"laod.*load"):
        _ = mner.laod
    assert not hasattr(mner, "nothing")


def test_version_is_the_distributions() -> None:
    from importlib.metadata import version

    assert mner.__version__ == version("mner")


def test_import_is_light_and_fast() -> None:
    code = (
        "import sys, time; before = time.perf_counter(); import mner; print(time.perf_counter() - before, *sys.modules)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(3)]
    _, *modules = runs[0].stdout.split()
    assert not HEAVY & {name.partition(".")[0] for name in modules}
    assert min(float(run.stdout.split()[0]) for run in runs) < 0.15


def test_types_need_nothing_heavy() -> None:
    code = "import sys, mner; mner.Post, mner.Span, mner.VisualContext, mner.MnerError; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & {name.partition(".")[0] for name in done.stdout.split()}
