"""RIVA: the student's gate, the visual context, the language models and what each task teaches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from derivation import at_words, bilstm, characters, linear, lstm, regions_of, relu, softmax, weights, windows
from systems import GOLD, LONG, assert_scores, batch_of, built, picture, scores, settings, three, windowed

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


def relation(part: Any, words: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The probabilities of "adds nothing" and "adds" of one post."""
    picture = grid.mean(0) if len(grid) else np.zeros(grid.shape[1])
    both = np.concatenate([bilstm(part.text, words).mean(0), relu(linear(part.picture, picture))])
    return softmax(linear(part.output[2], relu(linear(part.output[0], both))))


def language(model: Any, words: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The states of both language models (word, language), each word beside the gated visual context."""
    context = np.zeros(model.options.language_hidden)
    if len(grid):
        scores = linear(model.key, grid) @ linear(model.query, words.mean(0)) / np.sqrt(len(context))
        context = relation(model.student, words, grid)[1] * (softmax(scores) @ linear(model.value, grid))
    steps = np.concatenate([words, np.tile(context, (len(words), 1))], -1)
    return lstm(model.ahead, steps), lstm(model.back, steps[::-1])[::-1]


def embedded(model: Any, arrays: Any) -> list[np.ndarray]:
    vectors = [window.vectors for window in windows(arrays, model.encoder)]
    return [at_words(arrays, vectors, post) for post in range(3)]


def test_scores_equal_their_derivation(tiny_encoder: Path) -> None:
    model, arrays = windowed("riva", tiny_encoder)
    expected = []
    for post, words in enumerate(embedded(model, arrays)):
        spelt = np.array([characters(model.characters, word) for word in LONG[post]])
        states = language(model, words, regions_of(arrays, "grid", post))
        expected.append(linear(model.emission, bilstm(model.lstm, np.concatenate([words, spelt, *states], -1))))
    assert_scores(model, arrays, expected)


def test_losses_of_the_relation_equal_their_derivation(tiny_encoder: Path) -> None:
    model, arrays = windowed("riva", tiny_encoder)
    losses: dict[str, list[float]] = {"teacher": [], "student": []}
    for post, words in enumerate(embedded(model, arrays)):
        teacher, student = (
            relation(part, words, regions_of(arrays, "grid", post)) for part in (model.teacher, model.student)
        )
        losses["teacher"].append(-np.log(teacher[post % 2]))
        losses["student"].append(teacher @ np.log(teacher / student))
    for task, expected in losses.items():
        computed = model.losses({"I+T": arrays}, torch.tensor([0, 1, 0]), task=task)["loss"]
        np.testing.assert_allclose(weights(computed), expected, atol=1e-5, rtol=1e-4)


def test_language_loss_equals_its_derivation(tiny_encoder: Path) -> None:
    """Of each post the mean over all next and previous words, each chosen among the different words of the batch."""
    model, arrays = windowed("riva", tiny_encoder)
    vectors = embedded(model, arrays)
    known = np.unique(np.concatenate(vectors), axis=0)
    expected = []
    for post, words in enumerate(vectors):
        ahead, back = language(model, words, regions_of(arrays, "grid", post))
        number = [int(np.flatnonzero((known == word).all(1))[0]) for word in words]
        last = len(words) - 1
        losses = [-np.log(softmax(known @ linear(model.next, ahead[k]))[number[k + 1]]) for k in range(last)]
        losses += [-np.log(softmax(known @ linear(model.previous, back[k + 1]))[number[k]]) for k in range(last)]
        expected.append(np.mean(losses) if losses else 0.0)
    computed = model.losses({"I+T": arrays}, None, task="language")["loss"]
    np.testing.assert_allclose(weights(computed), expected, atol=1e-4, rtol=1e-4)


def test_word_without_sub_tokens_is_no_target_of_the_language_models(tiny_encoder: Path) -> None:
    model, arrays = windowed("riva", tiny_encoder)
    whole = model.losses({"I+T": arrays}, None, task="language")["loss"]
    gone = dict(arrays, word_index=arrays["word_index"].clone())
    gone["word_index"][2, len(LONG[2]) - 1] = -1
    lost = model.losses({"I+T": gone}, None, task="language")["loss"]
    assert lost[1] == 0 and lost[2] != whole[2] and bool(lost.isfinite().all())
    gone["word_index"][:] = -1
    assert not model.losses({"I+T": gone}, None, task="language")["loss"].any()


LANGUAGE = {"query", "key", "value", "ahead", "back", "next", "previous"}


@pytest.mark.parametrize(
    ("task", "taught"),
    [
        ("teacher", {"encoder", "teacher"}),
        ("student", {"encoder", "student"}),
        ("language", {"encoder", "student", *LANGUAGE}),  # the student is the gate of what the language models read
        ("ner", {"encoder", "student", "characters", "lstm", "emission", "crf", *LANGUAGE} - {"next", "previous"}),
    ],
)
def test_task_teaches_these_parts_and_no_other(task: str, taught: set[str], tiny_encoder: Path) -> None:
    model, batch = ready(tiny_encoder)
    losses = model.losses(batch, GOLD if task == "ner" else torch.tensor([0, 1, 1]), task=task)["loss"]
    assert losses.shape == (3,)
    losses.sum().backward()
    changed = {at.partition(".")[0] for at, p in model.named_parameters() if p.grad is not None and p.grad.any()}
    assert changed == taught


def test_student_that_agrees_with_its_teacher_has_no_loss(tiny_encoder: Path) -> None:
    model, batch = ready(tiny_encoder)
    model.student.load_state_dict(model.teacher.state_dict())
    losses = model.losses(batch, torch.zeros(3, dtype=torch.long), task="student")["loss"]
    torch.testing.assert_close(losses, torch.zeros(3), atol=1e-6, rtol=0)


def test_language_models_do_not_see_the_word_that_they_predict(tiny_encoder: Path) -> None:
    """Without a picture; with one, the mean of all words asks for the visual context."""
    model, batch = ready(tiny_encoder)
    arrays = batch["T"]
    with torch.inference_mode():
        words, lengths = model._embedded(arrays)
        changed = words.clone()
        changed[0, 2] = 7.0
        (ahead, back), (ahead2, back2) = (model._language(arrays, each, lengths) for each in (words, changed))
    assert torch.equal(ahead[0, :2], ahead2[0, :2]) and not torch.equal(ahead[0, 2], ahead2[0, 2])
    assert torch.equal(back[0, 3:], back2[0, 3:]) and not torch.equal(back[0, 2], back2[0, 2])


def test_pictures_reach_the_words_through_both_language_models(tiny_encoder: Path) -> None:
    config = settings("riva", tiny_encoder)
    model, views = built(config)
    first, second = (
        model.word_vectors(view_tensors(batch_of(views, config, [picture("riva", seed)] * 3), model), "I+T")
        for seed in (1, 5)
    )
    assert not torch.equal(first[0, 0], second[0, 0]) and not torch.equal(first[0, 3], second[0, 3])
