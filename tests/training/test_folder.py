"""A run's directory: nothing in it is lost to a fault, a second process, or a run with other settings."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mner.config import Config
from mner.errors import DataError, MnerError
from mner.runs.evaluate import evaluate
from mner.runs.posts import evaluate_posts
from mner.runtime import read_model
from mner.training import Event, train
from mner.training.folder import alone
from mner.training.job import prepare
from mner.training.seeds import train_seeds

Make = Callable[..., Config]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "sections",
    [
        {"data": {"train": "absent.txt"}},
        {"data": {"contexts": ["absent.jsonl"]}},
        {"model": {"encoder": "/nowhere/encoder"}},
        {"model": {"init": "/nowhere/model"}},
        {"model": {"name": "iota"}},
        {"training": {"device": "cuda:99"}},
    ],
)
def test_restart_that_cannot_begin_leaves_the_finished_run(
    corpus: Path, tiny_config: Make, tmp_path: Path, sections: dict[str, dict[str, object]]
) -> None:
    run = train(tiny_config(training={"epochs": 1}), root=corpus, out=tmp_path / "runs")
    before = contents(run)
    faulty = tiny_config(training={"epochs": 1, **sections.pop("training", {})}, **sections)
    with pytest.raises(MnerError):
        train(faulty, root=corpus, out=tmp_path / "runs", restart=True)
    assert contents(run) == before


def test_restart_removes_the_run_and_nothing_else(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    config = tiny_config(training={"epochs": 1})
    run = train(config, root=corpus, out=tmp_path / "runs")
    (run / "notes.txt").write_text("mine")
    (run / "frozen.json").write_text("{}")
    (run / "model.old").mkdir()
    assert train(config, root=corpus, out=tmp_path / "runs", restart=True) == run
    assert (run / "model.old").exists()
    assert (run / "notes.txt").read_text() == "mine"
    assert not (run / "frozen.json").exists()


def test_run_in_a_linked_folder_knows_its_data(
    corpus: Path, tiny_config: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "far" / "deep" / "runs").mkdir(parents=True)
    (tmp_path / "runs").symlink_to(tmp_path / "far" / "deep" / "runs")
    monkeypatch.chdir(tmp_path)
    test = (corpus / "test.txt").read_text().replace("won", "lost")
    (corpus / "test.txt").write_text(test)
    (tmp_path / "copy.txt").write_text(test)
    run = train(tiny_config(training={"epochs": 1}), root=Path("corpus"), out=Path("runs"))
    assert evaluate(run).scores.keys() == {"T", "I+T"}
    with pytest.raises(MnerError, match="the run's test split"):
        evaluate_posts(run, tmp_path / "copy.txt")


def test_run_with_other_settings_is_kept_and_the_new_one_takes_its_place(
    corpus: Path, tiny_config: Make, tmp_path: Path
) -> None:
    said: list[str] = []

    def watch(event: Event) -> None:
        said.extend([event.message] if event.kind == "seed" else [])

    first = tiny_config(training={"epochs": 1})
    (run,) = train_seeds(first, [1], root=corpus, out=tmp_path)
    trained = read_model(run).fingerprint
    (again,) = train_seeds(tiny_config(), [1], root=corpus, out=tmp_path, watch=watch)
    assert again == run
    assert len(json.loads((run / "record.json").read_text())["epochs"]) == 2
    moved = run.parent / "earlier" / "1-1"
    assert read_model(moved).fingerprint == trained
    assert said == [
        f"seed 1: {run} held a run with other settings (training.epochs = 1 and 2), which is now in {moved}"
    ]
    assert set(evaluate(moved).scores) == {"T", "I+T"}, "it is a run like any other"
    train_seeds(first, [1], root=corpus, out=tmp_path)
    assert (run.parent / "earlier" / "1-2" / "record.json").exists()


def test_run_that_was_cut_off_under_other_settings_is_kept(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if event.kind == "epoch":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_seeds(tiny_config(), [1], root=corpus, out=tmp_path, watch=stop)
    (run,) = train_seeds(tiny_config(training={"epochs": 1}), [1], root=corpus, out=tmp_path)
    assert (run.parent / "earlier" / "1-1" / "checkpoint.safetensors").exists()
    with pytest.raises(MnerError, match=r"other settings \(training\.epochs = 1 and 2\)"):
        train_seeds(tiny_config(), [1], root=corpus, out=tmp_path, resume=True)


def test_run_that_is_scored_on_test_gives_way_to_none(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    (run,) = train_seeds(tiny_config(training={"epochs": 1}), [1], root=corpus, out=tmp_path)
    evaluate(run, final=True, results=tmp_path / "results")
    with pytest.raises(MnerError, match="frozen for its score on test"):
        train_seeds(tiny_config(), [1], root=corpus, out=tmp_path)
    said: list[str] = []
    train(tiny_config(training={"epochs": 1}), root=corpus, out=tmp_path, restart=True, announce=said.append)
    assert said[0] == f"{run} is deleted, although it was frozen for its score on test"


def test_run_continues_on_another_device(
    corpus: Path, tiny_config: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(event: Event) -> None:
        if event.kind == "epoch":
            raise KeyboardInterrupt

    begun: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        train(tiny_config(), root=corpus, out=tmp_path, watch=stop)
    run = train(tiny_config(training={"device": "auto"}), root=corpus, out=tmp_path, resume=True, watch=begun.append)
    assert begun[0].step == 3
    record = json.loads((run / "record.json").read_text())
    assert record["config"]["training"]["device"] == "auto"
    again: list[Event] = []
    train(tiny_config(), root=corpus, out=tmp_path, watch=again.append)
    assert [event.kind for event in again] == ["finished"]


def test_device_that_was_used_is_recorded(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    record = json.loads((train(tiny_config(), root=corpus, out=tmp_path) / "record.json").read_text())
    assert record["device"] == "cpu"


def test_second_process_is_refused_until_the_first_one_ends(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    run = tmp_path / "corpus" / "tiny" / "1"
    code = (
        "import time\nfrom pathlib import Path\nfrom mner.training.folder import alone\n"
        f"with alone(Path({str(run)!r})):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        try:
            with pytest.raises(DataError, match=f"process {other.pid} .* is writing this folder"):
                train(tiny_config(), root=corpus, out=tmp_path)
        finally:
            other.kill()
    with alone(run):
        pass


def test_type_that_only_dev_has_is_warned_of(
    corpus: Path, tiny_config: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = (corpus / "dev.txt").read_text()
    (corpus / "dev.txt").write_text(text.replace("B-LOC", "B-EVENT"))
    prepare(tiny_config(), corpus)
    assert "dev.txt: 6 of its entities are EVENT, a type that no training post has" in caplog.text


def test_text_only_run_says_nothing_of_contexts(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    said: list[str] = []
    for config in (
        tiny_config(),
        tiny_config(name="text", model={"name": "text"}, loss={"views": ["T"], "cva": "none"}),
    ):
        train(config, root=corpus, out=tmp_path, watch=lambda event: said.append(event.message))
    ready = [message for message in said if "training and" in message]
    assert ["visual context" in message for message in ready] == [True, False]
