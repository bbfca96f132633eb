"""UMT: the conversion matrix, the gate and the auxiliary task."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from derivation import at_words, bert_embeddings, bert_layers, cross_layer, linear, regions_of, sigmoid, windows
from systems import GOLD, LABELS, assert_scores, batch_of, built, picture, settings, three, windowed

from mner import tags
from mner.errors import ConfigError
from mner.models.umt import _layer_sizes, conversion
from mner.runtime.torch import view_tensors


def test_conversion_matrix_maps_outside_begin_and_inside_exactly() -> None:
    labels = ["O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER"]
    classes, matrix = conversion(labels)
    assert classes == ("O", "B", "I")
    expected = torch.zeros(3, 7)
    expected[0, 0] = 1
    expected[1, 1::2] = expected[2, 2::2] = 1 / 3
    assert torch.equal(matrix, expected)


def test_conversion_matrix_keeps_every_other_class_to_itself() -> None:
    labels = tags.bioes_labels(["LOC", "PER"], padded=True)
    classes, matrix = conversion(labels)
    assert classes == ("O", "B", "I", "E", "S", "PAD")
    assert matrix[classes.index("PAD")].tolist() == [float(label == "PAD") for label in labels]
    assert matrix.sum(1).tolist() == [1.0] * 6


def test_layers_are_as_those_of_the_encoder() -> None:
    distilbert = SimpleNamespace(model_type="distilbert", num_attention_heads=2, hidden_dim=12, hidden_size=4)
    assert _layer_sizes(distilbert) == (2, 12)
    with pytest.raises(ConfigError, match="mner-word-vectors has none"):
        _layer_sizes(SimpleNamespace(model_type="mner-word-vectors", hidden_size=4))


def test_scores_equal_their_derivation(tiny_encoder: Path) -> None:
    """The gated fusion, mixed with the spans' scores: of two types each has one half of its class's."""
    model, arrays = windowed("umt", tiny_encoder, mix=0.25)
    network = model.words.encoder
    fused, spans = [], []
    for window in windows(arrays, network, model.words.shapes):
        hidden = bert_layers(network, bert_embeddings(network, window.vectors))
        grid = regions_of(arrays, "grid", window.post)
        text = cross_layer(model.main, hidden, hidden)
        read = cross_layer(model.text_reads_grid, text, linear(model.picture[0], grid))
        aware = cross_layer(model.grid_reads_text, linear(model.picture[1], grid), text)
        back = cross_layer(model.text_reads_back, text, aware)
        gate = sigmoid(linear(model.gate, np.concatenate([back, read], -1)))
        fused.append(np.concatenate([back, gate * read], -1))
        spans.append(cross_layer(model.auxiliary, hidden, hidden))
    classes = [label[0] for label in LABELS]
    order = list(dict.fromkeys(classes))
    shares = np.array([1.0 if label == "O" else 0.5 for label in LABELS])
    expected = []
    for post in range(3):
        main = linear(model.emission, at_words(arrays, fused, post))
        of_classes = linear(model.span_emission, at_words(arrays, spans, post))
        expected.append(0.25 * main + 0.75 * shares * of_classes[:, [order.index(of_label) for of_label in classes]])
    assert_scores(model, arrays, expected)


def test_loss_adds_the_weighted_loss_of_spans_without_types(tiny_encoder: Path) -> None:
    def loss(weight: float) -> torch.Tensor:
        config = settings("umt", tiny_encoder, auxiliary_weight=weight)
        model, views = built(config)
        batch = view_tensors(batch_of(views, config, [picture("umt", 1)] * 3), model)
        with torch.inference_mode():
            return model.losses(batch, GOLD)["loss"]  # type: ignore[no-any-return]

    config = settings("umt", tiny_encoder)
    model, views = built(config)
    arrays = view_tensors(batch_of(views, config, [picture("umt", 1)] * 3), model)["I+T"]
    classes = conversion(LABELS)[0]
    gold = torch.tensor([[classes.index(LABELS[label].partition("-")[0]) for label in post] for post in GOLD.tolist()])
    with torch.inference_mode():
        spans = model.span_crf.nll(model._scores(arrays)[1], gold, arrays["lengths"])
    torch.testing.assert_close(loss(1.0) - loss(0.0), spans, atol=1e-4, rtol=1e-4)
    assert float(spans.min()) > 0


@pytest.mark.parametrize("name", ["umt", "umgf"])
def test_padded_regions_count_for_nothing(name: str, tiny_encoder: Path) -> None:
    config = settings(name, tiny_encoder)
    model, views = built(config)
    batch = view_tensors(batch_of(views, config, three(name, 1, 2)), model)
    changed = {view: dict(arrays) for view, arrays in batch.items()}
    key = "grid" if name == "umt" else "crops"
    noisy = changed["I+T"][key].clone()
    noisy[changed["I+T"][f"{key}_mask"] == 0] = 7.0
    changed["I+T"][key] = noisy
    with torch.inference_mode():
        torch.testing.assert_close(model.emissions(batch, "I+T"), model.emissions(changed, "I+T"), atol=0, rtol=0)
