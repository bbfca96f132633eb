"""What the values of a run record must be: reports, comparisons and analyses compute with them unseen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, BaseModel, Field, FiniteFloat, TypeAdapter, ValidationError

# Not typing's: below Python 3.12 pydantic reads only these.
from typing_extensions import TypedDict

from mner.config import Config
from mner.config.faults import shortened
from mner.config.schema import Section
from mner.evaluation.signature import parts
from mner.types import ViewName

Count = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
Text = Annotated[str, Field(strict=True)]
Number = Annotated[FiniteFloat, Field(strict=True)]


def _signature(text: str) -> str:
    lacking = {"view", "data", "decode", "scheme", "match", "mner"} - parts(text).keys()
    if lacking:
        raise ValueError(f"expected a signature, which has {', '.join(sorted(lacking))}")
    return text


def _config(table: dict[str, Any]) -> dict[str, Any]:
    Config.model_validate(_known(table, Config))
    return table


def _known(table: Mapping[str, Any], schema: type[BaseModel]) -> dict[str, Any]:
    """The settings that there are today; earlier versions had others."""
    fields = {key: schema.model_fields[key].annotation for key in table if key in schema.model_fields}
    return {
        key: _known(table[key], kind)
        if isinstance(kind, type) and issubclass(kind, Section) and isinstance(table[key], dict)
        else table[key]
        for key, kind in fields.items()
    }


Settings = Annotated[dict[str, Any], AfterValidator(_config)]


class Figures(TypedDict):
    """Scores over all labels, or of one."""

    precision: Number
    recall: Number
    f1: Number
    correct: Count
    predicted: Count
    gold: Count


class View(TypedDict):
    """The scores of one view of a split."""

    micro: Figures
    labels: dict[str, Figures]
    signature: Annotated[Text, AfterValidator(_signature)]


Views = dict[ViewName, View]


class _Split(TypedDict):
    fingerprint: Text
    posts: NotRequired[Count]
    words: NotRequired[Count]
    entities: NotRequired[Count]
    labels: NotRequired[dict[str, Count]]
    contexts: NotRequired[dict[str, Count]]
    context_kinds: NotRequired[dict[str, Count]]
    context_subtokens_cut: NotRequired[dict[str, Count]]
    contexts_fingerprint: NotRequired[Text]


class _Splits(TypedDict):
    dev: _Split
    train: NotRequired[_Split]
    test: NotRequired[_Split]


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


class _Encoder(TypedDict):
    name: Text
    sha256: NotRequired[Text]


class _Machine(TypedDict):
    cpu: Text
    flags: list[Text]
    cores: Count
    memory_gib: NotRequired[Number]
    system: NotRequired[Text]


class RunRecord(TypedDict):
    """The record of a finished run; what it has besides is for people to read."""

    data: Text
    row: Text
    seed: Count
    config: Settings
    config_fingerprint: Text
    encoder: _Encoder
    model: Text
    parameters: Count
    splits: _Splits
    dev: Views
    test: NotRequired[Views]
    outcomes: NotRequired[dict[str, _Outcomes]]
    best_epoch: Count
    epochs: list[dict[str, Any]]
    seconds: Number
    cpu_seconds: NotRequired[Number]
    peak_memory_mib: Number
    precision: Text
    machine: _Machine
    finished: Text


def fault(record: Any, shape: Any = RunRecord) -> str | None:
    """What is wrong with a record, "dev.T.micro.f1: input should be a valid number, found 'x'"; None if nothing is.

    >>> fault([])
    'input should be a valid dictionary, found []'
    """
    try:
        _adapter(shape).validate_python(record)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = shortened(".".join(str(part) for part in first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "missing":
            return f"it lacks '{where}'"
        line = f"{message[:1].lower()}{message[1:]}, found {shortened(repr(first['input']))}"
        return f"{where}: {line}" if where else line
    return None


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)
