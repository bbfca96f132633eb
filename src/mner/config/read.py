"""TOML file -> checked configuration: bases merged, overrides applied, every fault listed at once."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from mner.config.config_errors import described
from mner.config.schema import BUDGET, RETIRED, Config, DataConfig
from mner.errors import ConfigError
from mner.files import relative

LARGEST = 2**20
"""Bytes of a TOML file, at most."""

DEEPEST = 16
"""Tables and lists inside each other, at most."""

_TOO_DEEP = f"tables and lists are nested more than {DEEPEST} deep"
_TOO_LARGE = "a whole number is beyond 64 bits"
_VARIANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
Schema = TypeVar("Schema", bound=BaseModel)


def load(path: str | Path, *, base: str | Path | None = None, set_values: Sequence[str] = ()) -> Config:
    """The configuration of a TOML file, its bases merged below it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "mine.toml"
    ...     written = file.write_text("training.epochs = 5")
    ...     config = load(file, set_values=["training.threads=1"])
    >>> config.training.epochs, config.training.threads
    (5, 1)

    Args:
        path: The file; its ``base`` key names a file it builds on, or several, later ones over earlier ones, all
            relative to itself. A ``variant`` of it or of a base (such as "mpnet") joins the name behind a hyphen.
        base: Another file to build on instead of those the file names (other data, or another encoder).
        set_values: Overrides such as "training.epochs=3"; the value is TOML, a bare word is a string.

    Raises:
        ConfigError: The file is missing, is not TOML, or has faults; all are listed.
    """
    path = Path(path)
    table = _read(path, base=Path(base) if base is not None else None)
    for setting in set_values:
        assign(table, setting)
    _rename(table, path)
    return check(table, where=str(path))


def check(table: Mapping[str, Any], *, where: str = "config") -> Config:
    """The configuration of a parsed table.

    Raises:
        ConfigError: One line for each fault, the dotted path first, with the nearest known key.
    """
    return validated(Config, _without_retired(table), where=where)


def _without_retired(table: Mapping[str, Any]) -> dict[str, Any]:
    """The table without retired settings that are off; one that is on stays, and is a fault."""
    remaining = dict(table)
    for section, off in RETIRED.items():
        if isinstance(settings := remaining.get(section), Mapping):
            remaining[section] = {key: value for key, value in settings.items() if key not in off or value != off[key]}
    return remaining


def validated(schema: type[Schema], table: Mapping[str, Any], *, where: str) -> Schema:
    """A parsed table as a ``schema``.

    Raises:
        ConfigError: One line for each fault, the dotted path first, with the nearest known key.
    """
    try:
        return schema.model_validate(table)
    except ValidationError as error:
        faults = described(error.errors(), schema)
        lines = [f"{where}: {len(faults)} fault{'s' if len(faults) > 1 else ''}", *(f"  {fault}" for fault in faults)]
        raise ConfigError("\n".join(lines)) from None


def on_top(base: Path, table: Mapping[str, Any]) -> Config:
    """The configuration of a parsed table that builds on a file.

    Raises:
        ConfigError: As ``load`` does.
    """
    merged = _merge(_read(base, base=None), table)
    _rename(merged, base)
    return check(merged, where=str(base))


def base_of(path: Path) -> Path | None:
    """The file that a TOML file's ``base`` names; None where it builds on none, or on several.

    Raises:
        ConfigError: The file is missing or is not TOML, or ``base`` is not a file name.
    """
    names = _base_names(read_toml(path).get("base"), path)
    return path.parent / names[0] if len(names) == 1 else None


def variant_of(path: Path) -> str:
    """The ``variant`` that a TOML file or one of its bases has; "" where none has one.

    Raises:
        ConfigError: A file is missing or is not TOML.
    """
    return str(_read(path, base=None).get("variant", ""))


def root_folder(data: DataConfig, config_folder: Path) -> Path:
    """The folder that the paths of [data] are relative to.

    Raises:
        ConfigError: ``root`` names an environment variable that is not set.
    """
    if data.root == "mner:sample":
        from importlib.resources import files

        return Path(str(files("mner.data.sample")))
    if data.root.startswith("$"):
        name, _, rest = data.root[1:].partition("/")
        if not os.environ.get(name):
            raise ConfigError(
                f"data.root: the environment variable {name} is not set; it names the folder that holds the data: "
                f"{name}=/path/to/data mner ..."
            )
        return Path(os.environ[name]) / rest
    return config_folder / data.root


def read_toml(path: Path) -> dict[str, Any]:
    """The table of a TOML file, unchanged.

    Raises:
        ConfigError: The file is missing (the message names the nearest one) or is not TOML.
    """
    try:
        if not path.is_file():
            _refuse(path)
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ConfigError(f"{path}: over {LARGEST:,} bytes; expected a configuration in TOML")
        return parse_toml(content.decode("utf-8"))
    except (OSError, ValueError) as error:  # no UTF-8, or a name with NUL in it
        raise ConfigError(f"{path}: not a readable TOML file: {error}") from None


def _refuse(path: Path) -> NoReturn:
    """Refuse what is no regular file; a pipe or a device may never end, and bases are read more than once."""
    if path.is_dir():
        near = sorted(str(file) for file in path.glob("*.toml"))
        raise ConfigError(f"{path}: is a folder; name a TOML file" + (f", such as {near[0]}" if near else ""))
    if path.exists():
        raise ConfigError(f"{path}: is a pipe or a device; write the configuration into a file and name that")
    near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.toml")], n=1)
    hint = f'; did you mean "{path.parent / near[0]}"?' if near else ""
    raise ConfigError(f"{path}: no such file{hint}")


def parse_toml(text: str) -> dict[str, Any]:
    """The table of a TOML text.

    Raises:
        ValueError: It is not TOML, nests deeper than any configuration, or holds a whole number beyond 64 bits or
            a text with NUL.
    """
    try:
        table = tomllib.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    except ValueError as error:
        if isinstance(error, tomllib.TOMLDecodeError):
            raise
        raise ValueError(_TOO_LARGE) from None
    level: list[Any] = [table]
    for _ in range(DEEPEST):
        level = [value for part in level if isinstance(part, dict | list) for value in _values(part)]
        if any(isinstance(value, int) and abs(value) >= 2**63 for value in level):
            raise ValueError(_TOO_LARGE)
        if any(isinstance(value, str) and "\0" in value for value in level):
            raise ValueError("a text contains NUL")
    if level:
        raise ValueError(_TOO_DEEP)
    return table


def _values(part: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return part.values() if isinstance(part, dict) else part


def _read(path: Path, *, base: Path | None) -> dict[str, Any]:
    return _merged(path, base=base)[0]


def _merged(path: Path, *, base: Path | None, seen: tuple[Path, ...] = ()) -> tuple[dict[str, Any], bool]:
    """The table of a file and its bases, and whether one of them states the root of the data."""
    table = read_toml(path)
    if path.resolve() in seen:
        raise ConfigError(f"{path}: base files lead back to this one: {' -> '.join(map(str, seen))}")
    named = [path.parent / name for name in _base_names(table.pop("base", None), path)]
    for lower_path in named if base is not None else ():
        if lower_path.is_file() and "name" in read_toml(lower_path):
            raise ConfigError(
                f"{path}: builds on the experiment {lower_path}, which {base} would replace; give that base to the "
                f'experiment itself, or write a file of your own with base = ["{base}", ...] and what this one says'
            )
    lower: dict[str, Any] = {}
    stated = False
    for lower_path in named if base is None else [base]:
        read, states = _merged(lower_path, base=None, seen=(*seen, path.resolve()))
        data: Any = read.get("data")
        if isinstance(data, dict) and stated and not states:
            data.pop("root", None)  # where the files lie says less than what an earlier one states
        elif isinstance(data, dict):
            root = data.get("root", ".")
            if isinstance(root, str) and not root.startswith(("$", "mner:")):
                # A plain root is relative to the file that states it; here it becomes relative to the file on top.
                data["root"] = relative(lower_path.parent / root, path.parent)
        stated = stated or states
        lower = _merge(lower, read)
    own: Any = table.get("data")
    return _merge(lower, table), stated or (isinstance(own, dict) and "root" in own)


def _base_names(named: Any, path: Path) -> list[str]:
    names = [] if named is None else [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError(f'{path}: base: expected a file name such as "../mine.toml", found {named!r}')
    return names


def _rename(table: dict[str, Any], path: Path) -> None:
    """Add ``variant`` to the name, so that one experiment's runs on two encoders have two folders."""
    variant = table.pop("variant", "")
    if variant == "":
        return
    if not isinstance(variant, str) or not _VARIANT.fullmatch(variant):
        raise ConfigError(f'{path}: variant: expected letters, digits, "." or "-", such as "mpnet", found {variant!r}')
    name = table.get("name", Config().name)
    identity = table.get("identity", {})
    if isinstance(identity, dict):  # anything else is a fault that ``check`` names
        table["identity"] = {"experiment": name, "variant": variant, **identity}
    table["name"] = f"{name}-{variant}"


def _merge(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return merged


def assign(table: dict[str, Any], setting: str) -> None:
    """Put an override such as "training.epochs=3" into a table; the value is TOML, a bare word is a string.

    Raises:
        ConfigError: It is not a setting.
    """
    dotted, sign, written = setting.partition("=")
    if not sign or not dotted.strip():
        raise ConfigError(f'--set {setting}: expected "section.key=value", such as training.epochs=3')
    try:
        value = parse_toml(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        value = written
    except ValueError as error:
        raise ConfigError(f"--set {dotted}: {error}") from None
    *sections, key = dotted.strip().split(".")
    if (sections, key) == ([], "base"):
        raise ConfigError(f"--set {setting}: a configuration names its base itself; another one: --base FILE")
    if len(sections) > DEEPEST:
        raise ConfigError(f"--set: {_TOO_DEEP}")
    for depth, section in enumerate(sections, 1):
        # One kind's budget is changed among the others: a table of that kind alone would replace the default.
        default = BUDGET if sections[:depth] == ["context", "budget"] else {}
        table = table.setdefault(section, dict(default))
        if not isinstance(table, dict):
            raise ConfigError(f"--set {setting}: {section} is a value, not a section")
    table[key] = value
