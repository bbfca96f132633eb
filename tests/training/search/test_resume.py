"""A search whose folder is gone goes on from its record as if nothing had happened."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from mner.config import Config
from mner.config.space import Space
from mner.errors import DataError, DivergedError, MnerError
from mner.runs.searches import read_search
from mner.training import Event, train
from mner.training.search import run
from mner.training.search.resume import Recorded
from mner.training.search.study import over
from tests.training.search.conftest import SAME_EPOCHS, SLOW, TEXT, Killed, Make, Search, at, die, press

ROOT = Path(__file__).parents[3]
FEW = Space.model_validate({"training": {"epochs": {"choices": [1, 2]}}})
SPENT = {"seconds", "cpu"}
"""Keys of a trial that two searches do not share."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the search, which a test removes."""
    return tmp_path / "a" / "tune" / "corpus" / "tiny"


@pytest.fixture
def record_path(tmp_path: Path) -> Path:
    """The record of the search, which stays."""
    return tmp_path / "a" / "results" / "tune" / "corpus" / "tiny.json"


def trials(record: Any) -> list[dict[str, Any]]:
    return [{key: row[key] for key in row if key not in SPENT} for row in record["trials"]]


def history(folder: Path) -> list[tuple[Any, ...]]:
    """What the sampler sees of the trials that ended."""
    storage = JournalStorage(JournalFileBackend(str(folder / "trials.jsonl")))
    past = over(optuna.load_study(study_name="search", storage=storage))
    return [(trial.state, trial.values, trial.params, trial.distributions, trial.intermediate_values) for trial in past]


def change(path: Path, act: Callable[[dict[str, Any]], Any]) -> None:
    """Edit a record as ``act`` does."""
    record = json.loads(path.read_text())
    act(record)
    path.write_text(json.dumps(record))


def third_diverges(config: Config, **arguments: Any) -> Path:
    if config.name == "trial-03":
        raise DivergedError("step 3: the loss is nan")
    return train(config, **arguments)


def second_lags(so_far: Sequence[float], epochs: int, whole: Sequence[Any]) -> bool:
    """The second trial is given up after its first epoch."""
    return bool(so_far) and len(whole) == 1


def test_search_without_its_folder_tries_what_a_whole_one_tries(
    search: Search, tiny_config: Make, monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "train", third_diverges)
    monkeypatch.setattr(run.study, "hopeless", second_lags)
    config = tiny_config(training={"epochs": 2, **SLOW}, **TEXT)
    whole = search(config, folder="whole", trials=7, space=FEW)
    with pytest.raises(KeyboardInterrupt):
        search(config, trials=7, space=FEW, watch=at("step", 2, press))
    search(config, trials=5, space=FEW)
    shutil.rmtree(folder)
    events: list[Event] = []
    again = search(config, trials=7, space=FEW, watch=events.append)
    assert events[0].message.endswith("tiny.json: 5 of 7 trials are done")
    assert {row["state"] for row in trials(again.record)} >= {"whole", "pruned", "diverged"}
    assert again.record["trials"][0].pop("broken_off") == ["interrupted"]
    assert whole.record["trials"][0].pop("broken_off") == []
    assert trials(again.record) == trials(whole.record), "the last two are chosen by what the others scored"
    assert history(folder) == history(tmp_path / "whole" / "tune" / "corpus" / "tiny")
    assert again.record["best"] == whole.record["best"] and again.record["trials_done"] == 7


def test_finished_search_without_its_folder_keeps_its_record_and_its_best(search: Search, folder: Path) -> None:
    tuned = search()
    assert tuned.row is not None and tuned.run is not None
    record, best = tuned.record_path.read_bytes(), tuned.row.read_bytes()
    shutil.rmtree(folder)
    again = search()
    assert again.record_path.read_bytes() == record
    assert again.row is not None and again.row.read_bytes() == best
    assert again.run is None, "it was in the folder"
    assert search(trials=4).record["trials_done"] == 4, "the new folder is one as any other"


@pytest.mark.parametrize("number", [2, 4], ids=["first", "second"])
def test_trial_that_was_cut_off_is_begun_again_with_its_values(
    number: int, search: Search, folder: Path, record_path: Path
) -> None:
    for act, cut_off in ((die, Killed), (press, KeyboardInterrupt)):
        with pytest.raises(cut_off):
            search(trials=2, watch=at("step", number if act is die else 1, act))
    unfinished = json.loads(record_path.read_text())["unfinished"]
    shutil.rmtree(folder)
    events: list[Event] = []
    row = search(trials=2, watch=events.append).record["trials"][unfinished["trial"] - 1]
    assert next(event.step for event in events if event.kind == "step") == 1, "its checkpoint is gone"
    assert row["sampled"] == unfinished["sampled"] and row["broken_off"] == ["killed", "interrupted"]


def test_lagging_trial_is_given_up_by_the_scores_on_record(
    search: Search, tiny_config: Make, folder: Path, record_path: Path
) -> None:
    def had_more(record: dict[str, Any]) -> None:
        for row in record["trials"]:
            row["epochs"]["scores"] = [100.5] * row["epochs"]["planned"]

    config = tiny_config(training={"epochs": 2, **SLOW})
    search(config, trials=4, space=SAME_EPOCHS)
    shutil.rmtree(folder)
    change(record_path, had_more)
    last = search(config, trials=5, space=SAME_EPOCHS).record["trials"][-1]
    assert last["state"] == "pruned" and len(last["epochs"]["scores"]) == 1


DAMAGE: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda record: record.pop("fingerprint"), "it lacks 'fingerprint'"),
    (lambda record: record["trials"][0].update(trial=2), "trials: not those numbered 1 to 2"),
    (lambda record: record["trials"][1].update(state="lost"), r"trials\.1\.state: input should be 'whole'"),
    (lambda record: record["trials"][1].update(score=None), "values should be set for a complete trial"),
    (lambda record: record["trials"][1]["sampled"].popitem(), "Inconsistent parameters"),
    (lambda record: record["trials"][1]["sampled"].update({"training.crf_lr": 7.0}), "value 7.0 of parameter"),
]


def test_damaged_record_is_refused(search: Search, folder: Path, record_path: Path) -> None:
    search(trials=2)
    whole = record_path.read_text()
    for damage, why in DAMAGE:
        shutil.rmtree(folder, ignore_errors=True)
        record_path.write_text(whole)
        change(record_path, damage)
        damaged = record_path.read_bytes()
        with pytest.raises(DataError, match=rf"tiny\.json: .*{why}.*restore it from version control.* --restart"):
            search(trials=2)
        assert record_path.read_bytes() == damaged
    assert search(trials=1, restart=True).record["trials_done"] == 1


def test_record_of_an_earlier_version_goes_on_only_with_its_folder(
    search: Search, folder: Path, record_path: Path
) -> None:
    search(trials=1)
    change(record_path, lambda record: record["trials"][0].pop("sampled"))
    assert "sampled" in search(trials=1).record["trials"][0], "the folder knows them"
    change(record_path, lambda record: record["trials"][0].pop("sampled"))
    shutil.rmtree(folder)
    with pytest.raises(MnerError, match=r"tiny\.json: the record of a search by mner 0\.1.*--restart to replace it"):
        search(trials=1)


def test_folder_that_lags_behind_the_record_is_not_written_over_it(
    search: Search, folder: Path, tmp_path: Path, record_path: Path
) -> None:
    search(trials=1)
    folder.rename(tmp_path / "earlier")
    search(trials=2)
    shutil.rmtree(folder)
    (tmp_path / "earlier").rename(folder)
    with pytest.raises(MnerError, match=r"tiny\.json: has 2 trials, .* only 1; to go on from the record remove"):
        search(trials=3)
    assert json.loads(record_path.read_text())["trials_done"] == 2


def test_other_settings_are_refused_without_the_folder_too(search: Search, tiny_config: Make, folder: Path) -> None:
    search(trials=1)
    shutil.rmtree(folder)
    with pytest.raises(MnerError, match="other settings, data or search space"):
        search(tiny_config(training={"epochs": 1, "eps": 1e-8}), trials=1)


@pytest.mark.parametrize("path", sorted((ROOT / "lab/results/tune").glob("*/*.json")), ids=lambda path: path.stem)
def test_committed_records_are_read(path: Path) -> None:
    assert read_search(path, Recorded).trials
