"""UMT: the conversion matrix, the gate and the auxiliary task."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from systems import GOLD, LABELS, WORDS, batch_of, built, picture, settings, three

from mner import tags
from mner.models.umt import conversion
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


def test_scores_are_the_gated_fusion_mixed_with_the_converted_spans(tiny_encoder: Path) -> None:
    """Everything behind the five transformer layers, derived again from their outputs."""
    config = settings("umt", tiny_encoder, mix=0.25)
    model, views = built(config)
    arrays = view_tensors(batch_of(views, config, three("umt", 1, 2)), model)["I+T"]
    with torch.inference_mode():
        hidden, mask = model.words.hidden(arrays), arrays["attention_mask"]
        seen, grid = arrays["grid_mask"], arrays["grid"]
        text = model.main(hidden, hidden, mask)
        read = model.text_reads_grid(text, model.picture[0](grid), seen)
        aware = model.grid_reads_text(model.picture[1](grid), text, mask)
        back = model.text_reads_back(text, aware, seen)
        gate = 1 / (1 + torch.exp(-(torch.cat([back, read], -1) @ model.gate.weight.T + model.gate.bias)))
        fused = torch.cat([back, gate * read], -1)
        spans = model.auxiliary(hidden, hidden, mask)
        main = fused.flatten(0, 1)[arrays["word_index"]] @ model.emission.weight.T + model.emission.bias
        begins = spans.flatten(0, 1)[arrays["word_index"]] @ model.span_emission.weight.T + model.span_emission.bias
        expected = 0.25 * main + 0.75 * begins @ conversion(LABELS)[1]
        scores = model.emissions({"I+T": arrays}, "I+T")
    for post, words in enumerate(WORDS):
        torch.testing.assert_close(scores[post, : len(words)], expected[post, : len(words)], atol=1e-5, rtol=1e-5)


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
