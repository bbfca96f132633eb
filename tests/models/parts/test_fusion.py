"""Layers between words and pictures against an independent derivation in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from derivation import attention, cross_layer, graph_layer, randomized
from torch import nn

from mner.models.parts.fusion import Attention, CrossLayer, FeedForward, GraphLayer, begin_as_bert, masked_softmax

REAL_TEXT = np.array([[1, 1, 1], [1, 1, 0]])
REAL_GRID = np.array([[1, 1], [0, 0]])
TEXT = np.random.default_rng(1).normal(size=(2, 3, 8))
REGIONS = np.random.default_rng(2).normal(size=(2, 2, 8))


def doubled(layer: nn.Module) -> nn.Module:
    return randomized(layer).double()


def results(layer: nn.Module, *arrays: np.ndarray) -> list[np.ndarray]:
    with torch.inference_mode():
        computed = layer(*(torch.tensor(values) for values in arrays))
    return [part.numpy() for part in (computed if isinstance(computed, tuple) else (computed,))]


def test_attention_equals_numpy_and_is_zero_without_a_real_key() -> None:
    layer = doubled(Attention(8, 2, 0.1))
    [result] = results(layer, TEXT, REGIONS, REAL_GRID)
    np.testing.assert_allclose(result[0], attention(layer, TEXT[0], REGIONS[0]), atol=1e-12)
    assert not result[1].any() and result[0].all()


def test_cross_layer_equals_numpy() -> None:
    layer = doubled(CrossLayer(8, 4, 16, 0.1))
    [result] = results(layer, TEXT, REGIONS, REAL_GRID)
    for post in range(2):
        expected = cross_layer(layer, TEXT[post], REGIONS[post][REAL_GRID[post] == 1])
        np.testing.assert_allclose(result[post], expected, atol=1e-12)


@pytest.mark.parametrize("last", [False, True])
def test_graph_layer_equals_numpy(last: bool) -> None:
    layer = doubled(GraphLayer(8, 2, 4, 0.4, last=last))
    both = results(layer, TEXT, REGIONS, REAL_TEXT, REAL_GRID)
    for post in range(2):
        real = [REAL_TEXT[post] == 1, REAL_GRID[post] == 1]
        expected = graph_layer(layer, TEXT[post][real[0]], REGIONS[post][real[1]], last=last)
        for kind in range(2):
            np.testing.assert_allclose(both[kind][post][real[kind]], expected[kind], atol=1e-12)


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
