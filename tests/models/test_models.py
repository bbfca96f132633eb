"""The seam: what models offer, and that nothing outside models/ asks for more or for a model by its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from torch import nn

import mner
from mner import config as configs
from mner import models
from mner.errors import ConfigError, PluginError

ROOT = Path(mner.__file__).parent
OUTSIDE = [path for path in ROOT.rglob("*.py") if (ROOT / "models") not in path.parents]
PRIVATE = {"tagger", "words", "emission", "stages", "inputs"}
"""Attributes that models of mner have and that are not members of the protocol."""


def test_no_room_reaches_into_a_model() -> None:
    reached = []
    for path in OUTSIDE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in PRIVATE:
                owner = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
                if owner in ("model", "built", "tagger") and node.attr != "words":
                    reached.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mner.models."):
                allowed = {
                    "mner.models.parts.encoder": {"Arrays"},
                    "mner.models.parts.align": {"loss_weights"},
                    "mner.models.parts.chain": {"ChainScores", "posteriors"},  # of any chain, a runtime's too
                }
                names = {alias.name for alias in node.names} - allowed.get(node.module or "", set())
                reached += [f"{path.name}:{node.lineno}: {node.module}.{name}" for name in names]
    assert not reached


def test_no_room_asks_for_a_model_by_its_name() -> None:
    compared = re.compile(r'(model\.name|\["model"\]\["name"\])\s*(==|!=|in|not in)\s|"(text|ita|imgfeat)"\s*(==|!=)')
    hits = [path.name for path in OUTSIDE if compared.search(path.read_text(encoding="utf-8"))]
    assert not hits


def test_text_refuses_a_view_that_it_never_trains() -> None:
    config = configs.check({"model": {"name": "text"}, "loss": {"views": ["T", "I+T"]}})
    with pytest.raises(ConfigError, match=r'loss\.views: the model "text" reads the words alone; set loss\.views'):
        models.needs(config)


@pytest.mark.parametrize("name", ["ita", "text"])
def test_unknown_option_is_refused(name: str) -> None:
    config = configs.check({"model": {"name": name, "options": {"regions": 3}}, "loss": {"views": ["T"]}})
    for check in (lambda: models.needs(config), lambda: models.build(config, ["O"], nn.Linear(1, 1))):
        with pytest.raises(ConfigError, match=rf'\[model\.options\] of "{name}": 1 fault\n  regions: unknown key'):
            check()


@pytest.mark.parametrize(("name", "width"), [("umgf", "nodes"), ("ocsga", "hidden")])
def test_heads_that_do_not_divide_the_width_are_refused(name: str, width: str) -> None:
    options = {width: 10, "heads": 4}
    config = configs.check({"model": {"name": name, "options": options}, "loss": {"views": ["I+T"]}})
    message = rf'\[model\.options\] of "{name}": 1 fault\n  {width}: 4 heads do not divide 10'
    with pytest.raises(ConfigError, match=message):
        models.build(config, ["O"], nn.Linear(1, 1))


def test_file_without_a_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_bare").mkdir()
    (tmp_path / "their_bare" / "__init__.py").write_text("")
    (tmp_path / "their_bare" / "model.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    config = configs.check({"model": {"name": "their_bare.model"}})
    with pytest.raises(PluginError, match=r"their_bare\.model has no class Model"):
        models.needs(config)


def test_rate_of_case_shapes_has_no_effect_without_them() -> None:
    for name, case_shape, ignored in (
        ("ita", False, ("training.feature_lr",)),
        ("ita", True, ()),
        ("vinvl", False, ()),
    ):
        assert models.ignored(configs.check({"model": {"name": name, "case_shape": case_shape}})) == ignored


@pytest.mark.parametrize(("name", "options"), [("ocsga", {}), ("riva", {}), ("rpbert", {"gate": "hard"})])
def test_page_of_a_model_says_what_it_ignores(name: str, options: dict[str, str]) -> None:
    config = configs.check({"model": {"name": name, "options": options}})
    assert "training.tokens_per_batch" in models.ignored(config)
    page = (ROOT.parents[1] / "docs" / "systems" / f"{name}.md").read_text(encoding="utf-8")
    assert [setting for setting in models.ignored(config) if f"`{setting}`" not in page] == []
