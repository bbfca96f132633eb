"""Models that a run begins from or learns from: none that knows what is scored, and each a part of what the run is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mner.config import Config
from mner.errors import ConfigError, DataError, MnerError, ModelError
from mner.runs.experiments import read_experiment
from mner.runtime import read_model
from mner.runtime.calibration import Basis, Scale, StoredCalibration, store, trained_fingerprint
from mner.training import Event, train
from mner.training.job import prepare
from mner.training.seeds import train_seeds
from mner.training.source_models import source_model

Make = Callable[..., Config]
QUICK = {"epochs": 1}
SETTINGS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "model.init": lambda source: {"model": {"init": str(source)}},
    "teachers.models": lambda source: {"teachers": {"models": [str(source)]}},
}
each_setting = pytest.mark.parametrize("setting", SETTINGS)


@pytest.fixture
def source(corpus: Path, tiny_config: Make, tmp_path: Path) -> Path:
    return train(tiny_config(name="source", training=QUICK), root=corpus, out=tmp_path / "sources")


def calibrated(run: Path) -> None:
    basis = Basis(data="posts", fingerprint="0" * 12, posts=9, entities=9)
    store(read_model(run), StoredCalibration(scale=Scale(method="temperature", temperature=2.0, basis=basis)))


def first_seed(config: Config, corpus: Path, tmp_path: Path) -> tuple[Path, dict[str, Path]]:
    """The run of seed 1, and the folders that it reads and writes."""
    places = {"root": corpus, "out": tmp_path / "runs"}
    (run,) = train_seeds(config, (1,), **places)
    return run, places


def retrained(run: Path, corpus: Path, tiny_config: Make) -> None:
    """The same place, other weights."""
    config = tiny_config(name="source", training={"epochs": 1, "encoder_lr": 5e-3})
    assert train(config, root=corpus, out=run.parents[2], restart=True) == run


@each_setting
@pytest.mark.parametrize("split", ["dev", "test"])
def test_model_of_what_is_scored_is_refused(
    corpus: Path, tiny_config: Make, source: Path, setting: str, split: str
) -> None:
    (corpus / "own.txt").write_text((corpus / "train.txt").read_text())
    config = tiny_config(**SETTINGS[setting](source), data={"train": "own.txt", split: "train.txt"})
    with pytest.raises(
        ConfigError, match=rf"{setting}: .*1 was trained on train\.txt, which this run is scored on; name another model"
    ):
        prepare(config, corpus)


@each_setting
def test_model_that_is_not_there_is_refused(corpus: Path, tiny_config: Make, tmp_path: Path, setting: str) -> None:
    with pytest.raises(ModelError, match=rf"{setting}: .*nowhere: no such model"):
        prepare(tiny_config(**SETTINGS[setting](tmp_path / "nowhere")), corpus)


def test_model_without_its_run_is_taken(corpus: Path, tiny_config: Make, tiny_model: Path) -> None:
    assert source_model("model.init", str(tiny_model), tiny_config(), corpus).folder == tiny_model


@each_setting
def test_calibration_leaves_the_runs_that_learned_from_a_model_what_they_are(
    corpus: Path, tiny_config: Make, source: Path, tmp_path: Path, setting: str
) -> None:
    config = tiny_config(**SETTINGS[setting](source), training=QUICK)
    run, places = first_seed(config, corpus, tmp_path)
    before = read_model(source).fingerprint
    calibrated(source)
    assert before == trained_fingerprint(read_model(source)) != read_model(source).fingerprint
    events: list[Event] = []
    train_seeds(config, (1, 2), **places, watch=events.append)
    assert events[0].message.endswith("1 is finished, skipped")
    records = [json.loads((run.parent / seed / "record.json").read_text()) for seed in "12"]
    assert [record["init" if setting == "model.init" else "teachers"] for record in records] in (
        [before] * 2,
        [[before]] * 2,
    )
    assert len({path.name.split("-")[0] for path in run.parent.glob("teachers/*")}) <= 1, "read once, for both"
    assert read_experiment(run.parent).seeds == (1, 2)


@each_setting
def test_model_that_is_trained_again_in_its_place_makes_another_run(
    corpus: Path, tiny_config: Make, source: Path, tmp_path: Path, setting: str
) -> None:
    config = tiny_config(**SETTINGS[setting](source), training=QUICK)
    run, places = first_seed(config, corpus, tmp_path)
    retrained(source, corpus, tiny_config)
    train_seeds(config, (2,), **places)
    with pytest.raises(DataError, match=rf"different settings: weights of {setting} = .* and .*; train them alike"):
        read_experiment(run.parent)
    with pytest.raises(MnerError, match="holds a finished run with other data or models; choose another name"):
        train(config, **places)
    events: list[Event] = []
    train_seeds(config, (1,), **places, watch=events.append)
    assert "held a run with other data or models, which is now in" in events[0].message
    assert read_experiment(run.parent).seeds == (1, 2)


def test_run_from_before_the_first_model_was_recorded_stays(
    corpus: Path, tiny_config: Make, source: Path, tmp_path: Path
) -> None:
    config = tiny_config(model={"init": str(source)}, training=QUICK)
    run, places = first_seed(config, corpus, tmp_path)
    record = json.loads((run / "record.json").read_text())
    del record["init"]
    job = prepare(config, corpus)
    (record["fingerprint"],) = set(job.fingerprints_of(config)) - {job.fingerprint}
    (run / "record.json").write_text(json.dumps(record))
    events: list[Event] = []
    train_seeds(config, (1, 2), **places, watch=events.append)
    assert events[0].message.endswith("1 is finished, skipped")
    assert read_experiment(run.parent).seeds == (1, 2)
