"""RpBERT: the gate decides whether the picture counts, and the second pass reads gated tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from systems import GOLD, batch_of, built, picture, scores, settings, three

from mner import models
from mner.models.parts.appended import append
from mner.models.parts.encoder import mean_pool
from mner.runtime.torch import view_tensors


def closed(model: Any, bias: float) -> None:
    """Make the judge give one answer, whatever it reads."""
    with torch.no_grad():
        model.judge.weight.zero_()
        model.judge.bias.copy_(torch.tensor([bias, -bias]))


@pytest.mark.parametrize(("gate", "bias"), [("hard", 1.0), ("soft", 1e4)])
def test_gate_of_zero_makes_the_picture_irrelevant_bit_for_bit(gate: str, bias: float, tiny_encoder: Path) -> None:
    config = settings("rpbert", tiny_encoder, gate=gate)
    model, views = built(config)
    first, second = (batch_of(views, config, three("rpbert", seed, seed + 1)) for seed in (1, 5))
    assert not torch.equal(scores(model, first), scores(model, second))
    closed(model, bias)
    assert torch.equal(scores(model, first), scores(model, second))
    closed(model, -bias)
    assert not torch.equal(scores(model, first), scores(model, second))


def test_second_pass_reads_the_gated_tokens(tiny_encoder: Path) -> None:
    """The way from the judge's probability to the label scores, once more from the parts."""
    config = settings("rpbert", tiny_encoder)
    model, views = built(config)
    arrays = view_tensors(batch_of(views, config, [picture("rpbert", 1)] * 3), model)["I+T"]
    with torch.inference_mode():
        grid = arrays["grid"] @ model.visual.weight.T + model.visual.bias
        first = append(model.words, arrays, grid, arrays["grid_mask"], types=True)[:, 0]
        judged = first @ model.judge.weight.T + model.judge.bias
        gate = torch.exp(judged[:, 1]) / torch.exp(judged).sum(1)
        second = append(model.words, arrays, gate[:, None, None] * grid, arrays["grid_mask"], types=True)
        words = mean_pool(second, arrays["word_index"], arrays["pieces"])
        states = model.lstm(words, arrays["lengths"])
        expected = states @ model.emission.weight.T + model.emission.bias
        torch.testing.assert_close(model.emissions({"I+T": arrays}, "I+T"), expected, atol=1e-5, rtol=1e-5)


def test_without_relation_one_pass_reads_the_whole_picture(tiny_encoder: Path) -> None:
    config = settings("rpbert", tiny_encoder, without_relation=True)
    assert models.needs(config).tasks == ()
    model, views = built(config)
    assert model.judge is None
    first, second = (batch_of(views, config, three("rpbert", seed, 2)) for seed in (1, 5))
    assert not torch.equal(scores(model, first), scores(model, second))


def test_relation_loss_teaches_the_judge_alone_with_the_encoder(tiny_encoder: Path) -> None:
    config = settings("rpbert", tiny_encoder)
    model, views = built(config)
    batch = view_tensors(batch_of(views, config, three("rpbert", 1, 2)), model)
    loss = model.losses(batch, torch.tensor([0, 1, 1]), task="relation")["loss"]
    assert loss.shape == (3,)
    loss.sum().backward()
    assert model.judge.weight.grad.any() and model.visual.weight.grad.any()
    assert model.emission.weight.grad is None and model.crf.start.grad is None


def test_hard_gate_learns_by_policy_gradient(tiny_encoder: Path) -> None:
    """The judge's gradient is that of the log-probability of what was done, times the advantage of its loss."""
    config = settings("rpbert", tiny_encoder, gate="hard", dropout=0.0)
    model, views = built(config)
    batch = view_tensors(batch_of(views, config, [picture("rpbert", seed) for seed in (1, 2, 3)]), model)
    torch.manual_seed(1)
    losses = model.losses(batch, GOLD)
    losses["loss"].sum().backward()
    bias = model.judge.bias.grad.clone()
    torch.manual_seed(1)
    chances = model._judged(batch["I+T"]).log_softmax(-1)
    action = torch.multinomial(chances.exp(), 1)
    advantage = losses["I+T"].mean() - losses["I+T"]
    done = torch.nn.functional.one_hot(action[:, 0], 2)
    expected = (-advantage[:, None] * (done - chances.exp())).sum(0)
    torch.testing.assert_close(bias, expected.detach(), atol=1e-5, rtol=1e-4)


def test_mean_of_sub_tokens() -> None:
    hidden = torch.arange(12.0).reshape(1, 6, 2)
    index, pieces = torch.tensor([[1, 3, -1]]), torch.tensor([[2, 1, 0]])
    assert mean_pool(hidden, index, pieces).tolist() == [[[3.0, 4.0], [6.0, 7.0], [0.0, 0.0]]]
