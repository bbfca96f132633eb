"""Run records for those examples in docstrings that read some."""

from __future__ import annotations

import pytest

from mner.types import Span
from tests.conftest import commit as commit
from tests.conftest import make_record as make_record

READ_RECORDS = (
    "runs.record.read_record",
    "runs.experiments.read_experiment",
    "runs.compare.compare",
    "analysis.analyze",
)


@pytest.fixture(autouse=True)
def results(request: pytest.FixtureRequest) -> None:
    """Two experiments of two seeds in ``results/mine`` of the folder where such an example runs."""
    if not request.node.name.endswith(READ_RECORDS):
        return
    make, write = request.getfixturevalue("make_record"), request.getfixturevalue("commit")
    request.getfixturevalue("monkeypatch").chdir(request.getfixturevalue("tmp_path"))
    gold = [[Span(0, 1, "LOC"), Span(1, 3, "PER")], [], [Span(0, 2, "PER")], [Span(0, 1, "LOC")]]
    confused = [gold[0], gold[1], gold[2], [Span(0, 1, "PER")]]
    for row in ("text", "ita"):
        for seed in (1, 2):
            write(make(row, seed, {"T": confused, "I+T": gold}, data="mine"))
