"""The first pages of the results say what the tables behind them say."""

from __future__ import annotations

import re
from statistics import fmean, stdev

import pytest

from lab import summary
from lab.report import RESULTS, ROOT
from mner.runs import read_experiments
from mner.runs.record import RunRecord
from mner.runs.searches import read_searches


@pytest.fixture(scope="module")
def first() -> str:
    return summary.results(RESULTS)["results.md"]


def test_claim_names_gain_interval_and_verdict(first: str) -> None:
    claims = first.partition("## What is claimed")[2].partition("## ")[0]
    lines = [line for line in claims.splitlines() if line.startswith("- ")]
    assert len(lines) == 4
    for line in lines:
        assert re.search(r"[+−]\d\.\d\d \(.* against .*; 95 % interval .* to .*, \d seeds\): ", line), line
    assert lines[0].endswith("both tests call it a gain.")
    assert lines[3].endswith("no gain by both tests.")


def test_figures_are_those_of_the_tables(first: str) -> None:
    tables = (ROOT / "docs" / "results-tables.md").read_text(encoding="utf-8")
    before, _, share = first.partition("## The picture's share")
    figures = re.findall(r"\d\d\.\d\d ± \d\.\d\d", before)
    assert figures
    assert [figure for figure in figures if figure not in tables] == []
    differences = re.findall(r": ([+\u2212]\d\.\d\d) \((\d\d\.\d\d) ± \S+ against (\d\d\.\d\d) ± ", before + share)
    assert len(differences) >= 5
    for difference, ours, theirs in differences:  # means of the seeds that are compared, each rounded by itself
        assert abs(float(difference.replace("\u2212", "-")) - (float(ours) - float(theirs))) < 0.011


def test_systems_without_a_picture_are_compared_with_the_words_alone() -> None:
    page = summary.paper(RESULTS)["paper.md"]
    table = page.partition("## The systems it compares with, without a picture")[2]
    views = dict(line.split(" | ")[1:3] for line in table.splitlines() if "-tuned | " in line)
    assert (views["text-pad-tuned"], views["umt-zeroed-tuned"]) == ("T", "I+T")
    (text,) = (search for search in read_searches(RESULTS) if search.name == "text")
    assert text.best is not None and text.best <= 8, "the page says so"


def test_versions_and_verdicts_that_dev_does_not_share_stand_below_the_systems() -> None:
    rows = read_experiments(RESULTS)
    trained, *on_dev = summary.caveats(rows, summary.LAYERS)
    by_version = dict(part.split(": ") for part in trained.removeprefix("Trained by mner ").rstrip(".").split("; by "))
    for version, names in by_version.items():
        for name in names.split(", "):
            versions = {record.versions["mner"] for record in rows["twitter15", name].records}
            assert versions == set(version.split(" and ")), name
    assert {name for names in by_version.values() for name in names.split(", ")} >= {"text-tuned", "umt-zeroed-tuned"}
    (said,) = [line for line in on_dev if line.startswith("On dev, rpbert-zeroed-tuned I+T over text-tuned: ")]
    assert said.endswith(": no gain by both tests.")
    gain, interval = re.search(r": (\S+) \(.* interval (.*), \d seeds\)", said).groups()
    tables = (ROOT / "docs" / "results-tables.md").read_text(encoding="utf-8")
    assert re.search(
        rf"\| rpbert-zeroed-tuned \| I\+T \| text-tuned .* dev .*{re.escape(gain)}.*{re.escape(interval)}", tables
    )
    page = summary.paper(RESULTS)["paper.md"].partition("## The systems it compares with, without a picture")[2]
    assert f"- {trained}\n- {said}\n" in page


def test_loss_is_no_gain() -> None:
    page = summary.paper(RESULTS)["paper.md"]
    (row,) = [line.split(" | ") for line in page.splitlines() if "| text-pad-tuned |" in line]
    assert row[4].startswith("\u2212") and row[-1] == "loss |"
    assert "It counts as a loss where" in page
    rows = read_experiments(RESULTS)
    ((_, _, views),) = summary.gains(rows, [("text-pad-tuned", "text-tuned", "")])
    assert summary.sentence(views["T"]).endswith("both tests call it a loss.")
    ((_, _, views),) = summary.gains(rows, [("text-double-steps-tuned", "text-tuned", "")])
    assert summary.sentence(views["T"]).endswith("no loss by both tests.")


def test_charts_are_small_and_load_nothing() -> None:
    for page in (summary.results(RESULTS), summary.paper(RESULTS)):
        [chart] = [text for name, text in page.items() if name.endswith(".svg")]
        assert chart.startswith("<svg") and chart.count("<rect") > 5
        assert re.findall(r"(?:href|url\()[^>]*//", chart) == []


def test_searches_had_as_many_trials_as_the_first_page_says(first: str) -> None:
    trials = {search.name: search.trials_done for search in read_searches(RESULTS)}
    assert f"{trials['text']} trials for MiniLM, {trials['text-e5']} for e5" in first


def test_page_on_encoders_says_what_the_table_says() -> None:
    page = " ".join((ROOT / "docs" / "howto" / "rows.md").read_text(encoding="utf-8").split())
    assert "e5 is better by about one point of F1" in page and "MPNet by nearly three" in page
    compared = {called: views["T"] for called, _, views in summary.gains(read_experiments(RESULTS), summary.ENCODERS)}
    differences = {called: comparison.lines[0].difference for called, comparison in compared.items()}
    assert all(
        (0.5 if "e5" in called else 2.5) < value < (1.5 if "e5" in called else 3.1)
        for called, value in differences.items()
    )
    assert len(differences) == 4


def test_page_on_layers_says_what_the_records_say() -> None:
    page = " ".join((ROOT / "docs" / "howto" / "rows.md").read_text(encoding="utf-8").split())
    rows = read_experiments(RESULTS)
    nine = rows["twitter15", "text-e5-nine-layers-tuned"].records
    seeds = {record.seed for record in nine}
    twelve = [record for record in rows["twitter15", "text-e5-tuned"].records if record.seed in seeds]
    assert len(nine) == len(twelve) == 3
    assert all(record.config["model"]["layers"] == 9 for record in nine)
    said = [[record.dev["T"].micro.f1 for record in records] for records in (nine, twelve)]
    of_nine, of_twelve = (f"{fmean(values):.2f} ± {stdev(values):.2f}" for values in said)
    assert f"F1 is {of_nine} with nine layers and {of_twelve} with twelve" in page


def test_page_on_memory_says_what_the_records_say() -> None:
    page = " ".join((ROOT / "docs" / "howto" / "own-data.md").read_text(encoding="utf-8").split())
    rows = read_experiments(RESULTS)
    of = {
        (name.removesuffix("-tuned"), record.seed): record
        for name in ("ita-ga-cva-e5-tuned", "ita-ga-cva-e5-shuffled-tuned")
        for record in rows["twitter15", name].records
    }
    plain = [of["ita-ga-cva-e5", 1], of["ita-ga-cva-e5", 2]]
    spared = [of["ita-ga-cva-e5", 3], of["ita-ga-cva-e5-shuffled", 1]]
    tokens, memory, seconds = (
        [sum(each(record) for record in records) / 2 for records in (spared, plain)]
        for each in (_tokens, lambda record: record.peak_memory_mib / 1024, lambda record: record.cpu_seconds)
    )
    assert abs(tokens[0] / tokens[1] - 1) < 0.001
    assert f"took {memory[0]:.1f} GiB in place of {memory[1]:.1f}" in page
    assert f"{seconds[0]:,.0f} s in place of {seconds[1]:,.0f}" in page
    assert {record.machine.cpu for record in (*plain, *spared)} == {plain[0].machine.cpu}


def _tokens(record: RunRecord) -> float:
    return sum(float(epoch["tokens"]) for epoch in record.epochs)
