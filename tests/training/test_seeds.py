"""Several seeds of one row on a tiny encoder: each in its place, none done twice, what is done kept."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from mner.config import Config
from mner.errors import ConfigError, MnerError
from mner.runs.evaluate import evaluate
from mner.training import Event, train
from mner.training.seeds import parse_seeds, train_seeds

Make = Callable[..., Config]
QUICK = {"epochs": 1}


@pytest.mark.parametrize(("text", "seeds"), [("5", (1, 2, 3, 4, 5)), ("3,7", (3, 7)), (" 7, ", (7,)), ("0,1", (0, 1))])
def test_seeds_are_a_number_or_a_list(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "0", "x", "-1", "1,1", "1.5", ",", "²", "1000000000", "4294967296,1", "9" * 5000])
def test_other_seeds_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected"):
        parse_seeds(text)


def test_each_seed_has_its_own_run_and_record(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    results = tmp_path / "results"
    config = tiny_config(training=QUICK)
    runs = train_seeds(config, (3, 7), root=corpus, out=tmp_path / "runs", results=results)
    assert runs == [tmp_path / "runs" / "corpus" / "tiny" / seed for seed in ("3", "7")]
    records = [json.loads((results / "corpus" / "tiny" / f"{seed}.json").read_text()) for seed in (3, 7)]
    assert [record["seed"] for record in records] == [record["config"]["seed"] for record in records] == [3, 7]
    assert records[0]["model"] != records[1]["model"]
    alone = train(tiny_config(training=QUICK, seed=7), root=corpus, out=tmp_path / "alone")
    assert json.loads((alone / "record.json").read_text())["model"] == records[1]["model"], "as if trained alone"


def test_interrupt_keeps_what_is_done_and_the_same_call_goes_on(
    corpus: Path, tiny_config: Make, tmp_path: Path
) -> None:
    config, places = tiny_config(), {"root": corpus, "out": tmp_path / "runs", "results": tmp_path / "results"}
    seeds: list[str] = []

    def press(event: Event) -> None:
        if event.kind == "seed":
            seeds.append(event.message)
        if event.kind == "step" and event.step == 4 and len(seeds) == 2:
            os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does

    with pytest.raises(KeyboardInterrupt):
        train_seeds(config, (1, 2, 3), **places, watch=press)
    assert [path.name for path in (tmp_path / "results").rglob("*.json")] == ["1.json"]
    first = (tmp_path / "runs" / "corpus" / "tiny" / "1" / "record.json").stat().st_mtime_ns

    events: list[Event] = []
    runs = train_seeds(config, (1, 2, 3), **places, watch=events.append)
    text = [event.message for event in events if event.kind == "seed"]
    assert text[0].startswith("seed 1, 1 of 3: ") and text[0].endswith("1 is finished, skipped")
    assert text[1].endswith("2 was interrupted, continuing from its checkpoint")
    assert text[2].endswith(str(Path("tiny", "3")))
    assert next(event for event in events if event.kind == "ready").step == 4, "seed 2 goes on behind its fourth step"
    assert (runs[0] / "record.json").stat().st_mtime_ns == first
    assert sorted(path.name for path in (tmp_path / "results").rglob("*.json")) == ["1.json", "2.json", "3.json"]


def test_run_cut_off_before_a_checkpoint_is_told_and_begun_again(
    corpus: Path, tiny_config: Make, tmp_path: Path
) -> None:
    folder = tmp_path / "corpus" / "tiny" / "1"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("name = 'cut")
    events: list[Event] = []
    train_seeds(tiny_config(training=QUICK), (1,), root=corpus, out=tmp_path, watch=events.append)
    assert events[0].message == f"seed 1: {folder} was interrupted before its first checkpoint, starting again"
    assert (folder / "record.json").exists()


@pytest.mark.parametrize("restart", [False, True])
def test_record_scored_on_test_is_not_replaced(corpus: Path, tiny_config: Make, tmp_path: Path, restart: bool) -> None:
    config, results = tiny_config(training=QUICK), tmp_path / "results"
    places = {"root": corpus, "out": tmp_path / "runs", "results": results}
    (run,) = train_seeds(config, (2,), **places)
    committed = results / "corpus" / "tiny" / "2.json"
    record = json.loads(committed.read_text())
    scored = record | {"test": record["dev"]}
    for path in (run / "record.json", committed):  # as mner evaluate --final leaves both
        path.write_text(json.dumps(scored))
    train_seeds(config, (2,), **places)
    assert json.loads(committed.read_text()) == scored, "a finished run is the scored one"

    if not restart:
        shutil.rmtree(run)
    events: list[Event] = []
    with pytest.raises(MnerError, match=r"tiny.2\.json: scored on test.* another name"):
        train_seeds(config, (1, 2), **places, restart=restart, watch=events.append)
    assert not events, "refused before anything is trained"
    assert json.loads(committed.read_text()) == scored


def test_score_on_test_outlives_the_run_and_its_second_training(
    corpus: Path, tiny_config: Make, tmp_path: Path
) -> None:
    config, results = tiny_config(training=QUICK), tmp_path / "results"
    places = {"root": corpus, "out": tmp_path / "runs"}
    (run,) = train_seeds(config, (1,), **places, results=results)
    evaluate(run, final=True, results=results)
    committed = results / "corpus" / "tiny" / "1.json"
    scored = committed.read_bytes()
    shutil.rmtree(tmp_path / "runs")
    train_seeds(config, (1,), **places)
    assert json.loads((run / "record.json").read_text())["model"] == json.loads(scored)["model"]
    train_seeds(config, (1,), **places, results=results)
    assert committed.read_bytes() == scored

    other = tiny_config(training={"epochs": 2})
    with pytest.raises(MnerError, match=r"tiny.1\.json: scored on test, and of another model .* another name"):
        train_seeds(other, (1,), **places, results=results)
    assert committed.read_bytes() == scored
    assert len(json.loads((run / "record.json").read_text())["epochs"]) == 2, "the new run is whole"


def test_damaged_checkpoint_says_what_to_do(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    folder = tmp_path / "corpus" / "tiny" / "1"
    folder.mkdir(parents=True)
    (folder / "checkpoint.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{cut")
    with pytest.raises(MnerError, match=r"checkpoint\.safetensors: damaged checkpoint .*delete it"):
        train_seeds(tiny_config(training=QUICK), (1,), root=corpus, out=tmp_path)
    events: list[Event] = []
    train_seeds(tiny_config(training=QUICK), (1,), root=corpus, out=tmp_path, restart=True, watch=events.append)
    assert events[0].message.endswith("is deleted") and (folder / "record.json").exists()


@pytest.mark.parametrize("damage", ["record", "weights", "model"])
def test_damaged_finished_run_is_not_called_finished(
    corpus: Path, tiny_config: Make, tmp_path: Path, damage: str
) -> None:
    config, places = tiny_config(training=QUICK), {"root": corpus, "out": tmp_path / "runs"}
    (run,) = train_seeds(config, (1,), **places)
    if damage == "model":
        shutil.rmtree(run / "model")
    else:
        path = run / {"record": "record.json", "weights": "model/head.safetensors"}[damage]
        path.write_bytes(path.read_bytes()[:40])
    events: list[Event] = []
    for call in (lambda: train_seeds(config, (1,), **places, watch=events.append), lambda: train(config, **places)):
        with pytest.raises(MnerError, match=r"tiny.1.*--restart"):
            call()
    assert not events
    train_seeds(config, (1,), **places, restart=True)
    assert train(config, **places) == run


def test_record_keeps_the_outcomes_of_the_best_epoch(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    from mner.evaluation.outcomes import counts

    (run,) = train_seeds(tiny_config(training={"epochs": 4, "encoder_lr": 5e-3}), (1,), root=corpus, out=tmp_path)
    record = json.loads((run / "record.json").read_text())
    for view, scores in record["dev"].items():
        read = counts(record["outcomes"]["dev"], view)
        text = [int(table.sum()) for table in (read.correct, read.predicted, read.gold)]
        assert text == [scores["micro"][key] for key in ("correct", "predicted", "gold")]
        assert len(read.gold) == 12
