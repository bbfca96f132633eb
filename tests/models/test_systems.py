"""What every published system that looks at pictures keeps to, whatever its layers are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from systems import (
    ARRAYS,
    GOLD,
    LABELS,
    LONG,
    NARROW,
    SYSTEMS,
    TRAINING,
    UNORDERED,
    WIDTH,
    WORDS,
    batch_of,
    built,
    check_run,
    overfits,
    picture,
    scores,
    settings,
    three,
)

from mner import config as configs
from mner import models
from mner.config import Config
from mner.data.listing import pictures
from mner.errors import ConfigError
from mner.runtime.torch import view_tensors
from mner.training.run import train
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
    config = settings(name, tiny_encoder, context=NARROW)
    model, views = built(config)
    for words in (WORDS, LONG):
        pictures = three(name, 1, 2)
        batch = batch_of(views, config, pictures, words)
        assert (len(batch["I+T"].window_post) > 3) == (words is LONG)
        together = scores(model, batch)
        for number, own in enumerate(pictures):
            alone = scores(model, batch_of(views, config, [own], words[number : number + 1]))
            torch.testing.assert_close(together[number, : alone.shape[1]], alone[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", UNORDERED)
def test_order_of_regions_changes_nothing(name: str, tiny_encoder: Path) -> None:
    config = settings(name, tiny_encoder)
    model, views = built(config)
    regions = picture(name, 1)
    turned = {array: values[::-1].copy() for array, values in regions.items()}
    first, second = (scores(model, batch_of(views, config, [own], WORDS[:1])) for own in (regions, turned))
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_parameter_has_a_gradient_and_one_group(name: str, tiny_encoder: Path) -> None:
    config = settings(name, tiny_encoder)
    model, views = built(config)
    model.train()
    batch = view_tensors(batch_of(views, config, three(name, 1, 2)), model)

    def silent() -> list[str]:
        names = [at for at, p in model.named_parameters() if p.grad is None or not p.grad.any()]
        # Keys have no gradient of their bias: it adds the same to each score of a softmax. Of an encoder of its own,
        # without pooling of words, a model reads the word embeddings alone.
        return [at for at in names if not at.endswith("key.bias") and at not in unread]

    unread = {f"encoder.{at}" for at, _ in model.encoders()[0].named_parameters() if "word_embeddings" not in at}
    losses = model.losses(batch, GOLD)["loss"]
    assert losses.shape == (3,)
    losses.sum().backward()
    assert {at.partition(".")[0] for at in silent()} == ({"teacher", "next", "previous"} if name == "riva" else set())
    for task in models.needs(config).tasks:
        losses = model.losses(batch, torch.tensor([0, 1, 1]), task=task.name)["loss"]
        assert losses.shape == (3,)
        losses.sum().backward()
    assert silent() == []
    grouped = [id(parameter) for group in model.parameter_groups().values() for parameter in group]
    assert sorted(grouped) == sorted(id(parameter) for parameter in model.parameters())


@pytest.mark.parametrize("name", [*SYSTEMS, "rpbert hard"])
def test_model_overfits_eight_posts_whose_pictures_alone_tell_them_apart(name: str, tiny_encoder: Path) -> None:
    name, *hard = name.split()
    options: dict[str, Any] = {} if name == "imgfeat" else {"dropout": 0.0}
    config = settings(name, tiny_encoder, **options, **({"gate": "hard"} if hard else {}))
    model, views = built(config)
    pictures = [picture(name, number) for number in range(8)]
    assert overfits(model, batch_of(views, config, pictures, [["phoenix", "won"]] * 8))


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


VARIANTS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    **{name: (name, {}, {}) for name in SYSTEMS},
    "umt-pad": ("umt", {}, {"model": {"subtoken_labels": "pad"}, "decode": {"constrained": False}}),
    "rpbert-hard": ("rpbert", {"gate": "hard"}, {}),
    "rpbert-without-relation": ("rpbert", {"without_relation": True}, {}),
}
"""Models, their options, and the sections that differ."""


@pytest.mark.parametrize("variant", VARIANTS)
def test_run_trains_resumes_bit_equal_predicts_explains_and_exports(
    variant: str, album: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    name, own, changes = VARIANTS[variant]
    options = {"cells": 2, "width": WIDTH, "gives": ARRAYS[name][0]}
    build_features(pictures(album / "photos"), album / "arrays", extractor="projection", options=options)
    tags_of = [{"image": f"{number}.jpg", "tags": [{"object": "car"}]} for number in range(1, 13)]
    (album / "contexts.jsonl").write_text("".join(json.dumps(context) + "\n" for context in tags_of))
    pairs = [{"text": "Kevin Love", "image": f"{number}.jpg", "image_adds": number % 2 == 0} for number in range(1, 7)]
    (album / "pairs.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    config = settings(name, tiny_encoder, **own)
    table = config.model_dump()
    config = configs.check(
        {
            **table,
            **{section: {**table[section], **values} for section, values in changes.items()},
            "data": {"train": "train.txt", "dev": "dev.txt", "features": "arrays"}
            | ({"contexts": ["contexts.jsonl"]} if "vinvl" in name else {})
            | {"tasks": {task.data: "pairs.jsonl" for task in models.needs(config).tasks}},
            "vision": {"features": "projection", "options": {"projection": options}},
            "training": TRAINING,
        }
    )
    check_run(config, album, tmp_path, {"image": album / "photos" / "1.jpg"}, source=ARRAYS[name][0])
