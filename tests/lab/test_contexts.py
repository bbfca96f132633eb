"""Which experiment a record is of, and which contexts it read."""

from __future__ import annotations

from typing import Any

import pytest

from lab.contexts import is_of, remark, remark_on
from mner.runs import read_experiment
from tests.records import Commit, Make

EMPTY = dict.fromkeys(("T", "I+T"), ((), (), (), ()))


@pytest.mark.parametrize("name", ["ita-ga-cva", "ita-ga-cva-tuned", "ita-ga-cva-mpnet-warm-tuned"])
def test_experiment_is_known_by_its_identity(make_record: Make, commit: Commit, name: str) -> None:
    experiment = read_experiment(commit(make_record(name, 1, EMPTY)))
    names = ("text", "ita-ga", "ita-ga-cva", "ita-ga-cva-empty")
    assert [each for each in names if is_of(experiment, each)] == ["ita-ga-cva"]


@pytest.mark.parametrize(
    ("context", "files", "says"),
    [
        (
            {"order": ["captions"], "captions": ["blip2", "catr"]},
            ["contexts/twitter2015.jsonl"],
            "which at times name who is seen",
        ),
        (
            {"order": ["captions", "tags"]},
            ["contexts/twitter2015.nouns.jsonl"],
            "stand-ins: object names taken from captions for tags",
        ),
        (
            {"order": ["captions", "tags", "ocr"]},
            ["contexts/twitter2015.standin.jsonl"],
            "stand-ins: object names taken from captions for tags, texts quoted by a language model for OCR",
        ),
        ({"order": ["tags"]}, ["vinvl.jsonl"], None),
        ({"order": ["captions"], "captions": ["catr"]}, ["contexts/twitter2015.jsonl"], None),
    ],
)
def test_contexts_of_another_kind_are_seen_from_what_is_read(
    make_record: Make, commit: Commit, context: dict[str, Any], files: list[str], says: str | None
) -> None:
    record = make_record("ita-ga-cva", 1, EMPTY)
    record["config"] |= {"context": context, "data": {"contexts": files}}
    experiment = read_experiment(commit(record))
    result = remark(experiment)
    assert (result is None) if says is None else str(result).endswith(says)
    assert is_of(experiment, "ita-ga-cva") == (says is None)
    assert remark_on(experiment, "ita-ga-cva") == result and remark_on(experiment, "text") is None
