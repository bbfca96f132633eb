from __future__ import annotations

import io
import re
from dataclasses import replace

from rich.console import Console

from mner.evaluation.significance import Interval, TTest
from mner.runs.compare import Comparison, Line
from mner.show.comparison import plain, sure, table, title

SURE = Line("micro", (75.0, 76.0), (73.0, 74.0), TTest(2.8, 2, 0.0421), Interval(0.4, 3.1, 0.0004))
UNSURE = Line("PER", (75.0, 75.0), (75.5, 75.5), None, Interval(-1.0, 0.3, 0.4))
SIGNATURES = ("f1=75.50", "f1=73.50", "delta=+2.00")
ONE = Comparison("test", "ita-ga-cva", "text", "I+T", "T", (1, 2), (1, 2), (SURE, UNSURE), SIGNATURES, ("n",))


def test_plain_lines_stand_in_columns() -> None:
    head, columns, micro, person, *below = plain(ONE)
    assert head == "ita-ga-cva I+T against text T, test, seeds 1 2"
    shown = "micro 75.50 ± 0.71 73.50 ± 0.71 +2.00 +0.40 to +3.10 ≤0.001 0.042"
    assert micro.split() == shown.split()
    assert person.split()[-2:] == ["0.400", "-"]
    assert len(columns) == len(micro)
    assert below == ["f1=75.50", "f1=73.50", "delta=+2.00", "note: n"]


def test_table_colours_only_what_both_tests_hold_for_sure() -> None:
    assert sure(SURE) and not sure(UNSURE)
    stream = io.StringIO()
    Console(file=stream, force_terminal=True, width=140, color_system="standard").print(table(ONE))
    shown = stream.getvalue()
    assert re.search(r"\x1b\[32m *\+2\.00", shown) and "\x1b[31m" not in shown
    assert "ita-ga-cva I+T" in shown and "p t-test" in shown


def test_title_names_both_sides_seeds_where_they_differ() -> None:
    assert title(replace(ONE, seeds_a=(1,), seeds_b=(7, 8))).endswith("test, seed 1 against 7 8")
