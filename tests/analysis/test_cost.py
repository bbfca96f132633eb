"""What rows cost, and finding their records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mner.analysis.cost import cost
from mner.analysis.records import records_of, rows_in
from mner.errors import DataError

Make = Callable[..., dict[str, Any]]


def test_runs_of_a_row_make_one_line(make_record: Make) -> None:
    fast = make_record(seconds=60.0, peak_memory_mib=100.0)
    slow = make_record(seed=2, seconds=80.0, peak_memory_mib=300.0, epochs=[{}], machine={"cpu": "two", "cores": 4})
    text, ita = cost([[fast, slow], [make_record("ita")]]).rows
    assert (text.row, text.runs, text.parameters, text.seconds, text.peak_mib) == ("d/text", 2, 1000, 70.0, 300.0)
    assert text.seconds_sd == pytest.approx(14.1421, abs=1e-3)
    assert text.epochs == 1.5
    assert text.machine == "one, 2 cores; two, 4 cores"
    assert " seeds=2 " in text.signatures[0] and " view=I+T " in text.signatures[1]
    assert (ita.seconds, ita.seconds_sd) == (60.0, None)


def test_models_of_two_sizes_are_no_one_row(make_record: Make) -> None:
    with pytest.raises(DataError, match="1,000 and 2,000 parameters"):
        cost([[make_record(), make_record(seed=2, parameters=2000)]])


@pytest.fixture
def results(tmp_path: Path, make_record: Make) -> Path:
    for row, seed in (("text", 10), ("text", 2), ("ita", 1)):
        path = tmp_path / "results" / "d" / row / f"{seed}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(make_record(row, seed=seed)))
    (tmp_path / "results" / "d" / "text" / "search.json").write_text("{}")
    return tmp_path / "results"


def test_rows_are_found_by_name(results: Path) -> None:
    assert rows_in(results) == ["d/ita", "d/text"]
    assert [record["seed"] for record in records_of("d/text", results=results)] == [2, 10]


def test_rows_are_found_by_path(results: Path, tmp_path: Path, make_record: Make) -> None:
    run = tmp_path / "runs" / "text" / "3"
    run.mkdir(parents=True)
    (run / "record.json").write_text(json.dumps(make_record(seed=3)))
    for told in (run, run.parent, run / "record.json"):
        assert [record["seed"] for record in records_of(str(told), results=results)] == [3]


def test_no_record_lists_what_there_is(results: Path) -> None:
    with pytest.raises(DataError, match=r"d/none: neither a run nor a row .* rows there: d/ita, d/text"):
        records_of("d/none", results=results)


def test_damaged_record_is_named(results: Path) -> None:
    (results / "d" / "ita" / "1.json").write_text('{"data": "d"}')
    with pytest.raises(DataError, match=r"1\.json: not a run record, it lacks row, seed"):
        records_of("d/ita", results=results)
