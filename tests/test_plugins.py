"""Code outside mner that a saved model or a run names is never imported, whichever field names it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import mner
from mner import config as configs
from mner.analysis.parts.loaded_run import open_run
from mner.config import Config
from mner.errors import ConfigError, MnerError, ModelError
from mner.export import export
from mner.runs.evaluate import evaluate
from mner.runtime import read_model
from mner.runtime.saved import seal
from mner.types import Post

FOREIGN = "foreign_code.plugin"


def fields(schema: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every setting of the configuration, as the path to it."""
    for name, field in schema.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from fields(inner, (*path, name))
        else:
            yield (*path, name)


def naming(table: dict[str, Any], path: tuple[str, ...]) -> Config | None:
    """The configuration with the foreign name in one setting, in a shape that it takes; None if it takes none."""
    for value in (FOREIGN, [FOREIGN], {FOREIGN: FOREIGN}, {"nanodet": {"model": FOREIGN}}):
        changed: dict[str, Any] = json.loads(json.dumps(table))
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        try:
            return configs.check(changed)
        except ConfigError:
            continue
    return None


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module that can be imported and that would run whatever its author likes."""
    folder = tmp_path / "site" / "foreign_code"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "plugin.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield
    for name in ("foreign_code", FOREIGN):
        sys.modules.pop(name, None)


@pytest.fixture
def run(tiny_model: Path, posts_file: Path, make_record: Callable[..., dict[str, Any]], tmp_path: Path) -> Path:
    """A run directory whose model's configuration names posts that are there."""
    folder = tmp_path / "run"
    shutil.copytree(tiny_model, folder / "model")
    config = read_model(folder / "model").config
    data = {"root": str(posts_file.parent), "train": posts_file.name, "dev": posts_file.name}
    named = configs.check({**config.model_dump(mode="json"), "data": data})
    (folder / "config.toml").write_text(configs.dumps(named))
    (folder / "model" / "config.toml").write_text(configs.dumps(named))
    reseal(folder / "model")
    record = make_record("tiny", 1, {"T": [(), (), (), ()], "I+T": [(), (), (), ()]})
    (folder / "record.json").write_text(json.dumps(record))
    return folder


def reseal(folder: Path) -> None:
    manifest = json.loads((folder / "model.json").read_text())
    seal(folder, {key: value for key, value in manifest.items() if key not in {"format", "mner", "files", "sha256"}})


def uses(run: Path, out: Path) -> dict[str, Callable[[], object]]:
    post = Post("1", "Bo", ("Bo",), ((0, 2),), ())
    return {
        "load": lambda: mner.load(run)("Kevin Love", image=b"no picture"),
        "analyze a model": lambda: open_run(run / "model"),
        "analyze a run": lambda: open_run(run),
        "evaluate": lambda: evaluate(run),
        "export": lambda: export(run / "model", out=out / "a"),
        "export with posts": lambda: export(run / "model", out=out / "b", posts=[post]),
    }


@pytest.mark.parametrize("where", ["model/config.toml", "config.toml"])
@pytest.mark.parametrize("path", list(fields(Config)), ids=".".join)
def test_no_setting_of_a_saved_model_imports_code(
    run: Path, foreign: None, tmp_path: Path, path: tuple[str, ...], where: str
) -> None:
    config = naming(configs.load(run / where).model_dump(mode="json", exclude_none=True), path)
    if config is None:
        return  # a number, or one of a few words
    (run / where).write_text(configs.dumps(config))
    reseal(run / "model")
    tried = uses(run, tmp_path)
    for name in tried if config.outside_code else ("load", "analyze a run", "evaluate"):
        try:
            tried[name]()
        except MnerError as error:
            assert config.outside_code or "code outside mner" not in str(error)
    assert FOREIGN not in sys.modules


@pytest.mark.parametrize("path", [("data", "format"), ("model", "name"), ("vision", "ocr"), ("vision", "detector")])
def test_code_outside_mner_is_refused_by_name_and_allowed_on_request(
    run: Path, foreign: None, path: tuple[str, ...]
) -> None:
    config = naming(configs.load(run / "config.toml").model_dump(mode="json", exclude_none=True), path)
    assert config is not None
    assert config.outside_code == (FOREIGN,)
    (run / "config.toml").write_text(configs.dumps(config))
    for use in (evaluate, open_run):
        with pytest.raises(ModelError, match=rf"code outside mner: {FOREIGN}.*--allow-plugins"):
            use(run)
    if path == ("data", "format"):  # the module is no format, but it was imported
        with pytest.raises(AttributeError):
            evaluate(run, allow_plugins=True)
        assert FOREIGN in sys.modules
