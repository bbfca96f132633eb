"""A validation fault -> one line: the dotted path, what is wrong, the nearest key or value that exists."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from mner.config.schema import Section
from mner.safe_text import printable


def described(faults: Iterable[Mapping[str, Any]], schema: type[BaseModel]) -> list[str]:
    """One line for each fault; pydantic reports one for each type that a setting may have."""
    folded: dict[tuple[str | int, ...], list[Mapping[str, Any]]] = {}
    for fault in faults:
        field, rest = _field(fault["loc"], schema)
        folded.setdefault(field, []).append({**fault, "loc": (*field, *rest)})
    lines = []
    for field, of_field in folded.items():
        within = [fault for fault in of_field if fault["loc"] != field]  # of the type that comes nearest
        if not within and len(of_field) > 1:
            kinds = " or ".join(fault["msg"].removeprefix("Input should be ") for fault in of_field)
            within = [{**of_field[0], "msg": f"Input should be {kinds}"}]
        lines += [describe(fault, schema) for fault in within or of_field]
    return lines


def _field(path: Sequence[str | int], schema: type[BaseModel]) -> tuple[tuple[str | int, ...], tuple[str | int, ...]]:
    """The part of a fault's path that names a setting, and what is within it, without the type that was tried."""
    model: Any = schema
    for depth, part in enumerate(path, 1):
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            break
        model = field.annotation
        kinds = [kind for kind in get_args(model) if kind is not NoneType]
        if get_origin(model) in (Union, UnionType) and len(kinds) > 1:
            return tuple(path[:depth]), tuple(path[depth + 1 :])
    return tuple(path), ()


def describe(fault: Mapping[str, Any], schema: type[BaseModel]) -> str:
    """One line about a fault as pydantic reports it of a table that should be a ``schema``."""
    path = [str(part) for part in fault["loc"]]
    dotted, shown = (shortened(text) for text in (".".join(path), repr(fault["input"])))
    if fault["type"] == "extra_forbidden":
        known = list(_known_keys(schema, path[:-1]))
        near = difflib.get_close_matches(path[-1], known, n=1) or difflib.get_close_matches(
            path[-1], [key for key, _ in _all_keys(schema)], n=1
        )
        hint = f'; did you mean "{near[0]}"?' if near else f"; known here: {', '.join(known) or 'no key'}"
        if near and near[0] not in known:
            hint = f'; "{near[0]}" belongs to [{dict(_all_keys(schema))[near[0]]}]'
        return f"{dotted}: unknown key{hint}"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] in {"literal_error", "enum"} and isinstance(fault["input"], str):
        choices = [choice.strip(" '") for choice in fault["ctx"]["expected"].replace(" or ", ", ").split(", ")]
        near = difflib.get_close_matches(fault["input"], choices, n=1)
        message = f"expected {fault['ctx']['expected']}, found {shown}"
        message += f'; did you mean "{near[0]}"?' if near else ""
    elif fault["type"] not in {"value_error"}:
        message = f"{message[0].lower()}{message[1:]}, found {shown}"
    return f"{dotted}: {message}" if dotted else message


def shortened(text: str, limit: int = 100) -> str:
    """The beginning of a text, on one line."""
    line = printable(text)
    return line if len(line) <= limit else f"{line[:limit]}..."


def _known_keys(schema: type[BaseModel], path: Sequence[str]) -> Iterator[str]:
    model: Any = schema
    for part in path:
        field = model.model_fields.get(part) if hasattr(model, "model_fields") else None
        model = field.annotation if field is not None else None
        if model is None:
            return
    yield from model.model_fields if hasattr(model, "model_fields") else ()


def _all_keys(schema: type[BaseModel]) -> Iterator[tuple[str, str]]:
    for section, field in schema.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from ((key, section) for key in field.annotation.model_fields)
