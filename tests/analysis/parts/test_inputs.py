"""What is named is opened or read when an analysis asks for it, and no sooner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mner.analysis.parts import inputs as module
from mner.analysis.parts.inputs import Inputs
from mner.analysis.parts.loaded_run import LoadedRun
from mner.types import Span

SPANS = {"T": [[Span(0, 1, "LOC")], [], [], []], "I+T": [[], [], [], []]}


def test_runs_are_opened_one_by_one_and_remembered(
    opened: Callable[..., LoadedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = {"a": opened("a"), "b": opened("b")}
    monkeypatch.setattr(module, "row_runs", lambda path: [path / name for name in runs])
    monkeypatch.setattr(module, "open_runs", lambda paths, **settings: (runs[path.name] for path in paths))
    inputs = Inputs(["folder"])
    reading = inputs.runs("folder", "dev")
    assert inputs.opened == {}
    assert next(iter(reading)) is runs["a"] and inputs.opened == {"folder": [runs["a"].run]}
    assert inputs.first_run("folder", "dev") is runs["a"]
    assert [run.row for run in inputs.runs("folder", "dev", most=1)] == ["made/a"]


def test_records_are_those_named_or_all(
    make_record: Callable[..., dict[str, Any]], commit: Callable[[Mapping[str, Any]], Path]
) -> None:
    for name in ("text", "ita"):
        results = commit(make_record(name, 1, SPANS)).parents[1]
    assert [each.name for each in Inputs(["tiny/ita"], results).records()] == ["ita"]
    assert sorted(each.name for each in Inputs([], results).records()) == ["ita", "text"]
