"""Calibration on a tiny model: what is stored, what is refused, and that the promise is kept on the other posts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import mner
from mner import config as configs
from mner.errors import DataError, MnerError, ModelError
from mner.runs.calibrate import calibrate
from mner.runs.evaluate import evaluate
from mner.runs.promise import Promise
from mner.runtime import read_model
from mner.runtime.calibration import calibration_of, trained_fingerprint
from mner.runtime.saved import amend_model
from mner.training import train
from tests.conftest import WORDS

GOOD = Promise("precision", 0.8)


CASES = (str.lower, str.title, str.upper, str.swapcase, "x{}".format, "{}1".format, "7{}".format)


@pytest.fixture(scope="module")
def unsure_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, less sure of itself, and with an eye for the shapes of words."""

    def change(part: Path) -> dict[str, Any]:
        head = load_file(part / "head.safetensors")
        for name, factor in (("emission.weight", 0.3), ("words.shapes.weight", 3.0)):
            head[name] = np.float32(factor) * head[name]
        save_file(head, part / "head.safetensors")
        return {}

    folder = tmp_path_factory.mktemp("unsure") / "model"
    amend_model(read_model(tiny_model), folder, change=change)
    return folder


@pytest.fixture(scope="module")
def posts(unsure_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a file of posts that this model tags rightly where it is sure, and by chance elsewhere."""
    tagger = mner.load(unsure_model, threads=1)

    def make(count: int, *, seed: int = 1, sure: float = 0.5, luck: float = 0.2) -> Path:
        generator = np.random.default_rng(seed)
        words = [
            [CASES[generator.integers(len(CASES))](str(word)) for word in generator.choice(WORDS[:60], 6)]
            for _ in range(count)
        ]
        rows: list[dict[str, Any]] = []
        for number, prediction in enumerate(tagger.pipe({"words": each} for each in words)):
            right = [each for each in prediction.entities if each.score >= sure or generator.random() < luck]
            labels = [{"start": each.start, "end": each.end, "label": each.label} for each in right]
            rows.append({"id": str(number), "words": words[number], "text": prediction.text, "entities": labels})
        path = tmp_path_factory.mktemp("posts") / "posts.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return make


@pytest.fixture
def model(unsure_model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(unsure_model, tmp_path / "model"))


def test_precision_is_kept_on_other_posts(model: Path, posts: Callable[..., Path]) -> None:
    done = calibrate(model, posts(150, sure=0.9), promise=GOOD)
    assert done.folder == model
    thresholds = done.calibration.thresholds
    assert thresholds is not None
    of_view = thresholds.views["T"]
    assert set(thresholds.views) == {"T"}
    assert len(set(of_view.thresholds.values())) == 1
    assert of_view.mean >= 0.8
    assert of_view.basis.posts == 150
    assert calibration_of(read_model(model)).thresholds == thresholds
    tagger = mner.load(model, threads=1)
    others = [json.loads(line) for line in posts(150, seed=2, sure=0.9).read_text().splitlines()]
    predicted = tagger.batch(others, min_score="calibrated")
    right = [
        [(each.start, each.end, each.label) in {(e["start"], e["end"], e["label"]) for e in row["entities"]}]
        for row, prediction in zip(others, predicted, strict=True)
        for each in prediction.entities
    ]
    assert len(right) > 50
    assert np.mean(right) >= 0.8
    assert sum(len(each.entities) for each in tagger.batch(others)) > len(right)


def test_recall_is_kept_by_candidates(model: Path, posts: Callable[..., Path]) -> None:
    """All gold entities are entities of the best path here, but not all of them are candidates that win."""
    file = posts(200, sure=0.2)
    done = calibrate(model, file, promise=Promise("recall", 0.8))
    thresholds = done.calibration.thresholds
    assert thresholds is not None
    assert thresholds.views["T"].mean >= 0.8
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    predicted = mner.load(model, min_score="calibrated").batch(rows)
    gold = {(row["id"], e["start"], e["end"], e["label"]) for row in rows for e in row["entities"]}
    returned = {
        (row["id"], e.start, e.end, e.label) for row, p in zip(rows, predicted, strict=True) for e in p.entities
    }
    assert len(gold & returned) / len(gold) == pytest.approx(thresholds.views["T"].recall, abs=1e-6)
    for prediction in predicted:
        ends = [0, *(each.end for each in prediction.entities)]
        assert all(entity.start >= end for entity, end in zip(prediction.entities, ends, strict=False))


def test_model_of_words_alone_is_calibrated_on_them_alone(
    unsure_model: Path, posts: Callable[..., Path], tmp_path: Path
) -> None:
    """Its predictions never read a picture, so what contexts would do to its scores does not count."""
    model = tmp_path / "words"
    amend_model(read_model(unsure_model), model, change=lambda part: {"views": ["T"]})
    rows = [json.loads(line) for line in posts(150, sure=0.9).read_text().splitlines()]
    file, contexts = tmp_path / "posts.jsonl", tmp_path / "contexts.jsonl"
    file.write_text("".join(json.dumps({**row, "image": f"{row['id']}.jpg"}) + "\n" for row in rows))
    about = [{"image": f"{row['id']}.jpg", "captions": [{"text": "two people"}]} for row in rows]
    contexts.write_text("".join(json.dumps(row) + "\n" for row in about))
    done = calibrate(model, file, contexts=[contexts], scale="temperature", out=tmp_path / "pictured").calibration
    assert done.scale is not None and set(done.scale.ece) == {"T"}
    assert done == calibrate(model, file, scale="temperature", out=tmp_path / "words-alone").calibration


def test_five_posts_are_refused_with_the_number_needed(model: Path, posts: Callable[..., Path]) -> None:
    before = (model / "model.json").read_bytes()
    with pytest.raises(DataError, match=r"5 posts hold a predicted entity; a precision of 0.95 .* needs at least 92"):
        calibrate(model, posts(5), promise=Promise("precision", 0.95))
    with pytest.raises(DataError, match=r"posts hold a gold entity; a recall of 0.9 .* needs at least 22"):
        calibrate(model, posts(5), promise=Promise("recall", 0.9))
    with pytest.raises(DataError, match=r"entities were found in 5 posts; a scaling needs at least 50"):
        calibrate(model, posts(5), scale="temperature")
    assert (model / "model.json").read_bytes() == before


def test_promise_that_cannot_be_kept_names_what_can(model: Path, posts: Callable[..., Path]) -> None:
    with pytest.raises(
        DataError, match=r"no threshold keeps a precision of 0.9 .*; the highest that one keeps is 0\.4"
    ):
        calibrate(model, posts(400, sure=1.1, luck=0.5), promise=Promise("precision", 0.9))


def test_labels_each_have_their_threshold(model: Path, posts: Callable[..., Path]) -> None:
    file = posts(400, luck=0.9)
    done = calibrate(model, file, promise=Promise("precision", 0.5, by_label=True))
    thresholds = done.calibration.thresholds
    assert thresholds is not None
    assert set(thresholds.views["T"].thresholds) == {"LOC", "MISC", "ORG", "PER"}
    with pytest.raises(DataError, match=r"without --per-label all labels share one threshold"):
        calibrate(model, posts(5), promise=Promise("precision", 0.5, by_label=True))


@pytest.mark.parametrize("scale", ["temperature", "platt"])
def test_scaling_is_stored_and_applied(model: Path, posts: Callable[..., Path], scale: Any) -> None:
    plain = mner.load(model, threads=1)("Kevin Love is back in Cleveland")
    done = calibrate(model, posts(150), scale=scale)
    fitted = done.calibration.scale
    assert fitted is not None
    assert fitted.method == scale
    before, after = fitted.ece["T"]
    assert after < before
    scaled, raw = (mner.load(model, threads=1, raw_scores=each) for each in (False, True))
    assert raw("Kevin Love is back in Cleveland") == plain
    changed = scaled("Kevin Love is back in Cleveland").entities
    assert [each.text for each in changed] == [each.text for each in plain.entities]
    assert [each.score for each in changed] != [each.score for each in plain.entities]
    assert raw.settings != scaled.settings
    explained = scaled.explain("Kevin Love is back in Cleveland")
    assert [each.without_image for each in explained.evidence] == pytest.approx([each.score for each in changed])


def test_scaling_and_thresholds_rest_on_different_halves(model: Path, posts: Callable[..., Path]) -> None:
    file = posts(400)
    done = calibrate(model, file, scale="platt", promise=Promise("precision", 0.6))
    scale, thresholds = done.calibration.scale, done.calibration.thresholds
    assert scale is not None
    assert thresholds is not None
    assert scale.basis.posts == thresholds.views["T"].basis.posts == 200
    assert scale.basis.fingerprint != thresholds.views["T"].basis.fingerprint
    assert mner.load(model, min_score="calibrated")("Kevin Love is back in Cleveland") is not None
    before = (model / "model.json").read_bytes()
    with pytest.raises(DataError, match=r"has its curves by label from these posts.*: --platt with --precision"):
        calibrate(model, file, promise=Promise("precision", 0.5))  # half of them fitted the curves
    assert (model / "model.json").read_bytes() == before
    with pytest.raises(ModelError, match="its thresholds are for calibrated scores; leave out raw_scores"):
        mner.load(model, min_score="calibrated", raw_scores=True)


def test_thresholds_are_not_found_on_the_posts_of_the_scaling(model: Path, posts: Callable[..., Path]) -> None:
    file = posts(150)
    calibrate(model, file, scale="temperature")
    with pytest.raises(DataError, match=r"has its temperature from these posts"):
        calibrate(model, file, promise=GOOD)
    calibrate(model, posts(400, seed=2), promise=Promise("precision", 0.6))
    said: list[str] = []
    done = calibrate(model, file, scale="platt", watch=said.append)
    assert done.calibration.thresholds is None  # they were for other scores
    assert any(line.startswith("this replaces the model's temperature, fitted on 150 posts (") for line in said)
    assert any(line.startswith("this removes the model's thresholds for a precision of 0.6, which") for line in said)


def test_copy_is_calibrated_and_the_model_is_not(model: Path, posts: Callable[..., Path], tmp_path: Path) -> None:
    before = (model / "model.json").read_bytes()
    calibrate(model, posts(150), promise=Promise("precision", 0.5), out=tmp_path / "copy")
    assert (model / "model.json").read_bytes() == before
    assert calibration_of(read_model(tmp_path / "copy")).thresholds is not None


def test_clear_restores_the_model_byte_by_byte(model: Path, posts: Callable[..., Path]) -> None:
    before, fingerprint = (model / "model.json").read_bytes(), read_model(model).fingerprint
    calibrate(model, posts(150), promise=Promise("precision", 0.5))
    assert read_model(model).fingerprint != fingerprint
    assert trained_fingerprint(read_model(model)) == fingerprint
    calibrate(model, clear=True)
    assert (model / "model.json").read_bytes() == before


def test_packaged_model_is_not_changed(posts: Callable[..., Path]) -> None:
    with pytest.raises(ModelError, match="comes with the package and stays as it is; name a calibrated copy: --out"):
        calibrate("social-en", posts(5), promise=GOOD)


def test_other_folders_are_not_written_over(model: Path, posts: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="is not a model that mner wrote"):
        calibrate(model, posts(150), promise=GOOD, out=tmp_path / "mine")


def test_view_with_pictures_is_calibrated_apart(model: Path, posts: Callable[..., Path], tmp_path: Path) -> None:
    file = posts(300, sure=0.05)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for number, row in enumerate(rows[:200]):
        row["image"] = f"{number}.jpg"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    contexts = tmp_path / "contexts.jsonl"
    about = [{"image": f"{number}.jpg", "captions": [{"text": "two people"}]} for number in range(200)]
    contexts.write_text("".join(json.dumps(row) + "\n" for row in about))
    thresholds = calibrate(model, file, contexts=[contexts], promise=Promise("precision", 0.3)).calibration.thresholds
    assert thresholds is not None
    assert {view: each.basis.posts for view, each in thresholds.views.items()} == {"T": 300, "I+T": 200}
    tagger = mner.load(model, min_score="calibrated")
    assert tagger("Kevin Love", context="two people").view == "I+T"


def test_model_calibrated_on_words_alone_refuses_a_picture(model: Path, posts: Callable[..., Path]) -> None:
    calibrate(model, posts(150), promise=Promise("precision", 0.5))
    tagger = mner.load(model, min_score="calibrated")
    assert tagger("Kevin Love").view == "T"
    with pytest.raises(ModelError, match=r"not calibrated for posts in view I\+T; calibrate it again"):
        tagger("Kevin Love", context="two people")
    assert mner.load(model, min_score="calibrated", use_images=False)("Kevin Love", context="two people").view == "T"


@pytest.mark.parametrize("given", [{}, {"clear": True, "scale": "platt"}])
def test_nothing_or_two_things_to_do_are_refused(model: Path, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="name a promise, a scale or both; or clear alone"):
        calibrate(model, **given)


@pytest.mark.parametrize(
    "given",
    [{"contexts": ["c.jsonl"]}, {"images": "."}, {"features": "."}, {"format": "jsonl"}, {"allow_test": True}],
    ids=lambda given: next(iter(given)),
)
def test_options_of_posts_need_posts(model: Path, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="contexts, images, features, format and allow_test go with posts"):
        calibrate(model, scale="platt", **given)


def test_clear_takes_no_posts(model: Path, posts: Callable[..., Path]) -> None:
    with pytest.raises(ValueError, match="clear takes no posts"):
        calibrate(model, posts(5), clear=True)


@pytest.fixture
def run(tiny_encoder: Path, posts: Callable[..., Path], tmp_path: Path) -> Path:
    for name, seed in (("train", 1), ("dev", 2), ("test", 3)):
        shutil.copyfile(posts(60, seed=seed), tmp_path / f"{name}.jsonl")
    config = configs.check(
        {
            "data": {"name": "corpus", **{name: f"{name}.jsonl" for name in ("train", "dev", "test")}},
            "model": {"name": "text", "encoder": str(tiny_encoder)},
            "loss": {"views": ["T"]},
            "training": {"epochs": 1, "device": "cpu"},
        }
    )
    return train(config, root=tmp_path, out=tmp_path / "runs")


def test_run_is_calibrated_on_dev_never_on_test_or_train(run: Path, tmp_path: Path) -> None:
    said: list[str] = []
    easy = Promise("recall", 0.01, delta=0.5)
    done = calibrate(run, promise=easy, watch=said.append)
    assert "these posts also chose the epoch" in said[0]
    assert done.folder == run / "model"
    assert done.calibration.thresholds is not None
    assert done.calibration.thresholds.views["T"].basis.data == "corpus/dev"
    with pytest.raises(MnerError, match=r"test split; calibrated on them, .* or pass --allow-test"):
        calibrate(run, tmp_path / "test.jsonl", promise=easy)
    calibrate(run, tmp_path / "test.jsonl", promise=easy, allow_test=True)
    with pytest.raises(MnerError, match="the model was trained on 60 of these 60 posts"):
        calibrate(run, tmp_path / "train.jsonl", promise=easy)
    evaluate(run, final=True, results=tmp_path / "results")  # the frozen run is still the one that was trained


def test_posts_that_were_trained_on_are_left_out(run: Path, tmp_path: Path) -> None:
    lines = (tmp_path / "dev.jsonl").read_text().splitlines() + (tmp_path / "train.jsonl").read_text().splitlines()[:9]
    (tmp_path / "mixed.jsonl").write_text("\n".join(lines) + "\n")
    said: list[str] = []
    done = calibrate(run, tmp_path / "mixed.jsonl", promise=Promise("recall", 0.01, delta=0.5), watch=said.append)
    assert "9 posts with the words of a training post are left out" in said[0]
    assert done.calibration.thresholds is not None
    assert done.calibration.thresholds.views["T"].basis.posts == 60


def test_model_needs_posts(model: Path) -> None:
    with pytest.raises(DataError, match=r"a model, not a run; name labelled posts: mner calibrate .* POSTS"):
        calibrate(model, promise=GOOD)
