from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mner.errors import DataError
from mner.runs.experiments import read_experiment, read_experiments, seed_folders
from mner.runs.record import RunId, read_record
from tests.records import Commit, Make, write_search

RESULTS = Path(__file__).resolve().parents[2] / "lab" / "results"
FOUND = {"T": [[], [], [], []], "I+T": [[], [], [], []]}


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
    assert [read_experiment(place).seeds for place in places] == [(2, 10), (2, 10)]
    assert [read_experiment(place).seeds for place in (row / "10.json", places[1] / "10")] == [(10,), (10,)]


def test_other_files_beside_records_are_no_records(make_record: Make, commit: Commit) -> None:
    row = commit(make_record("text", 1, FOUND))
    (row / "tuning.json").write_text("{}")
    assert read_experiment(row).seeds == (1,)
    assert list(read_experiments(row.parents[1])) == [("tiny", "text")]


def test_search_of_an_experiment_named_by_digits_is_no_run(make_record: Make, commit: Commit) -> None:
    results = commit(make_record("text", 1, FOUND)).parents[1]
    write_search(results, {"data": "tiny", "row": "2024"})
    assert list(read_experiments(results)) == [("tiny", "text")]
    with pytest.raises(DataError, match=r"experiments in .*: tiny/text$"):
        read_experiment("tiny/absent", results=results)


def test_row_goes_by_its_name_in_a_folder_of_results(
    make_record: Make, commit: Commit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seed in (("text", 2), ("text", 10), ("ita-ga", 1)):
        results = commit(make_record(name, seed, FOUND)).parents[1]
    experiment = read_experiment("tiny/text", results=results)
    assert (experiment.full_name, experiment.seeds) == ("tiny/text", (2, 10))
    assert read_experiment(results / "tiny" / "ita-ga", results=results).seeds == (1,)
    run_directory(tmp_path / "tiny" / "text", make_record("text", 3, FOUND))
    monkeypatch.chdir(tmp_path)
    assert read_experiment("tiny/text", results=results).seeds == (3,), "a path that is there comes first"
    with pytest.raises(
        DataError, match=f"tiny/none: no run record here.*; experiments in {results}: tiny/ita-ga, tiny/text"
    ):
        read_experiment("tiny/none", results=results)


@pytest.mark.parametrize("lacking", ["config", "seconds", "machine", "epochs", "model"])
def test_record_says_what_it_lacks(make_record: Make, commit: Commit, lacking: str) -> None:
    row = commit({key: value for key, value in make_record("text", 1, FOUND).items() if key != lacking})
    with pytest.raises(DataError, match=rf"1\.json: not a run record \(it lacks '{lacking}'\)"):
        read_experiment(row)


def test_unfinished_runs_are_told(make_record: Make, tmp_path: Path) -> None:
    run_directory(tmp_path / "1", make_record("text", 1, FOUND))
    cut = run_directory(tmp_path / "2", None)
    assert read_experiment(tmp_path).unfinished == (cut,)
    assert [path.name for path in seed_folders(tmp_path)] == ["1", "2"]
    with pytest.raises(DataError, match="no finished run yet"):
        read_experiment(cut)


def test_places_that_are_no_row_say_what_they_are(make_record: Make, commit: Commit, tmp_path: Path) -> None:
    rows = [commit(make_record(name, 1, FOUND)) for name in ("ita-ga", "text")]
    with pytest.raises(DataError, match=f"several experiments; name one: {rows[0]}, {rows[1]}"):
        read_experiment(rows[0].parent)
    with pytest.raises(DataError, match="no run record here"):
        read_experiment(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no run records"):
        read_experiments(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "[]", '{"data": "tiny"}'])
def test_damaged_record_is_named(make_record: Make, commit: Commit, text: str) -> None:
    row = commit(make_record("text", 1, FOUND))
    (row / "2.json").write_text(text)
    with pytest.raises(DataError, match=r"2\.json: not a run record"):
        read_experiment(row)


def test_damaged_record_of_a_run_is_trained_again(tmp_path: Path) -> None:
    run = run_directory(tmp_path / "1", {})
    (run / "record.json").write_text('{"data": "tin')
    with pytest.raises(DataError, match=r"record\.json: not a run record .*--restart"):
        read_experiment(tmp_path)


def test_seeds_of_one_row_belong_together(make_record: Make, commit: Commit) -> None:
    row = commit(make_record("text", 1, FOUND))
    assert commit(make_record("text", 2, FOUND)) == row
    read_experiment(row)  # they differ in seed and threads alone
    other = make_record("text", 2, FOUND)
    other["config"]["training"]["epochs"] = 3
    commit(other)
    with pytest.raises(DataError, match=r"1\.json and .*2\.json: .* different settings: training\.epochs = 2 and 3"):
        read_experiment(row)
    other = make_record("text", 2, FOUND)
    other["config"]["training"]["ema"] = 0.0
    other["config"]["context"] = {"substitute": "none"}
    commit(other)
    read_experiment(row)  # what the first record lacks has its default
    for section, key, value in (("training", "ema", 0.99), ("loss", "teacher", "runs/a/b/1")):
        other = make_record("text", 2, FOUND)
        other["config"][section][key] = value
        commit(other)
        with pytest.raises(DataError, match=rf"different settings: {section}\.{key} = (0\.0|None) and {value}"):
            read_experiment(row)
    for seed, read in ((1, "aaaaaaaaaaaa"), (2, "bbbbbbbbbbbb")):
        other = make_record("ita", seed, FOUND)
        other["splits"]["dev"]["contexts_fingerprint"] = read
        ita = commit(other)
    with pytest.raises(
        DataError, match=r"seeds of one experiment read different contexts of dev: aaaaaaaaaaaa and bbbbbbbbbbbb"
    ):
        read_experiment(ita)
    other = make_record("text", 2, FOUND, scored=("dev",))
    other["splits"]["dev"]["fingerprint"] = "0" * 12
    commit(other)
    with pytest.raises(DataError, match="saw different data: dev@"):
        read_experiment(row)


@pytest.mark.parametrize("split", ["dev", "test"])
def test_seeds_scored_otherwise_have_no_mean(make_record: Make, commit: Commit, split: str) -> None:
    row = commit(make_record("text", 1, FOUND))
    commit(make_record("text", 2, FOUND, scored=("dev",)))
    record = make_record("text", 3, FOUND)
    for scores in record[split].values():
        scores["fingerprint"] = "0" * 12
    commit(record)
    message = r"1\.json and .*3\.json: seeds .* were scored differently: data tiny/.* and tiny/.*@000000\. They cannot"
    with pytest.raises(DataError, match=message):
        read_experiment(row)
    commit(make_record("text", 3, FOUND))
    assert len(read_experiment(row).f1("test", "T")) == 2, "a seed without test scores takes no part"


def test_trained_views_are_those_of_the_loss(make_record: Make, commit: Commit) -> None:
    assert read_experiment(commit(make_record("text", 1, FOUND))).trained == ("T",)
    assert read_experiment(commit(make_record("ita-ga-cva", 1, FOUND))).trained == ("T", "I+T")


@pytest.mark.parametrize("path", sorted(RESULTS.glob("twitter*/*/*.json")), ids=lambda path: "/".join(path.parts[-3:]))
def test_every_committed_record_comes_back_as_it_was(path: Path, tmp_path: Path) -> None:
    record = read_record(path)
    record.write(tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads(path.read_text())
    for split in ("dev", "test"):
        for view, scores in (record.scores(split) or {}).items():
            assert str(record.signature(split, view)) == scores.signature


def test_older_records_get_their_identity_from_a_file(make_record: Make, commit: Commit) -> None:
    record = make_record("text-mpnet-tuned", 1, FOUND)
    del record["identity"]
    results = commit(record).parents[1]
    assert read_experiments(results)["tiny", "text-mpnet-tuned"].identity.experiment == "text-mpnet-tuned"
    table = '[tiny.text-mpnet-tuned]\nexperiment = "text"\nvariant = "mpnet"\ntuned = true\n'
    (results / "experiments.toml").write_text(table)
    identity = read_experiments(results)["tiny", "text-mpnet-tuned"].identity
    assert (identity.experiment, identity.variant, identity.tuned) == ("text", "mpnet", True)
    (results / "experiments.toml").write_text("tiny = 3")
    with pytest.raises(DataError, match=r"experiments\.toml: expected tables"):
        read_experiments(results)


@pytest.mark.parametrize("text", ["", "a/b", "a/b/c", "a/b/1/2", "a/b/-1"])
def test_run_that_is_no_run_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected DATA/NAME/SEED"):
        RunId.parse(text)


def test_name_with_an_at_sign_is_read_back() -> None:
    for run in (RunId("cor@pus", "text@v2", 1, "5f0c"), RunId("corpus", "text@v2", 12)):
        assert RunId.parse(str(run)) == run
