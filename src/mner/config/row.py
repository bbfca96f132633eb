"""A configuration -> the short TOML of an experiment: the file it builds on, and only what differs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mner.config.read import load, root_folder, variant_of
from mner.config.schema import Config
from mner.config.toml import dumps_table


def row_toml(config: Config, path: Path, *, base: Path, root: Path, about: Sequence[str] = ()) -> str:
    """The text of a file that builds on ``base`` and that, loaded from ``path``, is ``config``.

    Args:
        config: The resolved configuration; it only adds to ``base`` and unsets nothing there.
        path: Where the text will stand; the names of files in it are relative to this file.
        base: The file to build on.
        root: Folder that the paths of [data] are relative to (``root_folder``).
        about: Lines of comment for the top.

    Raises:
        ConfigError: ``base`` cannot be loaded.
    """
    below = load(base)
    changed = differences(config.model_dump(mode="json"), below.model_dump(mode="json"))
    changed.get("data", {}).pop("root", None)
    if root_folder(below.data, base.parent).resolve() != root.resolve():
        named = config.data.root.startswith(("$", "mner:"))
        data_root = config.data.root if named else os.path.relpath(root.resolve(), path.parent.resolve())
        changed.setdefault("data", {})["root"] = data_root
    table = {"base": os.path.relpath(base.resolve(), path.parent.resolve())}
    table |= {key: value for key, value in changed.items() if value != {}}
    if variant_of(base):
        table |= {"name": config.name, "variant": ""}  # the name is whole already
    return "".join(f"# {line}\n" for line in about) + dumps_table(table)


def differences(upper: Mapping[str, Any], lower: Mapping[str, Any]) -> dict[str, Any]:
    """What differs in ``upper`` from ``lower``, tables within tables likewise.

    >>> differences({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 2, "d": 4}})
    {'b': {'d': 3}}
    """
    changed: dict[str, Any] = {}
    for key, value in upper.items():
        below = lower.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            value = differences(value, below)
            below = {}
        if key not in lower or below != value:
            changed[key] = value
    return changed
