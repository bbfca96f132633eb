"""Layers between words and pictures against an independent derivation in numpy."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from mner.models.parts.fusion import Attention, CrossLayer, FeedForward, GraphLayer, begin_as_bert, masked_softmax

REAL_TEXT = np.array([[1, 1, 1], [1, 1, 0]])
REAL_GRID = np.array([[1, 1], [0, 0]])


def random(module: nn.Module, seed: int = 0) -> nn.Module:
    noise = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=noise) * 0.5)
    return module.double().eval()


def linear(layer: nn.Linear, x: np.ndarray) -> np.ndarray:
    product = x @ layer.weight.detach().numpy().T
    return product if layer.bias is None else product + layer.bias.detach().numpy()


def norm(layer: nn.LayerNorm, x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + layer.eps)
    return scaled * layer.weight.detach().numpy() + layer.bias.detach().numpy()


def gelu(x: np.ndarray) -> np.ndarray:
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def attend(layer: Attention, queries: np.ndarray, keys: np.ndarray, real: np.ndarray) -> np.ndarray:
    """One query, head and post after another, over the real keys alone."""
    q, k, v = linear(layer.query, queries), linear(layer.key, keys), linear(layer.value, keys)
    size = q.shape[-1] // layer.heads
    out = np.zeros_like(q)
    for post in range(len(q)):
        there = np.flatnonzero(real[post])
        for place in range(q.shape[1]):
            for head in range(layer.heads):
                part = slice(head * size, (head + 1) * size)
                if not len(there):
                    continue
                score = np.array([q[post, place, part] @ k[post, key, part] for key in there]) / math.sqrt(size)
                weight = np.exp(score - score.max())
                weight /= weight.sum()
                out[post, place, part] = sum(w * v[post, key, part] for w, key in zip(weight, there, strict=True))
    gathered = linear(layer.output, out)
    gathered[real.sum(1) == 0] = 0
    return gathered


def forward(layers: nn.Sequential, x: np.ndarray, activation: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return linear(layers[2], activation(linear(layers[0], x)))  # type: ignore[arg-type]


@pytest.fixture
def text() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(2, 3, 8))


@pytest.fixture
def regions() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(2, 2, 8))


def test_attention_equals_numpy_and_is_zero_without_a_real_key(text: np.ndarray, regions: np.ndarray) -> None:
    layer = random(Attention(8, 2, 0.1))
    result = layer(torch.tensor(text), torch.tensor(regions), torch.tensor(REAL_GRID)).detach().numpy()
    np.testing.assert_allclose(result, attend(layer, text, regions, REAL_GRID), atol=1e-12)  # type: ignore[arg-type]
    assert not result[1].any() and result[0].all()


def test_cross_layer_equals_numpy(text: np.ndarray, regions: np.ndarray) -> None:
    layer = CrossLayer(8, 4, 16, 0.1)
    random(layer)
    result = layer(torch.tensor(text), torch.tensor(regions), torch.tensor(REAL_GRID)).detach().numpy()
    read = norm(layer.norm, text + attend(layer.attention, text, regions, REAL_GRID))
    forwarded = forward(layer.feedforward.layers, read, gelu)
    np.testing.assert_allclose(result, norm(layer.feedforward.norm, read + forwarded), atol=1e-12)


@pytest.mark.parametrize("last", [False, True])
def test_graph_layer_equals_numpy(last: bool, text: np.ndarray, regions: np.ndarray) -> None:
    layer = GraphLayer(8, 2, 4, 0.4, last=last)
    random(layer)
    arrays = (torch.tensor(value) for value in (text, regions, REAL_TEXT, REAL_GRID))
    results = [part.detach().numpy() for part in layer(*arrays)]
    nodes, real = [text, regions], [REAL_TEXT, REAL_GRID]
    inside = [norm(layer.norms[k], nodes[k] + attend(layer.within[k], nodes[k], nodes[k], real[k])) for k in (0, 1)]  # type: ignore[arg-type]
    for kind in range(1 if last else 2):
        own, other = inside[kind], inside[1 - kind]
        message = np.zeros_like(own)
        for post in range(2):
            for place in range(own.shape[1]):
                for neighbour in np.flatnonzero(real[1 - kind][post]):
                    score = linear(layer.own[kind], own[post, place]) + linear(
                        layer.other[kind], other[post, neighbour]
                    )  # type: ignore[arg-type]
                    message[post, place] += other[post, neighbour] / (1 + np.exp(-score))
        received = norm(layer.received[kind], own + message)  # type: ignore[arg-type]
        part = layer.feedforward[kind]
        expected = norm(part.norm, received + forward(part.layers, received, relu))  # type: ignore[arg-type, union-attr]
        np.testing.assert_allclose(results[kind], expected, atol=1e-12)
    if last:
        np.testing.assert_allclose(results[1], inside[1], atol=1e-12)


def test_softmax_of_nothing_real_is_zero() -> None:
    weights = masked_softmax(torch.tensor([[5.0, 9.0], [1.0, 1.0]]), torch.tensor([[0, 0], [1, 0]]))
    assert weights.tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_layers_begin_as_bert_does() -> None:
    torch.manual_seed(0)
    layer = CrossLayer(64, 4, 256, 0.1)
    begin_as_bert([layer])
    linear = [part for part in layer.modules() if isinstance(part, nn.Linear)]
    assert len(linear) == 6 and not any(part.bias.any() for part in linear)
    assert all(float(part.weight.detach().std()) == pytest.approx(0.02, rel=0.05) for part in linear)


def test_dropout_stands_inside_a_feed_forward_part_where_asked() -> None:
    values = torch.ones(1, 1, 4)
    part = FeedForward(4, 8, 0.0, nn.ReLU(), inside=0.99)
    kept = FeedForward(4, 8, 0.0, nn.ReLU())
    kept.load_state_dict({key.replace("layers.3", "layers.2"): each for key, each in part.state_dict().items()})
    torch.testing.assert_close(part.eval()(values), kept.eval()(values))
    assert not torch.equal(part.train()(values), kept.train()(values))


def test_heads_divide_the_width() -> None:
    with pytest.raises(ValueError, match="3 heads do not divide a width of 8"):
        Attention(8, 3, 0.0)
