"""What stands behind the scores: the oracle, learning curves, analyses on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from mner.analysis.captions import CaptionPoint, Captions
from mner.analysis.cases import Cases
from mner.analysis.parts.analysis_record import read_analyses
from mner.analysis.parts.f1_summary import F1Summary
from mner.runs import read_experiments
from mner.show import tables
from mner.show.appendix import provenance
from mner.show.report import sections
from tests import records
from tests.records import GOLD, LESS, Commit, Make


@pytest.fixture
def results(make_record: Make, commit: Commit) -> Path:
    """Two seeds of text and ita-ga-cva."""
    for seed in (1, 2):
        commit(make_record("text", seed, {"T": LESS, "I+T": LESS}))
        folder = commit(make_record("ita-ga-cva", seed, {"T": LESS, "I+T": GOLD})).parents[1]
    return folder


def part(results: Path, title: str) -> list[str]:
    """The lines of a part of the report."""
    text = tables.markdown("Results", (), sections(results))
    return text.partition(f"### {title}\n")[2].partition("\n#")[0].splitlines()


def test_rows_on_some_posts_make_a_curve(results: Path, make_record: Make, commit: Commit) -> None:
    assert part(results, "Learning: F1 by training posts, test") == []
    record = make_record("text-2", 1, {"T": GOLD, "I+T": GOLD}, identity={"experiment": "text", "variant": "2"})
    record["splits"]["train"] = {"fingerprint": "bbbbbbbbbbbb", "posts": 2}
    record["config"]["data"] = {"train_posts": 2}
    commit(record)
    lines = part(results, "Learning: F1 by training posts, test")
    assert "| experiment | 2 posts | 4 posts |" in lines
    assert "| tiny/text T | 100.00 | 57.14 ± 0.00 |" in lines
    assert not any("ita-ga-cva" in line for line in lines if line.startswith("| tiny"))
    against = part(results, "Against the text alone")
    assert not any("text-2" in line for line in against), "other training posts are no baseline"
    commit(record | {"row": "text-two"})
    assert any("another experiment of the same settings has 2 posts" in line for line in part(results, "Learning"))


def test_cases_stand_beside_what_other_readings_turn(results: Path) -> None:
    measured = F1Summary((57.1,), 57.1, None, "f1=57.10 view=T")
    readings = {"tiny/text T": measured, "tiny/ita-ga-cva T": measured, "tiny/ita-ga-cva I+T": measured}
    result = Cases("tiny/ita-ga-cva", 2, 4, 4, {"helped": 2, "misled": 0}, (), readings)
    records.write_analysis(results, "cases", result, "tiny/ita-ga-cva/2@m2", "tiny/text/1@m1")
    lines = part(results, "Cases: tiny/ita-ga-cva")
    assert "| helped | tiny/text T wrong, tiny/ita-ga-cva I+T right | 2 |" in lines
    beside = [line for line in lines if line.startswith("- beside these cases, ")]
    assert beside == [
        "- beside these cases, tiny/ita-ga-cva T to its own I+T: wrong to right 2 posts, right to wrong 0",
        "- beside these cases, tiny/text T, seed 1 to seed 2: wrong to right 0 posts, right to wrong 0",
    ]


def test_recorded_analysis_is_drawn_with_its_runs(results: Path) -> None:
    result = Captions(
        "tiny/ita-ga-cva", ("a",), 1, 4, (CaptionPoint(0, F1Summary((70.0,), 70.0, None, "f1=70.00"), 4),)
    )
    runs = ("tiny/ita-ga-cva/1@m1", "tiny/ita-ga-cva/2@m2")
    records.write_analysis(results, "captions", result, *runs, options={"order": ["a", "b c"]})
    lines = part(results, "Captions: F1 by captions")
    assert "| tiny/ita-ga-cva | 1 | 70.00 |" in lines and any("`f1=70.00`" in line for line in lines)
    command = "mner analyze captions runs/tiny/ita-ga-cva --order 'a,b c' --record"
    assert f"- `{command} --results {results}`, dev: {', '.join(runs)}" in lines
    assert not any("trained again since" in line for line in lines)
    (record,), experiments = read_analyses(results), read_experiments(results)
    first, *_ = provenance(record, {name: each for (_, name), each in experiments.items()}, results="lab/results")
    assert first.startswith(f"`{command} --results lab/results`, ")


def test_command_names_only_the_options_that_were_given(results: Path) -> None:
    measured = F1Summary((57.1,), 57.1, None, "f1=57.10 view=T")
    readings = {"tiny/ita-ga-cva T": measured, "tiny/text I+T": measured, "tiny/ita-ga-cva I+T": measured}
    result = Cases("tiny/ita-ga-cva", 2, 4, 4, {"helped": 2, "misled": 0}, (), readings)
    runs = ("tiny/text/1@m1", "tiny/ita-ga-cva/2@m2")
    records.write_analysis(results, "cases", result, *runs, options={"unaligned": "tiny/text"})
    lines = part(results, "Cases: tiny/ita-ga-cva")
    command = f"mner analyze cases runs/tiny/ita-ga-cva --unaligned runs/tiny/text --record --results {results}"
    assert any(f"`{command}`" in line for line in lines)
    assert not any("seed 1 to seed 2" in line for line in lines), "the row without alignment is no baseline"


def test_runs_that_were_trained_again_are_named(results: Path) -> None:
    result = Captions("tiny/ita-ga-cva", ("a",), 1, 4, (CaptionPoint(0, F1Summary((70.0,), 70.0, None, "f1=70"), 4),))
    runs = ("tiny/ita-ga-cva/1@m1", "tiny/text/1@before", "tiny/text/3@m3", "tiny/else/1@m1")
    records.write_analysis(results, "captions", result, *runs, options={})
    lines = part(results, "Captions: F1 by captions")
    assert "- captions of tiny/ita-ga-cva: trained again since: tiny/text/1@before; analyze again" in lines
    assert "- captions of tiny/ita-ga-cva: no record here of tiny/text/3@m3, tiny/else/1@m1; analyze again" in lines
