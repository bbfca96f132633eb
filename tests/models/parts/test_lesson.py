"""What teachers teach: the loss by hand, its gradient, and models with and without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mner import config as configs
from mner import tags
from mner.config import TeachersConfig
from mner.encoders import find
from mner.models import build, can_be_taught
from mner.models.parts.lesson import lesson
from mner.runtime.torch import load_encoder, view_tensors
from mner.views import Piece, Views, collate

LENGTHS = torch.tensor([4, 1, 3])
LABELS = tags.bioes_labels(["PER"])


@pytest.mark.parametrize("tau", [1.0, 3.0])
def test_lesson_is_the_divergence_of_each_view_by_its_weight(crf, normal, tau):
    chain = crf(5)
    taught = {view: torch.log_softmax(2 * normal(3, 4, 5, seed=seed), -1) for view, seed in (("T", 2), ("I+T", 5))}
    scores = {view: normal(3, 4, 5, seed=seed).requires_grad_() for view, seed in (("T", 3), ("I+T", 4))}
    weights = {"T": 1.0, "I+T": 0.25}
    computed = lesson(TeachersConfig(temperature=tau), chain, taught, scores, weights, LENGTHS)
    expected = torch.zeros(3, dtype=computed.dtype)
    for view, weight in weights.items():
        q = torch.softmax(taught[view] / tau, -1)
        p = torch.softmax(chain.posteriors(scores[view], LENGTHS) / tau, -1)
        words = (q * (q.log() - p.log())).sum(-1) * (torch.arange(4) < LENGTHS[:, None])
        expected = expected + weight * tau**2 * words.sum(1)
    torch.testing.assert_close(computed, expected, rtol=1e-10, atol=1e-12)


def test_who_believes_all_of_it_learns_nothing(crf, normal):
    chain, scores = crf(5), normal(3, 4, 5).requires_grad_()
    taught = {"T": chain.posteriors(scores, LENGTHS).detach()}
    computed = lesson(TeachersConfig(), chain, taught, {"T": scores}, {"T": 1.0}, LENGTHS)
    computed.sum().backward()
    for value in (computed, scores.grad, *(parameter.grad for parameter in chain.parameters())):
        torch.testing.assert_close(value, torch.zeros_like(value), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "loss", "weights"),
    [
        ("text", {"views": ["T"]}, {"T": 1.0}),
        ("ita", {"cva": "posterior"}, {"T": 1.0, "I+T": 0.5}),
        ("ita", {"views": ["I+T"]}, {"I+T": 1.0}),
    ],
)
def test_model_adds_the_lesson_of_the_views_it_trains(
    tiny_encoder: Path, name: str, loss: dict[str, Any], weights: dict[str, float]
) -> None:
    config = configs.check({"model": {"name": name}, "loss": loss, "teachers": {"weight": 0.25}})
    torch.manual_seed(0)
    model = build(config, LABELS, load_encoder(tiny_encoder)).eval()
    views = Views(find(str(tiny_encoder)))
    words = [("kevin", "love", "is", "back"), ("phoenix",), ("jordan", "won", "!")]
    beside = [[Piece("captions", "x", "a team")]] * 3
    encoded = {"T": views.encode_many(words), "I+T": views.encode_many(words, beside)}
    batch = view_tensors({view: collate(posts, pad_id=views.pad_id) for view, posts in encoded.items()}, model)
    gold = torch.zeros(3, 4, dtype=torch.long)
    taught = {view: torch.log_softmax(torch.randn(3, 4, len(LABELS)), -1) for view in weights}
    without, both, alone = model(batch, gold), model(batch, gold, taught), model(batch, None, taught)
    scores = {view: model.emissions(batch, view) for view in weights}
    expected = lesson(config.teachers, model.crf, taught, scores, weights, LENGTHS)
    torch.testing.assert_close(both["teachers"], expected)
    torch.testing.assert_close(both["loss"], without["loss"] + 0.25 * expected)
    torch.testing.assert_close(alone["loss"], 0.25 * expected)
    assert alone.keys() == {"loss", "teachers"}
    assert "teachers" not in without


@pytest.mark.parametrize(("name", "expected"), [("ita", True), ("text", True), ("imgfeat", True)])
def test_models_say_whether_they_can_be_taught(name: str, expected: bool) -> None:
    assert can_be_taught(configs.check({"model": {"name": name}})) is expected
