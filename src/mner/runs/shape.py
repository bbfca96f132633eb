"""What the values of a record must be: reports, comparisons and analyses compute with them unseen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, BaseModel, Field, FiniteFloat, TypeAdapter, ValidationError

# Not typing's: below Python 3.12 pydantic reads only these.
from typing_extensions import TypedDict

from mner.config import Config
from mner.config.config_errors import shortened
from mner.config.schema import Section

Count = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Text = Annotated[str, Field(strict=True)]
Number = Annotated[FiniteFloat, Field(strict=True)]

_Outcomes = TypedDict(
    "_Outcomes",
    {
        "fingerprint": Text,
        "labels": list[Text],
        "contexts": NotRequired[dict[str, Count]],
        "T": NotRequired[Text],
        "I+T": NotRequired[Text],
    },
)
_OUTCOMES = TypeAdapter(_Outcomes)


class _Measures(TypedDict):
    ece: Number
    brier: Number


class _Calibration(TypedDict):
    micro: _Measures


_CALIBRATION = TypeAdapter(_Calibration)


def settings_of(table: Mapping[str, Any]) -> Config:
    """The configuration of a record, without the settings that there are no more.

    Raises:
        ValueError: A value is not one that the setting can have.
    """
    return Config.model_validate(_known(table, Config))


def _known(table: Mapping[str, Any], schema: type[BaseModel]) -> dict[str, Any]:
    fields = {key: schema.model_fields[key].annotation for key in table if key in schema.model_fields}
    return {
        key: _known(table[key], kind)
        if isinstance(kind, type) and issubclass(kind, Section) and isinstance(table[key], dict)
        else table[key]
        for key, kind in fields.items()
    }


def _settings(table: dict[str, Any]) -> dict[str, Any]:
    try:
        settings_of(table)
    except ValidationError as error:
        raise ValueError(fault(error)) from None
    return table


def _outcomes(table: dict[str, Any]) -> dict[str, Any]:
    return _checked(_OUTCOMES, table)


def _calibration(table: dict[str, Any]) -> dict[str, Any]:
    return _checked(_CALIBRATION, table) if table else table  # empty where no entity was found


def _checked(shape: TypeAdapter[Any], table: dict[str, Any]) -> dict[str, Any]:
    try:
        shape.validate_python(table)
    except ValidationError as error:
        raise ValueError(fault(error)) from None
    return table


Settings = Annotated[dict[str, Any], AfterValidator(_settings)]
PostOutcomes = Annotated[dict[str, Any], AfterValidator(_outcomes)]
CalibrationTable = Annotated[dict[str, Any], AfterValidator(_calibration)]


def fault(error: ValidationError) -> str:
    """What is wrong with a record, "dev.T.micro.f1: input should be a valid number, found 'x'".

    >>> try:
    ...     TypeAdapter(dict[str, Count]).validate_python({"gold": "x"})
    ... except ValidationError as error:
    ...     fault(error)
    "gold: input should be a valid integer, found 'x'"
    """
    first = error.errors(include_url=False)[0]
    where = shortened(".".join(str(part) for part in first["loc"]))
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"it lacks '{where}'"
    if first["type"] == "value_error":
        return f"{where}: {message}" if where else message
    line = f"{message[:1].lower()}{message[1:]}, found {shortened(repr(first['input']))}"
    return f"{where}: {line}" if where else line
