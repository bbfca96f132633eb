"""What a saved model teaches: the loss by hand, its gradient, its weights, and models with and without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mner import config as configs
from mner import tags
from mner.config import LossConfig
from mner.encoders import find
from mner.models import build
from mner.models.parts.teacher import lesson, teaching
from mner.runtime.torch import load_encoder, tensors
from mner.views import Piece, Views, collate

LENGTHS = torch.tensor([4, 1, 3])
LABELS = tags.bioes_labels(["PER"])


def by_hand(config: LossConfig, taught, student, *, weight):
    """Sum over real words of KL(q || p), or of the cross-entropy, at the temperature, times its square."""
    tau = teaching(config)[1]
    q, p = (torch.softmax(one / tau, -1) for one in (taught, student))
    terms = q * (q.log() - p.log()) if config.preset == "official" else -q * p.log()
    words = terms.sum(-1) * (torch.arange(taught.shape[1]) < LENGTHS[:, None])
    return weight * tau**2 * words.sum(1)


@pytest.mark.parametrize(
    "settings", [{}, {"preset": "paper"}, {"temperature": 2.0}, {"preset": "paper", "temperature": 2.0}]
)
def test_lesson_is_the_alignment_of_each_view_by_its_weight(crf, normal, settings):
    config, chain = LossConfig(**settings), crf(5)
    taught = torch.log_softmax(2 * normal(3, 4, 5, seed=2), -1)
    scores = {view: normal(3, 4, 5, seed=seed).requires_grad_() for view, seed in (("T", 3), ("I+T", 4))}
    weights = {"T": 1.0, "I+T": 0.25}
    weight, found = lesson(config, chain, taught, scores, weights, LENGTHS)
    expected = sum(
        by_hand(config, taught, chain.posteriors(one, LENGTHS), weight=weights[view]) for view, one in scores.items()
    )
    assert weight == (0.5 if config.preset == "official" else 1.0)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    leaves = [*scores.values(), *chain.parameters()]
    ours, truth = (torch.autograd.grad(one.sum(), leaves) for one in (found, expected))
    for one, other in zip(ours, truth, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_who_knows_all_of_it_learns_nothing(crf, normal):
    chain, scores = crf(5), normal(3, 4, 5).requires_grad_()
    taught = chain.posteriors(scores, LENGTHS).detach()
    _, found = lesson(LossConfig(), chain, taught, {"T": scores}, {"T": 1.0}, LENGTHS)
    found.sum().backward()
    torch.testing.assert_close(found, torch.zeros_like(found), rtol=0, atol=1e-12)
    for grad in (scores.grad, *(one.grad for one in chain.parameters())):
        torch.testing.assert_close(grad, torch.zeros_like(grad), rtol=0, atol=1e-12)


def test_weight_and_temperature_follow_the_preset_unless_written():
    assert teaching(LossConfig()) == teaching(LossConfig(cva="sequence")) == (0.5, 4.0)
    assert teaching(LossConfig(preset="paper")) == (1.0, 1.0)
    assert teaching(LossConfig(preset="paper", weight_teacher=0.0, temperature=2.0)) == (0.0, 2.0)


@pytest.mark.parametrize(
    ("name", "loss", "views"),
    [
        ("text", {"views": ["T"]}, {"T": 1.0}),
        ("ita", {"cva": "posterior"}, {"T": 1.0, "I+T": 0.5}),
        ("ita", {"views": ["I+T"]}, {"I+T": 1.0}),
    ],
)
def test_model_adds_the_lesson_of_the_views_it_trains(
    tiny_encoder: Path, name: str, loss: dict[str, Any], views: dict[str, float]
) -> None:
    config = configs.check({"model": {"name": name}, "loss": {**loss, "weight_teacher": 0.25}})
    torch.manual_seed(0)
    model = build(config, LABELS, load_encoder(tiny_encoder)).eval()
    made = Views(find(str(tiny_encoder)))
    words = [("kevin", "love", "is", "back"), ("phoenix",), ("jordan", "won", "!")]
    encoded = {"T": made.encode_many(words), "I+T": made.encode_many(words, [[Piece("captions", "x", "a team")]] * 3)}
    batch = {view: tensors(collate(some, pad_id=made.pad_id), model) for view, some in encoded.items()}
    gold = torch.zeros(3, 4, dtype=torch.long)
    taught = torch.log_softmax(torch.randn(3, 4, len(LABELS)), -1)
    plain, told = model.losses(batch, gold), model.losses(batch, gold, taught)
    assert told.keys() - plain.keys() == {"teacher"}
    expected = sum(
        by_hand(config.loss, taught, model.tagger.crf.posteriors(model.emissions(batch, view), LENGTHS), weight=weight)
        for view, weight in views.items()
    )
    torch.testing.assert_close(told["teacher"], expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(told["loss"], plain["loss"] + 0.25 * told["teacher"])
    for part in plain.keys() - {"loss"}:
        assert torch.equal(told[part], plain[part])
