"""A search end to end on a tiny encoder: what it tries, what it leaves behind, that a broken one continues."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mner import config as configs
from mner.config import Config
from mner.errors import DivergedError, MnerError
from mner.runs import read_experiments
from mner.training import Event, train
from mner.training.search import Tuned, run
from tests.training.search.conftest import (
    SAME_EPOCHS,
    SLOW,
    TEXT,
    Killed,
    Make,
    Search,
    at,
    die,
    press,
    scores,
    settings,
)


def runs(tuned: Tuned) -> list[str]:
    assert tuned.run is not None
    return sorted(path.name for path in tuned.run.parents[1].iterdir())


def test_search_tries_the_configuration_first_and_records_every_trial(search: Search, tmp_path: Path) -> None:
    events: list[Event] = []
    tuned = search(watch=events.append)
    record = json.loads(tuned.record_path.read_text())
    assert tuned.record_path == tmp_path / "a" / "results" / "tune" / "corpus" / "tiny.json"
    assert record == tuned.record
    assert (record["trials_asked"], record["trials_done"], record["unfinished"]) == (3, 3, None)
    assert (
        record["seed"] == 1
        and record["machine"]["cpu"]
        and record["space_fingerprint"]
        and record["versions"]["optuna"]
    )
    first, *others = record["trials"]
    assert first["settings"] == {} and all(row["settings"].keys() >= {"training.encoder_lr"} for row in others)
    for row in record["trials"]:
        assert row["state"] == "whole" and row["score"] == pytest.approx(
            (row["dev"]["T"]["f1"] + row["dev"]["I+T"]["f1"]) / 2, abs=1e-3
        )
        assert all(f"view={view} " in scores_of_view["signature"] for view, scores_of_view in row["dev"].items())
        assert "data=corpus/dev@" in row["dev"]["T"]["signature"]
    assert record["best"] == 1 + scores(tuned).index(max(scores(tuned)))
    assert (
        next(event.message for event in events if event.kind == "trial") == "trial 1 of 3: the configuration as it is"
    )


def test_first_trial_is_what_train_makes_of_the_configuration(
    search: Search, tiny_config: Make, corpus: Path, tmp_path: Path
) -> None:
    config = tiny_config(training={"epochs": 2, **SLOW})
    alone = json.loads((train(config, root=corpus, out=tmp_path / "alone") / "record.json").read_text())
    row = search(config, trials=1).record["trials"][0]
    assert {view: scores_of_view["f1"] for view, scores_of_view in row["dev"].items()} == {
        view: scores_of_view["micro"]["f1"] for view, scores_of_view in alone["dev"].items()
    }


def test_best_trial_is_a_row_that_trains_to_the_same_score(search: Search, corpus: Path, tmp_path: Path) -> None:
    tuned = search()
    assert tuned.row is not None and tuned.run is not None
    text = tuned.row.read_text()
    assert "base = " in text and "[data]" not in text and "device" not in text
    row = configs.load(tuned.row)
    assert row.name == "tiny-tuned"
    trained = train(row, root=configs.root_folder(row.data, tuned.row.parent), out=tmp_path / "again")
    again, best = (json.loads((scores_of_view / "record.json").read_text()) for scores_of_view in (trained, tuned.run))
    assert again["dev"] == best["dev"]


def test_only_the_best_run_stays_on_disk(search: Search) -> None:
    tuned = search()
    assert runs(tuned) == [f"trial-{tuned.record['best']:02d}"]
    assert tuned.run is not None and (tuned.run / "model" / "model.json").exists()
    assert not list(tuned.run.rglob("checkpoint*"))


def test_search_never_opens_the_test_split(search: Search, corpus: Path) -> None:
    (corpus / "test.txt").unlink()
    assert search(trials=2).record["trials_done"] == 2
    (corpus / "test.txt").mkdir()  # nothing that could be read
    assert search(trials=3).record["trials_done"] == 3


def test_text_row_is_judged_on_its_words_alone(search: Search, tiny_config: Make) -> None:
    tuned = search(tiny_config(training={"epochs": 1}, **TEXT), trials=2)
    assert tuned.record["judged_on"]["views"] == ["T"]
    assert not [key for key in tuned.record["space"] if key.startswith(("loss.", "context."))]
    assert tuned.record["trials"][1]["score"] == pytest.approx(tuned.record["trials"][1]["dev"]["T"]["f1"], abs=1e-3)


def test_judged_view_may_be_chosen(search: Search) -> None:
    row = search(trials=1, judged=["I+T"]).record["trials"][0]
    assert row["score"] == pytest.approx(row["dev"]["I+T"]["f1"], abs=1e-3)


def test_search_that_was_interrupted_tries_what_a_whole_one_tries(search: Search, tiny_config: Make) -> None:
    config = tiny_config(training={"epochs": 2, **SLOW})
    whole = search(config, folder="whole", trials=3)
    with pytest.raises(KeyboardInterrupt):
        search(config, watch=at("step", 8, press))
    begun: list[Event] = []
    broken = search(config, watch=begun.append)
    assert begun[0].message.startswith("trial 2 of 3")
    assert next(event.step for event in begun if event.kind == "step") > 1, "it goes on from its checkpoint"
    assert settings(broken) == settings(whole) and scores(broken) == scores(whole)
    assert [row["broken_off"] for row in broken.record["trials"]] == [[], ["interrupted"], []]
    assert search(config).record["trials_done"] == 3, "nothing is left to do"


def test_interrupted_search_says_so_in_its_record(search: Search, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        search(watch=at("step", 4, press))
    record = json.loads((tmp_path / "a" / "results" / "tune" / "corpus" / "tiny.json").read_text())
    assert record["trials_done"] == 1
    assert record["unfinished"]["trial"] == 2 and record["unfinished"]["broken_off"] == ["interrupted"]


def test_killed_trial_is_marked_and_tried_again(search: Search, tiny_config: Make) -> None:
    config = tiny_config(training={"epochs": 2, **SLOW})
    whole = search(config, folder="whole", trials=2, space=SAME_EPOCHS)
    with pytest.raises(Killed):
        search(config, trials=2, space=SAME_EPOCHS, watch=at("step", 11, die))
    with pytest.raises(Killed):
        search(config, trials=2, space=SAME_EPOCHS, watch=at("step", 1, die))
    begun: list[Event] = []
    broken = search(config, trials=2, space=SAME_EPOCHS, watch=begun.append)
    assert next(event.step for event in begun if event.kind == "step") == 4, "from the checkpoint of its first epoch"
    assert settings(broken) == settings(whole) and scores(broken) == scores(whole)
    assert broken.record["trials"][1]["broken_off"] == ["killed", "killed"]


def test_trial_whose_run_was_finished_before_the_process_died_is_not_trained_again(
    search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_keep", lambda *arguments: die())
    with pytest.raises(Killed):
        search(trials=1)
    monkeypatch.undo()
    events: list[Event] = []
    tuned = search(trials=1, watch=events.append)
    assert not [event for event in events if event.kind == "step"]
    assert tuned.record["trials"][0]["score"] is not None


def test_half_a_line_of_the_journal_is_forgotten(search: Search, tmp_path: Path) -> None:
    first = search(trials=1)
    journal = tmp_path / "a" / "tune" / "corpus" / "tiny" / "trials.jsonl"
    with journal.open("ab") as stream:
        stream.write(b'{"op_code":4,"wor')
    assert scores(search(trials=2))[:1] == scores(first)


def test_more_trials_add_to_a_search_that_is_over(search: Search) -> None:
    first = search(trials=1)
    assert settings(search(trials=2))[:1] == settings(first)
    before = first.record_path.read_bytes()
    assert search(trials=1).record["trials_done"] == 2, "fewer take nothing away"
    assert first.record_path.read_bytes() == before


def lags(so_far: Sequence[float], epochs: int, whole: Sequence[Any]) -> bool:
    """Every trial but the first is given up after its first epoch."""
    assert len(so_far) < epochs, "never asked after the last epoch"
    return bool(so_far) and len(whole) == 1


def test_lagging_trial_is_given_up(search: Search, monkeypatch: pytest.MonkeyPatch, tiny_config: Make) -> None:
    monkeypatch.setattr(run.study, "hopeless", lags)
    events: list[Event] = []
    tuned = search(tiny_config(training={"epochs": 3}), trials=2, space=SAME_EPOCHS, watch=events.append)
    row = tuned.record["trials"][1]
    assert row["state"] == "pruned" and len(row["epochs"]["scores"]) == 1 and row["epochs"]["planned"] == 3
    assert row["score"] == row["epochs"]["scores"][0] and "view=T " in row["dev"]["T"]["signature"]
    assert tuned.record["best"] == 1 and runs(tuned) == ["trial-01"]
    assert events[-1].message == "trial 2 of 2: given up after epoch 1"


def test_interrupt_while_dev_is_scored_is_not_lost_to_giving_up(
    search: Search, monkeypatch: pytest.MonkeyPatch, tiny_config: Make
) -> None:
    monkeypatch.setattr(run.study, "hopeless", lags)
    config = tiny_config(training={"epochs": 3})
    with pytest.raises(KeyboardInterrupt):
        search(config, trials=2, space=SAME_EPOCHS, watch=at("step", 12, press))
    events: list[Event] = []
    tuned = search(config, trials=2, space=SAME_EPOCHS, watch=events.append)
    assert not [event for event in events if event.kind == "step"], "its first epoch was kept, and is enough"
    assert tuned.record["trials"][1]["state"] == "pruned"


def test_diverged_trial_counts_and_the_search_goes_on(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverges(config: Config, **arguments: Any) -> Path:
        if config.name == "trial-02":
            raise DivergedError("step 3: the loss is nan")
        return train(config, **arguments)

    monkeypatch.setattr(run, "train", diverges)
    tuned = search()
    assert [row["state"] for row in tuned.record["trials"]] == ["whole", "diverged", "whole"]
    assert tuned.record["trials"][1]["score"] is None and tuned.record["best"] in {1, 3}


def test_search_with_other_settings_is_refused(search: Search, tiny_config: Make) -> None:
    search(trials=1)
    with pytest.raises(MnerError, match="other settings, data or search space"):
        search(tiny_config(training={"epochs": 1, "eps": 1e-8}), trials=1)
    with pytest.raises(MnerError, match="other settings, data or search space"):
        search(trials=1, epochs_max=1)
    again = search(trials=1, epochs_max=1, restart=True)
    assert again.record["trials_done"] == 1 and again.record["space"]["training.epochs"] == {"low": 1, "high": 1}


def test_two_processes_do_not_share_a_search(search: Search, tmp_path: Path) -> None:
    def second() -> None:
        search(trials=1)

    with pytest.raises(MnerError, match="another process is at work there"):
        search(trials=1, watch=at("step", 1, second))


def test_report_of_runs_passes_over_records_of_searches(search: Search, tmp_path: Path) -> None:
    tuned = search(trials=1)
    assert tuned.run is not None
    target = tmp_path / "a" / "results" / "corpus" / "tiny" / "1.json"
    target.parent.mkdir(parents=True)
    target.write_bytes((tuned.run / "record.json").read_bytes())
    assert list(read_experiments(tmp_path / "a" / "results")) == [("corpus", "trial-01")]
