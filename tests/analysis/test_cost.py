"""What rows cost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mner.analysis.cost import cost
from mner.errors import DataError
from mner.runs import Experiment
from tests.records import Make

RowOf = Callable[..., Experiment]


def test_runs_of_a_row_make_one_line(simple_record: Make, row_of: RowOf) -> None:
    fast = simple_record(seconds=60.0, peak_memory_mib=100.0)
    other = {"cpu": "two", "flags": [], "cores": 4}
    slow = simple_record(seed=2, seconds=80.0, peak_memory_mib=300.0, epochs=[{}], machine=other)
    text, ita = cost([row_of(fast, slow), row_of(simple_record("ita"))]).rows
    assert (text.row, text.runs, text.parameters, text.seconds, text.peak_mib) == ("d/text", 2, 1000, 70.0, 300.0)
    assert text.seconds_sd == pytest.approx(14.1421, abs=1e-3)
    assert text.epochs == 1.5
    assert text.machine == "one (avx2), 2 cores; two (no flags known), 4 cores"
    assert " seeds=2 " in text.signatures[0] and " view=I+T " in text.signatures[1]
    assert (ita.seconds, ita.seconds_sd) == (60.0, None)


def test_processor_time_is_of_the_records_that_hold_it(simple_record: Make, row_of: RowOf) -> None:
    runs = [simple_record(seed=1), simple_record(seed=2, cpu_seconds=100.0), simple_record(seed=3, cpu_seconds=140.0)]
    old, new = cost([row_of(runs[0]), row_of(*runs)]).rows
    assert (old.cpu_seconds, new.cpu_seconds) == (None, 120.0)


def test_models_of_two_sizes_are_no_one_row(simple_record: Make, row_of: RowOf) -> None:
    with pytest.raises(DataError, match="d/text: its runs have 1,000 and 2,000 parameters"):
        cost([row_of(simple_record(), simple_record(seed=2, parameters=2000))])
