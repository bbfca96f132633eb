"""A configuration -> the short TOML of a row: the file it builds on, and only what differs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mner.config.read import load, root_folder, variant_of
from mner.config.schema import Config
from mner.config.toml import dumps_table


def row_toml(config: Config, path: Path, *, base: Path, root: Path, about: Sequence[str] = ()) -> str:
    """The text of a row that builds on ``base`` and that, loaded from ``path``, is ``config``.

    Args:
        config: The resolved configuration; made from ``base`` by additions, so that it unsets nothing there.
        path: Where the text will stand; the names of files in it are relative to this file.
        base: The file to build on.
        root: Folder that the paths of [data] are relative to (``root_folder``).
        about: Lines of comment to put on top.

    Raises:
        ConfigError: ``base`` cannot be loaded.
    """
    below = load(base)
    told = differences(config.model_dump(mode="json"), below.model_dump(mode="json"))
    told.get("data", {}).pop("root", None)
    if root_folder(below.data, base.parent).resolve() != root.resolve():
        named = config.data.root.startswith(("$", "mner:"))
        data_root = config.data.root if named else os.path.relpath(root.resolve(), path.parent.resolve())
        told.setdefault("data", {})["root"] = data_root
    told = {key: value for key, value in told.items() if value != {}}
    table = {"base": os.path.relpath(base.resolve(), path.parent.resolve()), **told}
    if variant_of(base):
        table |= {"name": config.name, "variant": ""}  # the name is whole already
    return "".join(f"# {line}\n" for line in about) + dumps_table(table)


def differences(upper: Mapping[str, Any], lower: Mapping[str, Any]) -> dict[str, Any]:
    """What ``upper`` says otherwise than ``lower``, tables within tables likewise.

    >>> differences({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 2, "d": 4}})
    {'b': {'d': 3}}
    """
    told: dict[str, Any] = {}
    for key, value in upper.items():
        if key in lower and lower[key] == value:
            continue
        below = lower.get(key)
        told[key] = differences(value, below) if isinstance(value, Mapping) and isinstance(below, Mapping) else value
    return told
