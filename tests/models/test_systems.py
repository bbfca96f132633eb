"""What every published system that looks at pictures keeps to, whatever its layers are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.numpy import load_file
from systems import (
    ARRAYS,
    GOLD,
    LABELS,
    SYSTEMS,
    UNORDERED,
    WIDTH,
    WORDS,
    batch_of,
    built,
    picture,
    scores,
    settings,
    three,
)

import mner
from mner import config as configs
from mner import models
from mner.config import Config
from mner.data.listing import pictures
from mner.errors import ConfigError
from mner.export import export
from mner.runtime.torch import view_tensors
from mner.training.run import Event, train
from mner.types import Post
from mner.vision.features import build as build_features


@pytest.mark.parametrize("name", SYSTEMS)
def test_words_see_the_picture_and_only_words_are_scored(name: str, tiny_encoder: Path) -> None:
    config = settings(name, tiny_encoder)
    model, views = built(config)
    batch, other = (batch_of(views, config, three(name, seed, 2)) for seed in (1, 3))
    first, second = scores(model, batch), scores(model, other)
    assert first.shape == (3, 4, len(LABELS)) and first.dtype == torch.float32
    assert (first[0] - second[0]).abs().max() > 1e-5
    torch.testing.assert_close(first[1], second[1])
    vectors = model.word_vectors(view_tensors(batch, model), "I+T")
    assert vectors.shape[:2] == (3, 4)
    alone = scores(model, batch, "T")
    torch.testing.assert_close(first[2], alone[2], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(alone, scores(model, other, "T"), atol=0, rtol=0)


@pytest.mark.parametrize("name", SYSTEMS)
def test_score_depends_on_no_other_post_of_its_batch(name: str, tiny_encoder: Path) -> None:
    config = settings(name, tiny_encoder)
    model, views = built(config)
    pictures = three(name, 1, 2)
    together = scores(model, batch_of(views, config, pictures))
    for number, own in enumerate(pictures):
        alone = scores(model, batch_of(views, config, [own], WORDS[number : number + 1]))
        torch.testing.assert_close(together[number, : alone.shape[1]], alone[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", UNORDERED)
def test_order_of_regions_changes_nothing(name: str, tiny_encoder: Path) -> None:
    config = settings(name, tiny_encoder)
    model, views = built(config)
    regions = picture(name, 1)
    turned = {array: values[::-1].copy() for array, values in regions.items()}
    first, second = (scores(model, batch_of(views, config, [own], WORDS[:1])) for own in (regions, turned))
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in SYSTEMS if name != "riva"])  # it reads no layer of its encoder
def test_every_parameter_has_a_gradient_and_one_group(name: str, tiny_encoder: Path) -> None:
    config = settings(name, tiny_encoder)
    model, views = built(config)
    model.train()
    losses = model.losses(view_tensors(batch_of(views, config, three(name, 1, 2)), model), GOLD)
    assert losses["loss"].shape == (3,)
    losses["loss"].sum().backward()
    named = {id(parameter): at for at, parameter in model.named_parameters()}
    grouped = [id(parameter) for group in model.parameter_groups().values() for parameter in group]
    assert sorted(grouped) == sorted(named)
    silent = [at for at, p in model.named_parameters() if (p.grad is None or not p.grad.any()) and ".pooler." not in at]
    # Keys have no gradient of their bias: it adds the same to each score of a softmax.
    assert [at for at in silent if not at.endswith("key.bias")] == []


@pytest.mark.parametrize("name", SYSTEMS)
def test_model_overfits_eight_posts_whose_pictures_alone_tell_them_apart(name: str, tiny_encoder: Path) -> None:
    config = settings(name, tiny_encoder, **({} if name == "imgfeat" else {"dropout": 0.0}))
    config = config.model_copy(update={"model": config.model.model_copy(update={"word_dropout": 0.0})})
    model, views = built(config)
    words = [["phoenix", "won"]] * 8
    gold = torch.tensor([[LABELS.index("S-LOC" if number % 2 else "S-PER"), 0] for number in range(8)])
    arrays = batch_of(views, config, [picture(name, number) for number in range(8)], words)
    batch = view_tensors(arrays, model)
    rates = {
        "encoder": 3e-3,
        "visual": 1e-2,
        "fusion": 3e-3,
        "feature": 1e-3,
        "crf": 1e-2,
        "relation": 3e-3,
        "language": 3e-3,
    }
    optimizer = torch.optim.AdamW(
        [{"params": p, "lr": rates.get(n, 1e-2)} for n, p in model.parameter_groups().items() if p]
    )
    for _ in range(250):
        optimizer.zero_grad()
        loss = model.losses(batch, gold)["loss"].mean()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.2
    assert scores(model, arrays)[:, 0].argmax(-1).tolist() == gold[:, 0].tolist()


@pytest.mark.parametrize("name", [*SYSTEMS, "rpbert hard"])
def test_teachers_stand_beside_the_gold_labels_or_in_their_place(name: str, tiny_encoder: Path) -> None:
    name, *hard = name.split()
    config = settings(name, tiny_encoder, **({"gate": "hard"} if hard else {}))
    config = config.model_copy(update={"teachers": config.teachers.model_copy(update={"weight": 3.0})})
    model, views = built(config)
    batch = view_tensors(batch_of(views, config, three(name, 1, 2)), model)

    def losses(*given: Any, **taught: Any) -> dict[str, torch.Tensor]:
        torch.manual_seed(1)
        return model.losses(batch, *given, **taught)  # type: ignore[no-any-return]

    plain = losses(GOLD)
    other = model.crf.posteriors(torch.randn(3, 4, len(LABELS)), batch["I+T"]["lengths"])
    alone = losses(None, taught={"I+T": other})
    assert alone.keys() == {"loss", "teachers"} and (alone["teachers"] > 0).all()
    torch.testing.assert_close(alone["loss"], 3 * alone["teachers"])
    both = losses(GOLD, taught={"I+T": other})
    assert both.keys() == {*plain, "teachers"}
    torch.testing.assert_close(both["loss"], plain["loss"] + alone["loss"])
    alone["loss"].sum().backward()
    assert any(
        p.grad is not None and p.grad.any() for p in model.parameter_groups()["encoder" if name != "riva" else "crf"]
    )
    if not hard:  # its scores depend on what was sampled
        own = model.crf.posteriors(model.emissions(batch, "I+T"), batch["I+T"]["lengths"]).detach()
        torch.testing.assert_close(losses(GOLD, taught={"I+T": own})["loss"], plain["loss"])


def test_system_learns_from_teachers_on_posts_without_labels(
    album: Path, pictured: Callable[..., Config], tmp_path: Path
) -> None:
    (album / "more.jsonl").write_text(json.dumps({"text": "Kevin Love won", "image": "1.jpg"}) + "\n")
    teacher = train(pictured(name="teacher"), root=album, out=tmp_path / "runs")
    config = pictured(teachers={"models": [str(teacher)]}, data={"tasks": {"unlabelled": "more.jsonl"}})
    run = train(config, root=album, out=tmp_path / "runs")
    losses = json.loads((run / "record.json").read_text())["epochs"][0]["losses"]
    assert losses.keys() == {"I+T", "teachers", "loss", "taught.teachers", "taught.loss"}
    assert losses["taught.loss"] == pytest.approx(losses["taught.teachers"])


@pytest.mark.parametrize("name", SYSTEMS)
def test_views_are_not_aligned(name: str, tiny_encoder: Path) -> None:
    config = settings(name, tiny_encoder)
    aligned = config.model_copy(update={"loss": configs.LossConfig(cva="posterior")})
    with pytest.raises(ConfigError, match=f'"{name}" does not align its views'):
        models.needs(aligned)


class _StopError(Exception):
    pass


@pytest.mark.parametrize("name", SYSTEMS)
def test_run_trains_resumes_bit_equal_predicts_explains_and_exports(
    name: str, album: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    options = {"cells": 2, "width": WIDTH, "gives": ARRAYS[name][0]}
    build_features(pictures(album / "photos"), album / "arrays", extractor="projection", options=options)
    tags_of = [{"image": f"{number}.jpg", "tags": [{"object": "car"}]} for number in range(1, 13)]
    (album / "contexts.jsonl").write_text("".join(json.dumps(context) + "\n" for context in tags_of))
    pairs = [{"text": "Kevin Love", "image": f"{number}.jpg", "image_adds": number % 2 == 0} for number in range(1, 7)]
    (album / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    tasks = {"rpbert": {"relation": "pairs.jsonl"}, "riva": {"relation": "pairs.jsonl", "unlabelled": "pairs.jsonl"}}
    table = settings(name, tiny_encoder).model_dump()
    config = configs.check(
        {
            **table,
            "name": "run",
            "data": {"name": "album", "train": "train.txt", "dev": "dev.txt", "features": "arrays"}
            | ({"contexts": ["contexts.jsonl"]} if "vinvl" in name else {})
            | ({"tasks": tasks[name]} if name in tasks else {}),
            "vision": {"features": "projection", "options": {"projection": options}},
            "training": {"epochs": 2, "posts_per_step": 5, "encoder_lr": 1e-3, "device": "cpu", "threads": 1},
        }
    )

    def stop(event: Event) -> None:
        if event.kind == "epoch":
            raise _StopError

    whole = train(config, root=album, out=tmp_path / "whole")
    with pytest.raises(_StopError):
        train(config, root=album, out=tmp_path / "cut", watch=stop)
    cut = train(config, root=album, out=tmp_path / "cut", resume=True)
    folders = ["encoder", "encoder2"] if name == "bert_vinvl" else ["encoder"]
    for file in ("head.safetensors", *(f"{folder}/model.safetensors" for folder in folders)):
        first, second = (load_file(run / "model" / file) for run in (whole, cut))
        assert first.keys() == second.keys() and all((first[key] == second[key]).all() for key in first)

    tagger = mner.load(whole)
    post, image = Post("Kevin Love is back in Cleveland"), album / "photos" / "1.jpg"
    seen = tagger(post, image=image)
    assert (seen.view, seen.image_status) == ("I+T", "used")
    assert (tagger(post).view, tagger(post).image_status) == ("T", "none")
    explained = tagger.explain(post, image=image)
    assert all(ARRAYS[name][0] in evidence.without_source for evidence in explained.evidence)

    exported = export(whole, out=tmp_path / "onnx", dev_config=whole / "config.toml", threads=1)
    assert exported.figures["model.onnx"].differing == 0
    small = mner.load(tmp_path / "onnx", backend="onnx")
    for given in ({"image": image}, {}):
        theirs, ours = small(post, **given), tagger(post, **given)
        assert [e.text for e in theirs.entities] == [e.text for e in ours.entities]
