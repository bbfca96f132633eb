from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mner.errors import DataError
from mner.evaluation.records import read_row, read_rows, seed_folders

FOUND = {"T": [[], [], [], []], "I+T": [[], [], [], []]}

Make = Callable[..., dict[str, Any]]
Commit = Callable[[Mapping[str, Any]], Path]


def run_directory(folder: Path, record: Mapping[str, Any] | None) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.toml").touch()
    if record is not None:
        (folder / "record.json").write_text(json.dumps(record))
    return folder


def test_every_kind_of_place_is_read(make_record: Make, commit: Commit, tmp_path: Path) -> None:
    for seed in (2, 10):
        row = commit(make_record("text", seed, FOUND))
        run_directory(tmp_path / "runs" / "tiny" / "text" / str(seed), make_record("text", seed, FOUND))
    places = [row, tmp_path / "runs" / "tiny" / "text"]
    assert [read_row(place).seeds for place in places] == [(2, 10), (2, 10)]
    assert [read_row(place).seeds for place in (row / "10.json", places[1] / "10")] == [(10,), (10,)]


def test_other_files_beside_records_are_no_records(make_record: Make, commit: Commit) -> None:
    row = commit(make_record("text", 1, FOUND))
    (row / "tuning.json").write_text("{}")
    assert read_row(row).seeds == (1,)
    assert list(read_rows(row.parents[1])) == [("tiny", "text")]


def test_row_goes_by_its_name_in_a_folder_of_results(
    make_record: Make, commit: Commit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seed in (("text", 2), ("text", 10), ("ita-ga", 1)):
        results = commit(make_record(name, seed, FOUND)).parents[1]
    found = read_row("tiny/text", results=results)
    assert (found.full_name, found.seeds) == ("tiny/text", (2, 10))
    assert read_row(results / "tiny" / "ita-ga", results=results).seeds == (1,)
    run_directory(tmp_path / "tiny" / "text", make_record("text", 3, FOUND))
    monkeypatch.chdir(tmp_path)
    assert read_row("tiny/text", results=results).seeds == (3,), "a path that is there comes first"
    with pytest.raises(DataError, match=f"tiny/none: no run record here.*; rows in {results}: tiny/ita-ga, tiny/text"):
        read_row("tiny/none", results=results)


@pytest.mark.parametrize("lacking", ["config", "seconds", "machine", "epochs", "model"])
def test_record_says_what_it_lacks(make_record: Make, commit: Commit, lacking: str) -> None:
    row = commit({key: value for key, value in make_record("text", 1, FOUND).items() if key != lacking})
    with pytest.raises(DataError, match=rf"1\.json: not a run record \(it lacks '{lacking}'\)"):
        read_row(row)


def test_unfinished_runs_are_told(make_record: Make, tmp_path: Path) -> None:
    run_directory(tmp_path / "1", make_record("text", 1, FOUND))
    cut = run_directory(tmp_path / "2", None)
    assert read_row(tmp_path).unfinished == (cut,)
    assert [path.name for path in seed_folders(tmp_path)] == ["1", "2"]
    with pytest.raises(DataError, match="no finished run yet"):
        read_row(cut)


def test_places_that_are_no_row_say_what_they_are(make_record: Make, commit: Commit, tmp_path: Path) -> None:
    rows = [commit(make_record(name, 1, FOUND)) for name in ("ita-ga", "text")]
    with pytest.raises(DataError, match=f"several rows; name one: {rows[0]}, {rows[1]}"):
        read_row(rows[0].parent)
    with pytest.raises(DataError, match="no run record here"):
        read_row(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no run records"):
        read_rows(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "[]", '{"data": "tiny"}'])
def test_damaged_record_is_named(make_record: Make, commit: Commit, text: str) -> None:
    row = commit(make_record("text", 1, FOUND))
    (row / "2.json").write_text(text)
    with pytest.raises(DataError, match=r"2\.json: not a run record"):
        read_row(row)


def test_damaged_record_of_a_run_is_trained_again(tmp_path: Path) -> None:
    run = run_directory(tmp_path / "1", {})
    (run / "record.json").write_text('{"data": "tin')
    with pytest.raises(DataError, match=r"record\.json: not a run record .*--restart"):
        read_row(tmp_path)


def test_seeds_of_one_row_belong_together(make_record: Make, commit: Commit) -> None:
    row = commit(make_record("text", 1, FOUND))
    assert commit(make_record("text", 2, FOUND)) == row
    read_row(row)  # they differ in seed and threads alone
    other = make_record("text", 2, FOUND)
    other["config"]["training"]["epochs"] = 3
    commit(other)
    with pytest.raises(DataError, match=r"1\.json and .*2\.json: .* different settings: training\.epochs = 2 and 3"):
        read_row(row)
    other = make_record("text", 2, FOUND)
    other["config"]["training"]["ema"] = 0.0
    other["config"]["context"] = {"substitute": "none"}
    commit(other)
    read_row(row)  # what the first record lacks has its default
    for section, key, value in (("training", "ema", 0.99), ("loss", "teacher", "runs/a/b/1")):
        other = make_record("text", 2, FOUND)
        other["config"][section][key] = value
        commit(other)
        with pytest.raises(DataError, match=rf"different settings: {section}\.{key} = (0\.0|None) and {value}"):
            read_row(row)
    for seed, read in ((1, "aaaaaaaaaaaa"), (2, "bbbbbbbbbbbb")):
        other = make_record("ita", seed, FOUND)
        other["splits"]["dev"]["contexts_fingerprint"] = read
        ita = commit(other)
    with pytest.raises(
        DataError, match=r"seeds of one row read different contexts of dev: aaaaaaaaaaaa and bbbbbbbbbbbb"
    ):
        read_row(ita)
    other = make_record("text", 2, FOUND, scored=("dev",))
    other["splits"]["dev"]["fingerprint"] = "0" * 12
    commit(other)
    with pytest.raises(DataError, match="saw different data: dev@"):
        read_row(row)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_seeds_scored_otherwise_have_no_mean(make_record: Make, commit: Commit, split: str) -> None:
    row = commit(make_record("text", 1, FOUND))
    commit(make_record("text", 2, FOUND, scored=("dev",)))
    changes = {"data=tiny": "data=other", "scheme=iob2-repaired": "scheme=iob2-strict", "match=exact": "match=part"}
    for one, other in (changes | {"decode=unconstrained": "decode=constrained"}).items():
        record = make_record("text", 3, FOUND)
        for scores in record[split].values():
            scores["signature"] = scores["signature"].replace(one, other)
        commit(record)
        key, value = one.split("=")
        told = (
            rf"1\.json and .*3\.json: seeds of one row were scored otherwise: {key} {value}.* and {other.split('=')[1]}"
        )
        with pytest.raises(DataError, match=told):
            read_row(row)
    commit(make_record("text", 3, FOUND))
    assert len(read_row(row).f1("test", "T")) == 2, "a seed without test scores takes no part"


def test_trained_views_are_those_of_the_loss(make_record: Make, commit: Commit) -> None:
    assert read_row(commit(make_record("text", 1, FOUND))).trained == ("T",)
    assert read_row(commit(make_record("ita-ga-cva", 1, FOUND))).trained == ("T", "I+T")
