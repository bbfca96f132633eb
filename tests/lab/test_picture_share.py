"""The project's own page of results: the picture's share, the oracle and contexts of another kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.report import ABOUT, sections
from mner.show import tables
from mner.show.report import TITLE
from mner.types import Span
from tests.records import GOLD, LESS, WORSE, Commit, Make


@pytest.fixture
def results(make_record: Make, commit: Commit) -> Path:
    """Two seeds of text and ita-ga-cva."""
    for seed, text in ((1, LESS), (2, WORSE)):
        commit(make_record("text", seed, {"T": text, "I+T": WORSE}))
        folder = commit(make_record("ita-ga-cva", seed, {"T": LESS, "I+T": GOLD})).parents[1]
    return folder


def written(results: Path) -> str:
    return tables.markdown(TITLE, ABOUT, sections(results))


def part(text: str, title: str) -> list[str]:
    """The lines of a part."""
    return text.partition(f"### {title}\n")[2].partition("\n#")[0].splitlines()


def test_picture_share_appears_with_a_control(results: Path, make_record: Make, commit: Commit) -> None:
    assert "picture's share" not in written(results)
    more = [[Span(0, 1, "LOC"), Span(1, 3, "PER")], [], [], [Span(0, 1, "LOC")]]
    commit(make_record("text-double-steps", 1, {"T": more, "I+T": WORSE}))
    commit(make_record("ita-ga-cva-empty", 1, {"T": WORSE, "I+T": WORSE}))
    lines = part(written(results), "The picture's share")
    assert any(line.startswith("| ita-ga-cva | I+T | text-double-steps T | test | 1 | +14.29 |") for line in lines)
    assert any("no records of ita-ga-cva-shuffled, without which the share may be too large" in line for line in lines)
    commit(make_record("ita-ga-cva-shuffled", 1, {"T": LESS, "I+T": GOLD}))
    lines = part(written(results), "The picture's share")
    assert any(line.startswith("| ita-ga-cva | I+T | ita-ga-cva-shuffled I+T | test | 1 | 0.00 |") for line in lines)
    assert not any("no records of" in line for line in lines)


def test_picture_share_is_read_on_seeds_that_all_have(results: Path, make_record: Make, commit: Commit) -> None:
    commit(make_record("text-double-steps", 2, {"T": WORSE, "I+T": WORSE}))  # text is better in seed 1 alone
    empty = {seed: make_record("ita-ga-cva-empty", seed, {"T": LESS, "I+T": LESS}) for seed in (1, 2)}
    commit(empty[1])
    lines = part(written(results), "The picture's share")
    assert any("no seed of test is common to all, so there is no share" in line for line in lines)
    assert not any(line.startswith("| ita-ga-cva ") for line in lines)
    commit(empty[2])
    lines = part(written(results), "The picture's share")
    assert any(line.startswith("| ita-ga-cva | I+T | ita-ga-cva-empty I+T | test | 2 | +42.86 |") for line in lines)
    assert "- ita-ga-cva, test: 1 left out, seeds that not all rows of the share have" in lines


def test_control_of_other_settings_is_none(results: Path, make_record: Make, commit: Commit) -> None:
    double = make_record("text-double-steps", 1, {"T": GOLD, "I+T": WORSE})
    double["config"]["training"] |= {"passes": 2}
    commit(double)
    lines = part(written(results), "The picture's share")
    assert any(line.startswith("| ita-ga-cva | I+T | text-double-steps T | test | 1 | 0.00 |") for line in lines)
    double["config"]["training"] |= {"encoder_lr": 1e-3}
    commit(double)
    lines = part(written(results), "The picture's share")
    shown = "- text-double-steps: no control of text, its settings are others: training.encoder_lr = 0.001 and 5e-05"
    assert shown in lines and not any(line.startswith("| ita-ga-cva ") for line in lines)


def test_oracle_is_drawn_where_outcomes_are_kept(results: Path) -> None:
    lines = part(written(results), "Oracle: tiny/ita-ga-cva, test")
    assert any(
        line.startswith("| rows | tiny/ita-ga-cva I+T | tiny/text T | 100.00 | 42.86 | 100.00 ± 0.00 |")
        for line in lines
    )
    for path in results.rglob("*.json"):
        record = json.loads(path.read_text())
        del record["outcomes"]
        path.write_text(json.dumps(record))
    assert part(written(results), "Oracle: tiny/ita-ga-cva, test") == []


def test_contexts_of_another_kind_and_what_a_budget_cuts_are_told(make_record: Make, commit: Commit) -> None:
    record = make_record("ita-ga-cva-blip2-tuned", 1, {"T": LESS, "I+T": GOLD})
    record["splits"]["dev"] |= {"posts": 4, "context_subtokens_cut": {"captions": 10}}
    record["config"]["context"] |= {"budget": {"captions": 16}}
    lines = part(written(commit(record).parents[1]), "Scores")
    assert (
        "- ita-ga-cva-blip2-tuned: the captions of a third captioner come first, which at times name who is seen"
        in lines
    )
    shown = "a budget of 16 sub-tokens cuts 2.5 of a dev post's captions on average"
    assert f"- ita-ga-cva-blip2-tuned: {shown}" in lines
