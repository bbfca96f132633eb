"""OCSGA: object labels reach the words, and without them only the words' own path counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from derivation import (
    at_words,
    attention,
    bilstm,
    characters,
    cross_layer,
    linear,
    norm,
    randomized,
    relu,
    weights,
    windows,
)
from safetensors.numpy import load_file
from systems import GOLD, LABELS, TRAINING, WORDS, assert_scores, check_run, overfits

from mner import config as configs
from mner import encoders, models
from mner.config import Config
from mner.errors import ConfigError
from mner.models import build
from mner.models.ocsga import WordNorm
from mner.runtime.torch import load_encoder, view_tensors
from mner.types import Tag, ViewName, VisualContext
from mner.views import Batch, Piece, Views, collate, compose

SMALL = {"hidden": 8, "character_width": 4, "character_hidden": 4, "inner": 8}


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """An encoder's folder of word vectors for the words of the tests."""
    noise = np.random.default_rng(0)
    words = sorted({word for post in WORDS for word in post} | {"red", "car", "people", "two", "love", "in"})
    lines = [f"{word} {' '.join(f'{number:.4f}' for number in noise.normal(size=6))}\n" for word in words]
    (tmp_path / "vectors.txt").write_text("".join(lines))
    return encoders.take(tmp_path / "vectors.txt", tmp_path / "vectors").folder


def settings(encoder: Path, *, context: Mapping[str, Any] | None = None, **options: Any) -> Config:
    own = {"name": "ocsga", "encoder": str(encoder), "options": {**SMALL, **options}, "word_dropout": 0.0}
    read = {"order": ["tags"], "tags_apart": True, **(context or {})}
    return configs.check({"model": own, "loss": {"views": ["I+T"]}, "context": read})


def built(config: Config) -> tuple[Any, Views]:
    torch.manual_seed(0)
    model = build(config, LABELS, load_encoder(Path(config.model.encoder)))
    return model.eval(), Views(encoders.find(config.model.encoder), config.context)


def batch_of(
    views: Views, config: Config, tags: list[list[str]], words: list[list[str]] = WORDS
) -> dict[ViewName, Batch]:
    arrays = models.needs(config).arrays
    pieces = [[Piece("tags", "test", tag) for tag in post] for post in tags]
    both = {"T": views.encode_many(words), "I+T": views.encode_many(words, pieces)}
    return {view: collate(posts, pad_id=views.pad_id, arrays=arrays) for view, posts in both.items()}  # type: ignore


def scores(model: Any, batch: dict[ViewName, Batch], view: ViewName = "I+T") -> torch.Tensor:
    with torch.inference_mode():
        return model.emissions(view_tensors(batch, model), view)  # type: ignore[no-any-return]


TAGS = [["red car", "two people"], ["car"], []]


def test_words_see_the_labels_in_any_order_and_only_the_first_ones(vectors: Path) -> None:
    config = settings(vectors, objects=2)
    model, views = built(config)
    first = scores(model, batch_of(views, config, TAGS))
    turned = scores(model, batch_of(views, config, [["two people", "red car"], ["car"], []]))
    torch.testing.assert_close(first, turned, atol=1e-5, rtol=1e-5)
    longer = scores(model, batch_of(views, config, [["red car", "two people", "car"], ["car"], []]))
    torch.testing.assert_close(first, longer, atol=1e-6, rtol=1e-6)
    other = scores(model, batch_of(views, config, [["red car"], ["people"], []]))
    assert (first[:2] - other[:2]).abs().amax((1, 2)).min() > 1e-5


def test_without_labels_the_words_own_path_decides(vectors: Path) -> None:
    config = settings(vectors)
    model, views = built(config)
    batch = batch_of(views, config, TAGS)
    torch.testing.assert_close(scores(model, batch)[2], scores(model, batch, "T")[2], atol=1e-6, rtol=1e-6)


def test_scores_equal_their_derivation(vectors: Path) -> None:
    """With two labels of two words, with one of one word in each of several windows, and without any."""
    config = settings(vectors, context={"max_tokens": 32, "overlap": 8})
    model, views = built(config)
    randomized(model)
    model.norm.mean.uniform_(-1, 1), model.norm.variance.uniform_(0.5, 2)
    posts = [WORDS[0], WORDS[2] * 9, WORDS[1]]
    arrays = dict(view_tensors(batch_of(views, config, TAGS, posts), model)["I+T"])
    every = list(windows(arrays, model.encoder))
    assert [window.post for window in every].count(1) > 1
    table = weights(model.encoder.get_input_embeddings().weight)
    expected = []
    for post, written in enumerate(posts):
        words = at_words(arrays, [window.vectors for window in every], post)
        text = bilstm(model.text, np.concatenate([words, [characters(model.characters, word) for word in written]], -1))
        labels = [
            table[[views.subwords.known([word])[word].ids[0] for word in label.split()]].mean(0) for label in TAGS[post]
        ]
        total = text
        if labels:
            objects = linear(model.label, np.array(labels))
            objects = norm(model.labels_norm, objects + attention(model.among_labels, objects, objects))
            among = cross_layer(model.among_words, text, text, relu)
            gathered = norm(model.guided_norm, attention(model.guided, among, objects))
            first, last = model.feedforward[0], model.feedforward[3]
            total = text + norm(model.feedforward_norm, linear(last, relu(linear(first, gathered))))
        layer = model.norm
        scaled = (total - weights(layer.mean)) / np.sqrt(weights(layer.variance) + layer.eps)
        expected.append(linear(model.emission, scaled * weights(layer.weight) + weights(layer.bias)))
    assert_scores(model, arrays, expected)


def test_score_depends_on_no_other_post_of_its_batch(vectors: Path) -> None:
    config = settings(vectors)
    model, views = built(config)
    together = scores(model, batch_of(views, config, TAGS))
    for number, tags in enumerate(TAGS):
        alone = scores(model, batch_of(views, config, [tags], WORDS[number : number + 1]))
        torch.testing.assert_close(together[number, : alone.shape[1]], alone[0], atol=1e-5, rtol=1e-5)


def test_every_parameter_has_a_gradient_and_one_group(vectors: Path) -> None:
    config = settings(vectors, dropout=0.0, fusion_dropout=0.0)
    model, views = built(config)
    model.train()
    model.losses(view_tensors(batch_of(views, config, TAGS), model), GOLD)["loss"].sum().backward()
    named = {id(parameter): at for at, parameter in model.named_parameters()}
    assert sorted(id(p) for group in model.parameter_groups().values() for p in group) == sorted(named)
    silent = [at for at, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert [at for at in silent if not at.endswith("key.bias")] == []


def test_model_overfits_eight_posts_whose_labels_alone_tell_them_apart(vectors: Path) -> None:
    config = settings(vectors, dropout=0.0, fusion_dropout=0.0)
    model, views = built(config)
    tags = [["red"], ["car"], ["two"], ["people"], ["red car"], ["two people"], ["car", "two"], ["people", "red"]]
    assert overfits(model, batch_of(views, config, tags, [["phoenix", "won"]] * 8))


def test_each_tag_of_a_context_is_a_label_of_its_own(vectors: Path) -> None:
    config = settings(vectors)
    model, views = built(config)
    seen = VisualContext("1.jpg", tags=(Tag("car", confidence=0.9), Tag("dog", ("wet",), 0.5)))
    batch = collate(
        views.encode_many(WORDS[:1], [compose(seen, config.context)]),
        pad_id=views.pad_id,
        arrays=models.needs(config).arrays,
    )
    arrays = view_tensors({"I+T": batch}, model)["I+T"]
    _, there = model._labels(arrays, model.encoder.get_input_embeddings()(arrays["input_ids"]))
    assert there.tolist() == [[1, 1, 0, 0]]


def test_joined_tags_are_refused(vectors: Path) -> None:
    config = settings(vectors)
    joined = config.model_copy(update={"context": config.context.model_copy(update={"tags_apart": False})})
    with pytest.raises(ConfigError, match="set tags_apart = true"):
        models.needs(joined)


def test_windows_without_labels_are_refused(vectors: Path) -> None:
    config = settings(vectors)
    release = config.model_copy(update={"context": config.context.model_copy(update={"windows": "release"})})
    with pytest.raises(ConfigError, match='set windows = "words"'):
        models.needs(release)


def test_sub_tokens_cannot_carry_labels(vectors: Path) -> None:
    config = settings(vectors)
    padded = config.model_copy(update={"model": config.model.model_copy(update={"subtoken_labels": "pad"})})
    with pytest.raises(ConfigError, match="has one vector a word"):
        models.needs(padded)


def test_run_trains_resumes_bit_equal_predicts_explains_and_exports(vectors: Path, album: Path, tmp_path: Path) -> None:
    lines = [{"image": f"{number}.jpg", "tags": [{"object": "car"}]} for number in range(1, 13)]
    (album / "contexts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = configs.check(
        {
            **settings(vectors, dropout=0.1, fusion_dropout=0.1).model_dump(),
            "data": {"name": "album", "train": "train.txt", "dev": "dev.txt", "contexts": ["contexts.jsonl"]},
            "training": TRAINING,
        }
    )
    run = check_run(config, album, tmp_path, {"context": lines[0]}, source="tags", int8=True)
    assert load_file(run / "model/head.safetensors")["norm.mean"].any(), "batch norm's means are saved"


def test_norm_equals_batch_norm_over_the_real_words() -> None:
    torch.manual_seed(0)
    ours, theirs = WordNorm(3), torch.nn.BatchNorm1d(3)
    for _ in range(2):
        vectors, real = torch.randn(2, 4, 3), torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0]])
        torch.testing.assert_close(ours(vectors, real)[real == 1], theirs(vectors[real == 1]))
    torch.testing.assert_close(ours.mean, theirs.running_mean)
    torch.testing.assert_close(ours.variance, theirs.running_var)
    vectors = torch.randn(2, 4, 3)
    torch.testing.assert_close(ours.eval()(vectors, real), theirs.eval()(vectors.flatten(0, 1)).unflatten(0, (2, 4)))
