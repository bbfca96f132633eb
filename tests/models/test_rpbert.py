"""RpBERT: the gate decides whether the picture counts, and the second pass reads gated tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from derivation import Window, at_words, bert_embeddings, bert_layers, bilstm, linear, regions_of, softmax, windows
from systems import GOLD, assert_scores, batch_of, built, picture, scores, settings, three, windowed

from mner import models
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


@pytest.mark.parametrize("without_relation", [False, True])
def test_scores_equal_their_derivation(without_relation: bool, tiny_encoder: Path) -> None:
    """The first window's [CLS] of the first pass gates the picture; words are means of the second pass."""
    model, arrays = windowed("rpbert", tiny_encoder, without_relation=without_relation)
    network = model.words.encoder

    def read(window: Window, gate: float) -> np.ndarray:
        picture = gate * linear(model.visual, regions_of(arrays, "grid", window.post))
        types = np.array([0] * len(window.ids) + [1] * len(picture))
        sequence = bert_embeddings(network, np.concatenate([window.vectors, picture]), types)
        return bert_layers(network, sequence)[: len(window.ids)]

    every = list(windows(arrays, network, model.words.shapes))
    gates = {}
    for window in every:
        if window.post not in gates:
            gates[window.post] = 1.0 if without_relation else softmax(linear(model.judge, read(window, 1.0)[0]))[1]
    hidden = [read(window, gates[window.post]) for window in every]
    words = [at_words(arrays, hidden, post, mean=True) for post in range(3)]
    assert_scores(model, arrays, [linear(model.emission, bilstm(model.lstm, of_post)) for of_post in words])


def test_without_relation_no_pair_is_needed(tiny_encoder: Path) -> None:
    assert models.needs(settings("rpbert", tiny_encoder, without_relation=True)).tasks == ()


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
