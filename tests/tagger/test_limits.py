"""Which entities are returned: by a number, by the model's thresholds, by the tagger's own limit."""

from __future__ import annotations

import copy
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

import mner
from mner.bulk import predict_file, predict_shards
from mner.errors import ModelError
from mner.runtime import read_model
from mner.runtime.calibration import StoredCalibration, store
from mner.tagger import packaged
from mner.types import Post

TEXT = "Kevin Love is back in Cleveland"


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model with a threshold that no entity of TEXT passes but those of one label."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    first = mner.load(folder)(TEXT).entities[0].label
    basis = {"data": "mine/dev", "fingerprint": "0123456789ab", "posts": 100, "entities": 150}
    least = {label: 0.0 if label == first else 1.0 for label in ("LOC", "MISC", "ORG", "PER")}
    view = {"thresholds": least, "mean": 1, "precision": 1, "recall": 1, "basis": basis}
    thresholds = {"target": "precision", "least": 0.9, "delta": 0.1, "views": {"T": view}}
    store(read_model(folder), StoredCalibration.model_validate({"thresholds": thresholds}))
    return folder


def test_thresholds_are_of_each_label(model: Path) -> None:
    tagger = mner.load(model)
    every = tagger(TEXT).entities
    left = tagger(TEXT, min_score="calibrated").entities
    assert left == tuple(each for each in every if each.label == every[0].label)
    assert len(left) < len(every) or {each.label for each in every} == {every[0].label}
    assert [each.entities for each in tagger.pipe([TEXT, TEXT], min_score="calibrated")] == [left, left]
    assert tagger.batch([TEXT], min_score="calibrated")[0].entities == left


def test_own_limit_is_what_a_call_without_one_takes(model: Path) -> None:
    tagger = mner.load(model, min_score="calibrated")
    calibrated = mner.load(model)(TEXT, min_score="calibrated")
    assert tagger(TEXT) == calibrated
    assert tagger.explain(TEXT).prediction == calibrated
    assert tagger(TEXT, min_score=1e-9) == mner.load(model)(TEXT)
    assert mner.load(model, min_score=1.0)(TEXT).entities == ()


def test_copies_and_pickles_keep_the_limit(model: Path) -> None:
    tagger = mner.load(model, min_score="calibrated")
    for other in (copy.copy(tagger), pickle.loads(pickle.dumps(tagger))):
        assert other(TEXT) == tagger(TEXT)


def test_files_and_shards_take_the_thresholds(model: Path, tmp_path: Path) -> None:
    tagger, posts = mner.load(model), [Post(TEXT)]
    counts = predict_file(tagger, posts, tmp_path / "out.jsonl", min_score="calibrated")
    assert counts.entities == len(tagger(TEXT, min_score="calibrated").entities)
    assert predict_shards(tagger, posts, tmp_path / "out", min_score="calibrated").counts.entities == counts.entities
    assert "calibrated" in (tmp_path / "out" / "summary.json").read_text()


def test_uncalibrated_model_says_what_to_type(tiny_model: Path) -> None:
    tagger = mner.load(tiny_model)
    for call in (tagger, tagger.batch, lambda post, **given: tagger.pipe([post], **given)):
        with pytest.raises(ModelError, match="mner calibrate MODEL POSTS --precision"):
            call([TEXT] if call == tagger.batch else TEXT, min_score="calibrated")  # type: ignore[operator]
    with pytest.raises(ModelError, match="holds no calibrated thresholds"):
        mner.load(tiny_model, min_score="calibrated")


@pytest.mark.parametrize("limit", ["Calibrated", "0.5", -0.1, 1.1, float("nan"), None])
def test_other_limits_are_refused(model: Path, limit: Any) -> None:
    with pytest.raises(ValueError, match='expected a probability from 0 to 1 or "calibrated"'):
        mner.load(model)(TEXT, min_score=limit)


def test_entities_of_a_promised_recall_have_evidence_too(tmp_path: Path) -> None:
    """A promise of recall takes candidates that are not on the best path."""
    text = "we love target and phoenix"
    folder = Path(shutil.copytree(packaged(), tmp_path / "model"))
    basis = {"data": "mine/dev", "fingerprint": "0123456789ab", "posts": 100, "entities": 150}
    least = dict.fromkeys(("LOC", "MISC", "ORG", "PER"), 0.004)
    view = {"thresholds": least, "mean": 1, "precision": 1, "recall": 1, "basis": basis}
    thresholds = {"target": "recall", "least": 0.9, "delta": 0.1, "views": {"T": view, "I+T": view}}
    store(read_model(folder), StoredCalibration.model_validate({"thresholds": thresholds}))
    tagger = mner.load(folder, threads=1, min_score="calibrated")
    for context in (None, "two men in Cleveland"):
        explanation = tagger.explain(text, context=context)
        entities = {(each.start, each.end, each.label): each.score for each in explanation.prediction.entities}
        assert len(entities) > len(mner.load(threads=1)(text, context=context).entities)
        evidence = {(row.entity.start, row.entity.end, row.entity.label): row for row in explanation.evidence}
        assert entities.keys() <= evidence.keys()
        assert all(evidence[key].entity.score == pytest.approx(score, abs=1e-5) for key, score in entities.items())
        alone = {(each.start, each.end, each.label) for each in tagger(text).entities}
        for key in entities.keys() & alone:
            verdict = evidence[key].verdict
            assert verdict == "no picture" if context is None else verdict in {"same", "raised", "lowered"}, key
