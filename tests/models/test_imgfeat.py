"""BERT-CRF + ImgFeat: the picture's vectors follow the words, are seen by them and never tagged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from derivation import at_words, bert_embeddings, bert_layers, linear, regions_of, windows
from safetensors.numpy import load_file
from systems import TRAINING, WORDS, assert_scores, batch_of, built, picture, scores, settings, windowed
from typer.testing import CliRunner

import mner
from mner import cli, models
from mner.config import Config
from mner.data.listing import pictures
from mner.errors import ConfigError, DataError, MnerError, ModelError
from mner.runs.calibrate import calibrate
from mner.runs.evaluate import evaluate
from mner.runs.posts import evaluate_posts
from mner.training.run import train
from mner.types import Post
from mner.views.features import arrays_of
from mner.views.split import ViewSplit
from mner.vision.features import build as build_features

Make = Callable[..., Config]


def test_scores_equal_their_derivation(tiny_encoder: Path) -> None:
    model, arrays = windowed("imgfeat", tiny_encoder)
    words = model.tagger.words
    hidden = []
    for window in windows(arrays, words.encoder, words.shapes):
        picture = linear(model.visual, regions_of(arrays, "grid", window.post))
        sequence = bert_embeddings(words.encoder, np.concatenate([window.vectors, picture]))
        hidden.append(bert_layers(words.encoder, sequence)[: len(window.ids)])
    assert_scores(model, arrays, [linear(model.tagger.emission, at_words(arrays, hidden, post)) for post in range(3)])


def test_vectors_past_the_most_regions_are_left_out(tiny_encoder: Path) -> None:
    config = settings("imgfeat", tiny_encoder, regions=4)
    model, views = built(config)
    longer, shorter = picture("imgfeat", 1, 6), picture("imgfeat", 1, 6)
    shorter["grid"] = shorter["grid"][:4]
    first, second = (scores(model, batch_of(views, config, [own], WORDS[:1])) for own in (longer, shorter))
    torch.testing.assert_close(first, second)


def test_picture_has_a_rate_of_its_own(tiny_encoder: Path) -> None:
    model, _ = built(settings("imgfeat", tiny_encoder))
    assert [id(p) for p in model.parameter_groups()["visual"]] == [id(p) for p in model.visual.parameters()]


class _StopError(Exception):
    pass


def test_trained_model_reads_the_features_of_a_picture_or_of_a_folder(
    pictured: Make, album: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = pictured(training=TRAINING)
    whole = train(config, root=album, out=tmp_path / "whole")
    assert "1 of 12 pictures have no features, such as 12.jpg" in caplog.text
    assert {"visual.weight", "emission.weight", "crf.start"} <= load_file(whole / "model/head.safetensors").keys()
    record = json.loads((whole / "record.json").read_text())
    assert record["splits"]["train"]["contexts"] == {"used": 11, "unknown": 1}
    assert record["splits"]["train"]["context_kinds"]["grid"] == 11

    tagger = mner.load(whole)
    post = Post("Kevin Love is back in Cleveland")
    seen = tagger(post, image=album / "photos" / "1.jpg")
    assert (seen.view, seen.image_status, seen.context) == ("I+T", "used", None)
    assert (tagger(post).view, tagger(post).image_status) == ("T", "none")
    assert tagger(post, image=album / "photos" / "12.jpg").image_status == "missing"
    assert tagger(post, context="two people").image_status == "empty"
    ready = mner.load(whole, features=album / "features")
    assert ready({"text": post.text, "image": "1.jpg"}).entities == seen.entities
    (tmp_path / "posts.jsonl").write_text(json.dumps({"text": post.text, "image": "1.jpg"}) + "\n")
    for command in ("predict", "explain"):  # no picture lies beside the posts, so only the folder can have it
        words = [command, str(tmp_path / "posts.jsonl"), "--model", str(whole), "--features", str(album / "features")]
        assert json.loads(CliRunner().invoke(cli.app, words).stdout)["view"] == "I+T"
    explained = tagger.explain(post, image=album / "photos" / "1.jpg")
    assert explained.evidence
    for evidence in explained.evidence:
        assert evidence.without_source == {"grid": pytest.approx(evidence.without_image, abs=1e-5)}


@pytest.mark.parametrize(
    ("policy", "states"), [("skip", {"used": 11, "unknown": 1}), ("zero", {"used": 11, "filled": 1})]
)
def test_picture_without_features_follows_the_policy(
    policy: str, states: dict[str, int], pictured: Make, album: Path, tmp_path: Path
) -> None:
    run = train(pictured(data={"features_missing": policy}, training={"epochs": 1}), root=album, out=tmp_path / "runs")
    assert json.loads((run / "record.json").read_text())["splits"]["dev"]["contexts"] == states


@pytest.mark.parametrize(
    ("sections", "error", "message"),
    [
        ({"data": {"features": None}}, ConfigError, r'data\.features: not set, but the model "imgfeat" reads "grid"'),
        ({"model": {"options": {"width": 9}}}, DataError, r"features: array \"grid\" has the shape \(4, 8\), but"),
        ({"model": {"options": {"widht": 9}}}, ConfigError, r'widht: unknown key; did you mean "width"'),
        ({"loss": {"views": ["T", "I+T"], "cva": "posterior"}}, ConfigError, r"does not align its views"),
        ({"context": {"max_tokens": 512}}, ConfigError, r"512 positions; set context\.max_tokens = 508"),
        ({"training": {"lr": {"gate": 1.0}}}, ConfigError, r"no parameter group gate.*encoder, feature, crf, visual"),
        ({"context": {"substitute": "empty"}}, ConfigError, r"context\.substitute"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_step(
    sections: dict[str, Any], error: type[MnerError], message: str, pictured: Make, album: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        train(pictured(**sections), root=album, out=tmp_path / "runs")


def test_features_of_another_extractor_are_refused(pictured: Make, album: Path, tmp_path: Path) -> None:
    run = train(pictured(training={"epochs": 1}), root=album, out=tmp_path / "runs")
    options = {"cells": 2, "width": 8, "seed": 5}
    build_features(pictures(album / "photos"), tmp_path / "other", extractor="projection", options=options)
    with pytest.raises(ModelError, match="its features are not those the model was trained on"):
        mner.load(run, features=tmp_path / "other")
    (album / "features").rename(album / "first")
    (tmp_path / "other").rename(album / "features")
    with pytest.raises(ModelError, match="its features are not those the model was trained on"):
        evaluate(run)
    with pytest.raises(ModelError, match=r"teachers\.models: .* its features are not those the model was trained on"):
        train(pictured(name="student", teachers={"models": [str(run)]}), root=album, out=tmp_path / "runs")
    shutil.rmtree(album / "features")
    with pytest.raises(DataError, match="no such folder of features"):
        mner.load(run, features=album / "features")


def test_file_of_posts_is_scored_with_the_features_that_are_named(
    pictured: Make, album: Path, tmp_path: Path, posts_file: Path
) -> None:
    run = train(pictured(training={"epochs": 1}), root=album, out=tmp_path / "runs")
    lines: list[str] = []
    with_ = evaluate_posts(run, posts_file, features=album / "features", watch=lines.append)
    assert set(with_.scores) == {"T", "I+T"}
    assert lines == [f"{posts_file}: 12 posts, 11 with a visual context"]
    assert with_.to_dict()["I+T"]["micro"] == evaluate(run).to_dict()["I+T"]["micro"]
    assert with_.scores["I+T"].calibration != with_.scores["T"].calibration
    for posts in (posts_file, album / "dev.txt"):  # features beside the posts are not read unasked
        alone = evaluate_posts(run, posts, contexts=(), watch=lines.append)
        assert set(alone.scores) == {"T"}
        assert lines[-1].endswith(
            "12 posts; their pictures were not read; name the folder of their features: --features FOLDER"
        )
        assert alone.scores["T"].micro == with_.scores["T"].micro

    options = {"cells": 2, "width": 8, "seed": 5}
    build_features(pictures(album / "photos"), tmp_path / "other", extractor="projection", options=options)
    with pytest.raises(ModelError, match="its features are not those the model was trained on"):
        evaluate_posts(run, posts_file, features=tmp_path / "other")


def test_model_is_calibrated_with_the_features_that_are_named(
    pictured: Make, album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(pictured(training={"epochs": 1}), root=album, out=tmp_path / "runs")
    views: list[set[str]] = []

    def stop(runtime: Any, split: ViewSplit) -> None:
        views.append({post.view for encoded in split.encoded.values() for post in encoded})
        raise _StopError

    monkeypatch.setattr("mner.runs.calibrate.view_emissions", stop)
    monkeypatch.setattr("mner.runs.calibrate.OVERLAP", 2)  # these posts are those of training
    lines: list[str] = []
    for features in (album / "features", None):
        with pytest.raises(_StopError):
            calibrate(run, album / "dev.txt", scale="temperature", features=features, watch=lines.append)
    assert views == [{"T", "I+T"}, {"T"}]
    assert [line for line in lines if "not read" in line] == [
        "album/dev.txt: their pictures were not read; name the folder of their features: --features FOLDER"
    ]


def test_commands_score_and_analyze_features(
    pictured: Make, album: Path, tmp_path: Path, posts_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = train(pictured(training={"epochs": 1}), root=album, out=tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    evaluated = ["evaluate", str(run), str(posts_file), "--features", str(album / "features"), "--json"]
    assert set(json.loads(CliRunner().invoke(cli.app, evaluated).stdout)) == {"T", "I+T"}
    asked_too_early = CliRunner().invoke(cli.app, ["evaluate", str(run), "--features", str(album / "features")])
    assert asked_too_early.exit_code == 2 and "goes with a file of posts" in asked_too_early.stderr
    for name, key in (("robustness", "used"), ("cases", "used"), ("distance", "posts")):
        analyzed = CliRunner().invoke(cli.app, ["analyze", name, str(run), "--json"])
        assert json.loads(analyzed.stdout)[0][key] == 11, name


def test_features_for_a_model_without_are_refused(tiny_model: Path, posts_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="the model reads no features of pictures; leave out the features"):
        evaluate_posts(tiny_model, posts_file, features=tmp_path)


def test_model_of_zeros_is_scored_on_zeros(pictured: Make, album: Path, tmp_path: Path, posts_file: Path) -> None:
    config = pictured(data={"features": None, "features_missing": "zero"}, training={"epochs": 1})
    run = train(config, root=album, out=tmp_path / "runs")
    assert set(evaluate_posts(run, posts_file).scores) == {"T", "I+T"}


def test_shuffled_features_are_those_of_another_picture(pictured: Make, album: Path) -> None:
    config = pictured(context={"substitute": "shuffled"})
    posts = [Post("Phoenix", image=f"{number}.jpg") for number in (1, 2, 3, 12)] + [Post("Phoenix")]
    needs = models.needs(config)
    own = arrays_of(posts, pictured(), album, needs)
    other = arrays_of(posts, config, album, needs)
    assert list(other.states) == list(own.states) == ["used", "used", "used", "unknown", "none"]
    as_bytes = [[arrays["grid"].tobytes() for arrays in reading.arrays[:3]] for reading in (own, other)]
    assert sorted(as_bytes[0]) == sorted(as_bytes[1])
    assert all(mine != theirs for mine, theirs in zip(*as_bytes, strict=True))


def test_regions_of_several_pictures_stand_side_by_side(pictured: Make, album: Path) -> None:
    config = pictured()
    posts = [
        Post("Phoenix", image="1.jpg"),
        Post("Phoenix", image="none.jpg", more_images=("1.jpg", "2.jpg")),
        Post("Phoenix", image="none.jpg", more_images=("gone.jpg",)),
    ]
    reading = arrays_of(posts, config, album, models.needs(config))
    assert list(reading.states) == ["used", "used", "unknown"]
    alone, both, nothing = reading.arrays
    assert len(both["grid"]) == 2 * len(alone["grid"])
    np.testing.assert_array_equal(both["grid"][: len(alone["grid"])], alone["grid"])
    assert not nothing


def test_pictures_of_zeros_train_what_the_further_layers_do(
    pictured: Make, album: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = pictured(data={"features": None, "features_missing": "zero"}, training={"epochs": 1})
    run = train(config, root=album, out=tmp_path / "runs")
    assert "the features of all 12 pictures are zeros" in caplog.text
    assert json.loads((run / "record.json").read_text())["splits"]["dev"]["contexts"] == {"filled": 12}
