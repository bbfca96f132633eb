"""A configuration or a table -> TOML; as a whole, or as the file it builds on and what differs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mner.config.read import load, on_top, root_folder, variant_of
from mner.config.schema import Config
from mner.errors import ConfigError
from mner.files import relative


def dumps(config: Config) -> str:
    """The resolved configuration as TOML, every key written out; ``load`` reads it back unchanged.

    Tables that are empty by default are left out while they are, so that ``[training.lr]`` can be added below.
    """
    table, defaults = config.model_dump(mode="json", exclude_none=True), Config().model_dump(mode="json")
    for name, section in table.items():
        if isinstance(section, dict):
            table[name] = {key: value for key, value in section.items() if value != {} or defaults[name][key] != {}}
    return dumps_table(table)


def dumps_table(table: Mapping[str, Any]) -> str:
    """A table of strings, numbers, lists and tables as TOML.

    >>> print(dumps_table({"name": "mine", "training": {"epochs": 4}}), end="")
    name = "mine"
    <BLANKLINE>
    [training]
    epochs = 4
    """
    lines = [f"{key} = {_toml(value)}" for key, value in table.items() if not isinstance(value, dict)]
    for key, value in table.items():
        if isinstance(value, dict):
            lines += ["", *_table(key, value)]
    return "\n".join(lines) + "\n"


def row_toml(config: Config, path: Path, *, base: Path, root: Path, about: Sequence[str] = ()) -> str:
    """The text of a file that builds on ``base`` and that, loaded from ``path``, is ``config``.

    Where ``base`` has keys that ``config`` lacks, such as a rate of a further group, the text builds on nothing.

    Args:
        config: The resolved configuration.
        path: Where the text will stand; the names of files in it are relative to this file.
        base: The file to build on.
        root: Folder that the paths of [data] are relative to (``root_folder``).
        about: Lines of comment for the top.

    Raises:
        ConfigError: ``base`` cannot be loaded.
    """
    below = load(base)
    changed = differences(config.model_dump(mode="json"), below.model_dump(mode="json"))
    if config.context.budget != below.context.budget:  # a part of it would replace the whole default
        changed["context"] = changed.get("context", {}) | {"budget": dict(config.context.budget)}
    named = config.data.root.startswith(("$", "mner:"))
    data_root = config.data.root if named else relative(root, path.parent)
    changed.get("data", {}).pop("root", None)
    if _root(below, base.parent) != root.resolve():
        changed.setdefault("data", {})["root"] = data_root
    table: dict[str, Any] = {"base": relative(base, path.parent)}
    table |= {key: value for key, value in changed.items() if value != {}}
    if variant_of(base):  # the name is whole already, and the identity, which a variant would have completed
        table |= {"name": config.name, "variant": "", "identity": config.identity.model_dump(mode="json")}
    top = "".join(f"# {line}\n" for line in about)
    if _but_root(on_top(base, {key: value for key, value in table.items() if key != "base"})) != _but_root(config):
        return top + dumps(config.model_copy(update={"data": config.data.model_copy(update={"root": data_root})}))
    return top + dumps_table(table)


def _but_root(config: Config) -> dict[str, Any]:
    table = config.model_dump(mode="json")
    table["data"].pop("root")
    return table


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


def _root(config: Config, folder: Path) -> Path | None:
    """The folder of a configuration's data; None where it goes by an environment variable that is not set."""
    try:
        return root_folder(config.data, folder).resolve()
    except ConfigError:
        return None


def _table(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    yield f"[{name}]"
    for key, value in table.items():
        if not isinstance(value, dict) or not value:
            yield f"{_key(key)} = {_toml(value)}"
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _table(f"{name}.{_key(key)}", value)


def _key(key: str) -> str:
    return key if key and key.replace("_", "").replace("-", "").isalnum() and key.isascii() else _toml(key)


def _toml(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    if value == {}:
        return "{}"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
