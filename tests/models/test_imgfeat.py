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
from safetensors.numpy import load_file
from typer.testing import CliRunner

import mner
from mner import cli, encoders, models, tags
from mner.config import Config
from mner.data.listing import pictures
from mner.errors import ConfigError, DataError, MnerError, ModelError
from mner.export import export
from mner.models import build
from mner.runs.calibrate import calibrate
from mner.runs.evaluate import evaluate
from mner.runs.posts import evaluate_posts
from mner.runtime.torch import load_encoder, view_tensors
from mner.training.run import Event, train
from mner.types import Post, ViewName
from mner.views import Batch, Views, collate
from mner.views.features import arrays_of
from mner.views.split import ViewSplit
from mner.vision.features import build as build_features

LABELS = tags.bioes_labels(["LOC", "PER"])
WORDS = [["kevin", "love", "is", "back"], ["phoenix"], ["jordan", "won", "last", "night"]]
Make = Callable[..., Config]
GOLD = torch.tensor([[0, 1, 0, 0], [2, 0, 0, 0], [0, 3, 0, 0]])


def built(config: Config) -> tuple[torch.nn.Module, Views]:
    torch.manual_seed(0)
    model = build(config, LABELS, load_encoder(Path(config.model.encoder)))
    torch.nn.init.normal_(model.tagger.words.shapes.weight)
    return model.eval(), Views(encoders.find(config.model.encoder), config.context)


def batch_of(
    views: Views, config: Config, grids: list[np.ndarray | None], words: list[list[str]] = WORDS
) -> dict[ViewName, Batch]:
    arrays = models.needs(config).arrays
    pictured = [{} if grid is None else {"grid": grid} for grid in grids]
    both = {"T": views.encode_many(words), "I+T": views.encode_many(words, None, pictured)}
    return {view: collate(posts, pad_id=views.pad_id, arrays=arrays) for view, posts in both.items()}  # type: ignore


def grid(seed: int, regions: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(regions, 8)).astype(np.float32)


def scores(model: Any, batch: dict[ViewName, Batch], view: ViewName) -> torch.Tensor:
    with torch.inference_mode():
        return model.emissions(view_tensors(batch, model), view)  # type: ignore[no-any-return]


def test_words_see_the_picture_and_only_words_are_scored(pictured: Make) -> None:
    config = pictured()
    model, views = built(config)
    whole_run = batch_of(views, config, [grid(1), grid(2), None])
    other = batch_of(views, config, [grid(3), grid(2), None])
    first, second = scores(model, whole_run, "I+T"), scores(model, other, "I+T")
    assert first.shape == (3, 4, len(LABELS)), "words and labels: no picture's position is scored"
    assert (first[0] - second[0]).abs().min() > 1e-6
    torch.testing.assert_close(first[1], second[1])
    alone = scores(model, whole_run, "T")
    torch.testing.assert_close(first[2], alone[2], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(alone, scores(model, other, "T"), atol=0, rtol=0)


def test_score_depends_on_no_other_post_of_its_batch(pictured: Make) -> None:
    config = pictured()
    model, views = built(config)
    together = scores(model, batch_of(views, config, [grid(1, 2), grid(2, 4), None]), "I+T")
    for number, values in enumerate((grid(1, 2), grid(2, 4), None)):
        alone = scores(model, batch_of(views, config, [values], WORDS[number : number + 1]), "I+T")
        torch.testing.assert_close(together[number, : alone.shape[1]], alone[0], atol=1e-5, rtol=1e-5)


def test_vectors_past_the_most_regions_are_left_out(pictured: Make) -> None:
    config = pictured()
    model, views = built(config)
    longer = np.concatenate([grid(1), grid(9)])
    first = scores(model, batch_of(views, config, [longer], WORDS[:1]), "I+T")
    torch.testing.assert_close(first, scores(model, batch_of(views, config, [grid(1)], WORDS[:1]), "I+T"))


def test_every_parameter_has_a_gradient_and_one_group(pictured: Make) -> None:
    config = pictured()
    model, views = built(config)
    model.train()
    losses = model.losses(view_tensors(batch_of(views, config, [grid(1), grid(2), None]), model), GOLD)
    assert losses["loss"].shape == (3,) and losses.keys() == {"loss", "I+T"}
    losses["loss"].sum().backward()
    groups = model.parameter_groups()
    named = {id(parameter): name for name, parameter in model.named_parameters()}
    grouped = [id(parameter) for group in groups.values() for parameter in group]
    assert sorted(grouped) == sorted(named)
    assert {named[id(p)] for p in groups["visual"]} == {"visual.weight", "visual.bias"}
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent


def test_model_overfits_eight_posts_whose_pictures_alone_tell_them_apart(pictured: Make) -> None:
    config = pictured(model={"word_dropout": 0.0})
    model, views = built(config)
    words = [["phoenix", "won"]] * 8
    gold = torch.tensor([[LABELS.index("S-LOC" if number % 2 else "S-PER"), 0] for number in range(8)])
    batch = view_tensors(batch_of(views, config, [grid(number) for number in range(8)], words), model)
    rates = {"encoder": 3e-3, "visual": 1e-2, "feature": 1e-3, "crf": 1e-2}
    optimizer = torch.optim.AdamW([{"params": p, "lr": rates[n]} for n, p in model.parameter_groups().items()])
    for _ in range(120):
        optimizer.zero_grad()
        loss = model.losses(batch, gold)["loss"].mean()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.1
    computed = scores(model, batch_of(views, config, [grid(number) for number in range(8)], words), "I+T")
    assert computed[:, 0].argmax(-1).tolist() == gold[:, 0].tolist()


class _StopError(Exception):
    pass


def test_run_trains_resumes_bit_equal_predicts_and_explains(
    pictured: Make, album: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = pictured()

    def stop(event: Event) -> None:
        if event.kind == "epoch":
            raise _StopError

    whole = train(config, root=album, out=tmp_path / "whole")
    assert "1 of 12 pictures have no features, such as 12.jpg" in caplog.text
    with pytest.raises(_StopError):
        train(config, root=album, out=tmp_path / "cut", watch=stop)
    cut = train(config, root=album, out=tmp_path / "cut", resume=True)
    for name in ("head.safetensors", "encoder/model.safetensors"):
        whole_run, other = (load_file(folder / "model" / name) for folder in (whole, cut))
        assert whole_run.keys() == other.keys() and all((whole_run[key] == other[key]).all() for key in whole_run)
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
    assert all(set(whole_run.without_source) == {"grid"} for whole_run in explained.evidence)
    for whole_run in explained.evidence:
        assert whole_run.without_source["grid"] == pytest.approx(whole_run.without_image, abs=1e-5)

    exported = export(whole, out=tmp_path / "onnx", dev_config=whole / "config.toml", threads=1)
    assert exported.figures["model.onnx"].differing == 0
    small = mner.load(tmp_path / "onnx", backend="onnx")
    image = album / "photos" / "2.jpg"
    for given in ({"image": image}, {}):
        theirs, ours = small(post, **given), tagger(post, **given)
        assert [e.to_dict() | {"score": 0} for e in theirs.entities] == [
            e.to_dict() | {"score": 0} for e in ours.entities
        ]
        np.testing.assert_allclose([e.score for e in theirs.entities], [e.score for e in ours.entities], atol=1e-4)


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
