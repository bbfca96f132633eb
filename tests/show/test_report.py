"""The report of runs and its page: what they say is what the records hold, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mner.errors import DataError
from mner.show import tables
from mner.show.report import ABOUT, TITLE, sections
from tests.records import GOLD, LESS, WORSE, Commit, Make


@pytest.fixture
def results(make_record: Make, commit: Commit) -> Path:
    """Two seeds of text and ita-ga-cva, one use of the test split each."""
    for seed, text in ((1, LESS), (2, WORSE)):
        commit(make_record("text", seed, {"T": text, "I+T": WORSE}))
        folder = commit(make_record("ita-ga-cva", seed, {"T": LESS, "I+T": GOLD})).parents[1]
    uses = [{"date": f"2026-01-0{n}", "run": f"tiny/text/{n}", "config": "c", "model": f"m{n}"} for n in (1, 2, 2)]
    (folder / "test-uses.jsonl").write_text("".join(json.dumps(use) + "\n" for use in uses))
    return folder


def written(results: Path) -> str:
    return tables.markdown(TITLE, ABOUT, sections(results))


def part(text: str, title: str) -> list[str]:
    """The lines of a part."""
    return text.partition(f"### {title}\n")[2].partition("\n#")[0].splitlines()


def test_report_does_not_depend_on_where_it_stands(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absolute = written(results)
    monkeypatch.chdir(results.parent)
    assert written(Path("results")) == absolute
    assert str(results) not in absolute


def test_scores_are_means_with_sample_deviations(results: Path) -> None:
    lines = part(written(results), "Scores")
    # text T: seed 1 finds 2 of 4 with 3 predicted, F1 4/7; seed 2 finds 1 of 4 with 3 predicted, F1 2/7.
    assert (
        "| text | tiny | as configured | 2 | 42.86 ± 20.20 | (28.57 ± 0.00) | 42.86 ± 20.20 | (28.57 ± 0.00) |" in lines
    )
    assert (
        "| ita-ga-cva | tiny | as configured | 2 | 57.14 ± 0.00 | 100.00 ± 0.00 | 57.14 ± 0.00 | 100.00 ± 0.00 |"
        in lines
    )
    signed = [line for line in lines if line.startswith("- text, test: `f1=42.86 sd=20.20 view=T ")]
    assert len(signed) == 1 and "data=tiny/test@" in signed[0] and "seeds=2" in signed[0]


def test_runs_of_another_number_format_are_named(results: Path, make_record: Make, commit: Commit) -> None:
    assert "Computed in" not in written(results), "all are alike"
    commit(make_record("text", 2, {"T": LESS, "I+T": LESS}, precision="bf16"))
    commit(make_record("text-pad", 1, {"T": LESS, "I+T": LESS}, precision="bf16"))
    assert "- Computed in bf16, all others in fp32: text (seeds 2), text-pad" in part(written(results), "Scores")


def test_rows_on_some_of_the_posts_have_no_score_among_the_others(
    results: Path, make_record: Make, commit: Commit
) -> None:
    record = make_record("text-2", 1, {"T": LESS, "I+T": LESS})
    record["config"]["data"] = {"train_posts": 2}
    commit(record)
    text = written(results)
    assert not any(line.startswith("| text-2 ") for title in ("Scores", "By label, test") for line in part(text, title))
    assert any(line.startswith("| text-2 | 1 |") for line in part(text, "Runs"))


def test_report_of_rows_on_some_of_the_posts_alone(make_record: Make, commit: Commit) -> None:
    record = make_record("text-2", 1, {"T": LESS, "I+T": LESS})
    record["config"]["data"] = {"train_posts": 2}
    text = written(commit(record).parents[1])
    assert "### Scores" not in text
    assert any(line.startswith("| text-2 | 1 |") for line in part(text, "Runs"))


def test_what_a_budget_cuts_is_told(make_record: Make, commit: Commit) -> None:
    record = make_record("ita-ga-cva", 1, {"T": LESS, "I+T": GOLD})
    record["splits"]["dev"] |= {"posts": 4, "context_subtokens_cut": {"captions": 10}}
    record["config"]["context"] = {"budget": {"captions": 16}}
    lines = part(written(commit(record).parents[1]), "Scores")
    assert "- ita-ga-cva: a budget of 16 sub-tokens cuts 2.5 of a dev post's captions on average" in lines


def test_what_an_input_cuts_without_a_budget_is_told(make_record: Make, commit: Commit) -> None:
    record = make_record("ita-ga-cva", 1, {"T": LESS, "I+T": GOLD})
    record["splits"]["dev"] |= {"posts": 4, "context_subtokens_cut": {"captions": 10}}
    record["config"]["context"] = {"budget": {"tags": 16}}
    lines = part(written(commit(record).parents[1]), "Scores")
    assert "- ita-ga-cva: the length of an input cuts 2.5 sub-tokens of a dev post's captions on average" in lines


def test_rows_are_compared_with_the_text_alone(results: Path) -> None:
    lines = part(written(results), "Against the text alone")
    (row,) = [line for line in lines if line.startswith("| ita-ga-cva | I+T | text T | test | 1 2 | +57.14 |")]
    interval, p_bootstrap, p_t = (cell.strip() for cell in row.split("|")[7:10])
    assert " to " in interval and float(p_bootstrap) <= 1 and p_t == "0.057"
    assert any("`delta=+57.14 ci95=[" in line for line in lines)


def test_baseline_goes_by_its_name_or_identity(results: Path, make_record: Make, commit: Commit) -> None:
    tuned = {"experiment": "text", "tuned": True}
    commit(make_record("text-tuned", 1, {"T": WORSE, "I+T": WORSE}, identity=tuned))
    tuned = {"experiment": "ita-ga-cva", "tuned": True}
    commit(make_record("ita-tuned", 1, {"T": LESS, "I+T": GOLD}, identity=tuned))
    for baseline, rows in (("text", {"ita-ga-cva", "text-tuned", "ita-tuned"}), ("text-tuned", {"ita-tuned"})):
        text = tables.markdown(TITLE, ABOUT, sections(results, baseline=baseline))
        lines = [line.split(" | ") for line in part(text, "Against the text alone") if " | test | " in line]
        assert {line[0].removeprefix("| ") for line in lines} == rows
    text = tables.markdown(TITLE, ABOUT, sections(results, baseline="ita-ga-cva"))
    assert part(text, "Against ita-ga-cva") and not part(text, "Against the text alone")
    with pytest.raises(DataError, match='no experiment "txt"; experiments: ita-ga-cva, ita-tuned, text, text-tuned'):
        sections(results, baseline="txt")


def test_rows_on_another_encoder_have_a_baseline_of_their_own(results: Path, make_record: Make, commit: Commit) -> None:
    mpnet = {"encoder": {"name": "mpnet"}}
    commit(make_record("ita-ga-cva-mpnet", 1, {"T": LESS, "I+T": GOLD}, **mpnet))
    assert not any("mpnet" in line for line in part(written(results), "Against the text alone"))
    commit(make_record("text-mpnet", 1, {"T": WORSE, "I+T": WORSE}, **mpnet))
    against = [
        line for line in part(written(results), "Against the text alone") if line.startswith("| ita-ga-cva-mpnet")
    ]
    assert against and all("| text-mpnet T |" in line for line in against)


def test_rows_with_an_option_are_compared_with_the_text_that_has_it(
    results: Path, make_record: Make, commit: Commit
) -> None:
    commit(make_record("text-new", 1, {"T": GOLD, "I+T": WORSE}, identity={"experiment": "text", "variant": "new"}))
    commit(
        make_record(
            "ita-ga-cva-new", 1, {"T": LESS, "I+T": GOLD}, identity={"experiment": "ita-ga-cva", "variant": "new"}
        )
    )
    lines = part(written(results), "Against the text alone")
    for row, baseline in (("ita-ga-cva-new", "text-new"), ("text-new", "text"), ("ita-ga-cva", "text")):
        against = [line for line in lines if line.startswith(f"| {row} |")]
        assert against and all(f"| {baseline} T |" in line for line in against)


def test_rows_that_cannot_be_compared_are_reported_not_hidden(results: Path, make_record: Make, commit: Commit) -> None:
    commit(make_record("ita-ga", 1, {"T": LESS, "I+T": GOLD}, decode="constrained"))
    notes = [line for line in part(written(results), "Against the text alone") if "not comparable" in line]
    assert notes and "tiny/ita-ga/1.json and tiny/text/1.json" in notes[0] and "decode" in notes[0]


def test_seeds_without_test_scores_do_not_hide_the_others(results: Path, make_record: Make, commit: Commit) -> None:
    commit(make_record("text", 3, {"T": LESS, "I+T": LESS}, scored=("dev",)))
    text = written(results)
    assert "| text | tiny | as configured | 3 | 47.62 ± 16.50 | (38.10 ± 16.50) | 42.86 ± 20.20, 2 seeds |" in text
    assert "| ita-ga-cva | I+T | text T | test | 1 2 | +57.14 |" in text


def test_labels_cost_and_uses_are_told(results: Path) -> None:
    text = written(results)
    assert "| ita-ga-cva | I+T | 100.0 / 100.0 / 100.0 | 100.0 / 100.0 / 100.0 |" in part(text, "By label, test")
    assert "| text | a CPU (avx2), 2 cores, fp32 | 1.5 | 2 | 1.5 | 2.5 | 102 |" in part(text, "Cost")
    assert "| text | 2 | c2 | m2 | 2026-01-01 | 1 of 2 |" in part(text, "Runs")
    assert text.endswith("| tiny/text | 2026-01-02 | 2 | 3 |\n")


def test_damaged_log_of_uses_is_named(results: Path) -> None:
    with (results / "test-uses.jsonl").open("a") as stream:
        stream.write('{"run": ')
    with pytest.raises(DataError, match=r"test-uses\.jsonl:4: not a use of a test split"):
        sections(results)
    (results / "test-uses.jsonl").write_bytes(b"\xff\n")
    with pytest.raises(DataError, match=r"test-uses\.jsonl: not the uses of test splits"):
        sections(results)


def test_page_holds_every_cell_of_the_tables(results: Path, parse: Callable[[str], Any]) -> None:
    record = sections(results)
    result = parse(tables.page(TITLE, ABOUT, record))
    lines_shown = [data for path, data in result.texts if path and path[-1].partition(".")[0] in {"th", "td"}]
    parts = [each for section in record for each in section.parts]
    shown = [each.table for each in parts if each.table is not None]
    assert lines_shown == [cell for table in shown for row in (table.columns, *table.rows) for cell in row]
    signed = [data for path, data in result.texts if path[-2:] == ("dd", "code")]
    assert signed == [signature for each in parts for _, signature in each.signatures]
    links = [link["href"] for link in result.attributes_of("a")]
    assert links == ["#tiny", "#uses-of-the-test-splits"]
    assert {section.get("id") for section in result.attributes_of("section")} == {link[1:] for link in links}


def test_page_stands_alone_on_a_phone_by_day_and_night(results: Path, parse: Callable[[str], Any]) -> None:
    source = tables.page(TITLE, ABOUT, sections(results))
    result = parse(source)
    assert [each for tag in ("link", "script", "img", "iframe") for each in result.attributes_of(tag)] == []
    assert "http" not in source and "@import" not in source and "url(" not in source
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in result.attributes_of("meta")
    assert "prefers-color-scheme: dark" in source and "max-width: 760px" in source
    assert all(
        "scroll" in (each.get("class") or "") for each in result.attributes_of("div") if each.get("role") == "region"
    )


def test_no_cell_is_hidden_beyond_the_edge(results: Path, parse: Callable[[str], Any]) -> None:
    source = tables.page(TITLE, ABOUT, sections(results))
    rules = re.findall(r"(\.(?:figures|stacks)[^{}]*)\{([^}]*)\}", source)
    assert [selector.strip() for selector, rule in rules if "nowrap" in rule] == [".figures .number"], "words wrap"
    result = parse(source)
    parts = [each for section in sections(results) for each in section.parts if each.table is not None]
    assert len(result.attributes_of("table")) == len(parts)
    named = [cell["data-column"] for cell in result.attributes_of("td")]
    assert named == [name for each in parts if each.table for _ in each.table.rows for name in each.table.columns[1:]]
    wide = [str(each["class"]) for each in result.attributes_of("table")]
    assert ["stacks" in each for each in wide] == [
        len(each.table.columns) > 4 or all(each.table.words) for each in parts if each.table
    ], "on a phone the cells of a wide table stand below one another, each behind its column's name"


def test_uses_of_a_row_with_an_at_sign_are_counted(make_record: Make, commit: Commit) -> None:
    folder = commit(make_record("text@v2", 1, {"T": LESS, "I+T": WORSE})).parents[1]
    use = {"date": "2026-01-01", "run": "tiny/text@v2/1", "config": "c", "model": "m"}
    (folder / "test-uses.jsonl").write_text(json.dumps(use) + "\n")
    assert "| tiny/text@v2 | 2026-01-01 | 1 | 1 |" in written(folder)


def test_foreign_names_are_text(make_record: Make, commit: Commit, parse: Callable[[str], Any]) -> None:
    evil = '<script>alert(1)</script>|"{{ 7*7 }}`\x1b[31m'
    record = make_record("text", 1, {"T": LESS, "I+T": WORSE}, encoder={"name": evil})
    written = sections(commit(record).parents[1])
    result = parse(tables.page(TITLE, ABOUT, written))
    assert result.attributes_of("script") == []
    assert '<script>alert(1)</script>|"{{ 7*7 }}`\ufffd[31m' in result.text()
    lines = tables.markdown(TITLE, ABOUT, written).splitlines()
    (row,) = [line for line in lines if line.startswith("| text | ") and "alert" in line]
    assert row.count("|") - row.count("\\|") == 9 and "\x1b" not in row
    assert not any("<script" in line or "\x1b" in line for line in lines)


def test_calibration_is_shown_where_all_records_of_a_row_have_it(make_record: Make, commit: Commit) -> None:
    for seed, ece in ((1, 4.0), (2, 6.0)):
        record = make_record("ita-ga-cva", seed, {"T": LESS, "I+T": GOLD})
        record["test"]["T"]["calibration"] = {"micro": {"ece": ece, "brier": 0.125}, "labels": {}}
        if seed == 1:
            record["test"]["I+T"]["calibration"] = {"micro": {"ece": 1.0, "brier": 0.1}, "labels": {}}
        folder = commit(record).parents[1]
    lines = part(written(folder), "Calibration, test")
    assert "| ita-ga-cva | T | 5.00 ± 1.41 | 0.1250 |" in lines
    assert not any(line.startswith("| ita-ga-cva | I+T ") for line in lines)
