"""RIVA: the student's gate, the visual context, the language models and what each task teaches."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from systems import batch_of, built, picture, scores, settings, three

from mner.runtime.torch import view_tensors


def ready(encoder: Path) -> tuple[Any, dict[Any, Any]]:
    config = settings("riva", encoder, dropout=0.0)
    model, views = built(config)
    return model, view_tensors(batch_of(views, config, three("riva", 1, 2)), model)


def test_gate_of_zero_makes_the_picture_irrelevant(tiny_encoder: Path) -> None:
    config = settings("riva", tiny_encoder)
    model, views = built(config)
    first, second = (batch_of(views, config, three("riva", seed, seed + 1)) for seed in (1, 5))
    assert not torch.equal(scores(model, first), scores(model, second))
    with torch.no_grad():
        model.student.output[2].weight.zero_()
        model.student.output[2].bias.copy_(torch.tensor([1e4, -1e4]))
    assert torch.equal(scores(model, first), scores(model, second))


def test_visual_context_equals_its_derivation(tiny_encoder: Path) -> None:
    model, batch = ready(tiny_encoder)
    arrays = batch["I+T"]
    with torch.inference_mode():
        words, lengths = model._embedded(arrays)
        for post, regions in ((0, 4), (1, 2)):
            size = int(lengths[post])
            query = words[post, :size].mean(0) @ model.query.weight.T + model.query.bias
            grid = arrays["grid"][post, :regions]
            keys, values = (grid @ part.weight.T + part.bias for part in (model.key, model.value))
            weights = torch.exp(keys @ query / math.sqrt(len(query)))
            weights = weights / weights.sum()
            judged = model.student(words[post : post + 1], lengths[post : post + 1], grid.mean(0, keepdim=True))[0]
            adds = 1 / (1 + torch.exp(judged[0] - judged[1]))
            context = model._context(arrays, words, lengths)[post]
            torch.testing.assert_close(context, adds * (weights @ values), atol=1e-5, rtol=1e-5)
        assert not model._context(arrays, words, lengths)[2].any(), "no picture, no context"


@pytest.mark.parametrize(
    ("task", "taught", "left"),
    [("teacher", "teacher", "student"), ("student", "student", "teacher"), ("language", "ahead", "teacher")],
)
def test_task_teaches_its_own_part(task: str, taught: str, left: str, tiny_encoder: Path) -> None:
    model, batch = ready(tiny_encoder)
    losses = model.losses(batch, torch.tensor([0, 1, 1]), task=task)["loss"]
    assert losses.shape == (3,) and bool((losses >= 0).all())
    losses.sum().backward()
    assert any(p.grad is not None and p.grad.any() for p in getattr(model, taught).parameters())
    assert all(p.grad is None for p in getattr(model, left).parameters())
    assert model.emission.weight.grad is None


def test_student_that_agrees_with_its_teacher_has_no_loss(tiny_encoder: Path) -> None:
    model, batch = ready(tiny_encoder)
    model.student.load_state_dict(model.teacher.state_dict())
    losses = model.losses(batch, torch.zeros(3, dtype=torch.long), task="student")["loss"]
    torch.testing.assert_close(losses, torch.zeros(3), atol=1e-6, rtol=0)


def test_language_models_do_not_see_the_word_that_they_predict(tiny_encoder: Path) -> None:
    model, batch = ready(tiny_encoder)
    arrays = batch["I+T"]
    with torch.inference_mode():
        words, _ = model._embedded(arrays)
        context = torch.zeros(3, words.shape[1], model.options.language_hidden)
        changed = words.clone()
        changed[0, 2] = 7.0
        ahead = [model.ahead(torch.cat([vectors, context], -1))[0][0] for vectors in (words, changed)]
        assert torch.equal(ahead[0][:2], ahead[1][:2]) and not torch.equal(ahead[0][2], ahead[1][2])


def test_pictures_reach_the_words_through_both_language_models(tiny_encoder: Path) -> None:
    config = settings("riva", tiny_encoder)
    model, views = built(config)
    first, second = (
        model.word_vectors(view_tensors(batch_of(views, config, [picture("riva", seed)] * 3), model), "I+T")
        for seed in (1, 5)
    )
    assert not torch.equal(first[0, 0], second[0, 0]) and not torch.equal(first[0, 3], second[0, 3])
