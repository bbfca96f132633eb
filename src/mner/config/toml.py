"""A configuration or a table -> TOML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mner.config.schema import Config


def dumps(config: Config) -> str:
    """The resolved configuration as TOML, every key written out; ``load`` reads it back unchanged."""
    return dumps_table(config.model_dump(mode="json", exclude_none=True))


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


def _table(name: str, table: Mapping[str, Any]) -> Iterator[str]:
    yield f"[{name}]"
    for key, value in table.items():
        if not isinstance(value, dict):
            yield f"{_key(key)} = {_toml(value)}"
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _table(f"{name}.{_key(key)}", value)


def _key(key: str) -> str:
    return key if key and key.replace("_", "").replace("-", "").isalnum() and key.isascii() else _toml(key)


def _toml(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
