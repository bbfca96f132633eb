"""ITA's losses and parameter groups on a tiny encoder (fidelity of the method as printed and as released)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mner import config as configs
from mner import plugins, tags
from mner.encoders import find
from mner.models import build, needs
from mner.runtime.torch import load_encoder, view_tensors
from mner.types import Caption, VisualContext
from mner.views import Views, collate, compose

LABELS = tags.bioes_labels(["LOC", "PER"])
WORDS = (("kevin", "love", "is", "back", "in", "cleveland"), ("phoenix",), ("jordan", "won", "last", "night"))


def model_and_views(tiny_encoder: Path, **loss: Any) -> tuple[torch.nn.Module, Views]:
    config = configs.check(
        {"model": {"encoder": str(tiny_encoder), "case_shape": True, "word_dropout": 0.0}, "loss": loss}
    )
    torch.manual_seed(0)
    model = build(config, LABELS, load_encoder(tiny_encoder))
    torch.nn.init.normal_(model.tagger.emission.weight, std=0.5)
    torch.nn.init.normal_(model.tagger.crf.transitions, std=0.5)
    return model, Views(find(str(tiny_encoder)), config.context)


def batch_of(views: Views, model: torch.nn.Module, caption: str | None) -> dict[str, Any]:
    context = VisualContext("1.jpg", captions=(Caption(caption),) if caption else ())
    pieces = [compose(context, views.options)] * len(WORDS)
    encoded = {"T": views.encode_many(WORDS), "I+T": views.encode_many(WORDS, pieces)}
    return dict(view_tensors({view: collate(posts, pad_id=views.pad_id) for view, posts in encoded.items()}, model))


GOLD = torch.from_numpy(
    np.array(
        [
            [LABELS.index("B-PER"), LABELS.index("E-PER"), 0, 0, 0, LABELS.index("S-LOC")],
            [LABELS.index("S-LOC"), 0, 0, 0, 0, 0],
            [LABELS.index("S-PER"), 0, 0, 0, 0, 0],
        ]
    )
)


@pytest.mark.parametrize("name", plugins.names("mner.models"))
def test_model_puts_only_the_chain_at_the_crf_rate(tiny_encoder: Path, name: str) -> None:
    model_table: dict[str, Any] = {"name": name, "encoder": str(tiny_encoder), "case_shape": True}
    if name == "bert_vinvl":
        model_table["options"] = {"start": "random"}  # or it wants VinVL's encoder
    config = configs.check(
        {"model": model_table, "context": {"max_tokens": 400, "tags_apart": name == "ocsga"}, "loss": {"views": ["T"]}}
    )
    model = build(config, LABELS, *(load_encoder(tiny_encoder) for _ in needs(config).encoders))
    groups = model.parameter_groups()
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    crf = {names[id(parameter)].rsplit(".", 1)[-1] for parameter in groups["crf"]}
    assert crf == {"end", "start", "transitions"}
    grouped = [id(parameter) for group in groups.values() for parameter in group]
    assert sorted(grouped) == sorted(names), "each parameter stands in one group, once"


def test_context_words_change_the_image_loss_and_nothing_else(tiny_encoder: Path) -> None:
    model, views = model_and_views(tiny_encoder, cva="none")
    model.eval()
    single = model.losses(batch_of(views, model, "a boarding pass"), GOLD)
    other = model.losses(batch_of(views, model, "team won game"), GOLD)
    assert torch.equal(single["T"], other["T"])
    assert (single["I+T"] - other["I+T"]).abs().min() > 1e-6


def test_emissions_exist_for_words_alone(tiny_encoder: Path) -> None:
    model, views = model_and_views(tiny_encoder)
    batch = batch_of(views, model, "a boarding pass gate map open today")
    for view in ("T", "I+T"):
        assert model.emissions(batch, view).shape == (3, 6, len(LABELS))


def test_without_context_both_views_are_one(tiny_encoder: Path) -> None:
    model, views = model_and_views(tiny_encoder, cva="posterior")
    model.eval()
    losses = model.losses(batch_of(views, model, None), GOLD)
    assert torch.equal(losses["T"], losses["I+T"])
    torch.testing.assert_close(losses["cva"], torch.zeros(3), atol=1e-6, rtol=0)


def test_identical_views_give_paper_alignment_its_entropy(tiny_encoder: Path) -> None:
    model, views = model_and_views(tiny_encoder, cva="posterior", preset="paper")
    model.eval()
    batch = batch_of(views, model, None)
    losses = model.losses(batch, GOLD)
    scores = model.emissions(batch, "I+T")
    log_q = model.tagger.crf.posteriors(scores, batch["T"]["lengths"])
    entropy = -(log_q.exp() * log_q).sum(-1)
    within = torch.arange(6) < batch["T"]["lengths"][:, None]
    torch.testing.assert_close(losses["cva"], (entropy * within).sum(1), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("cva", ["posterior", "sequence"])
def test_teacher_receives_no_gradient(tiny_encoder: Path, cva: str) -> None:
    model, views = model_and_views(tiny_encoder, cva=cva, weight_t=0.0, weight_it=0.0, weight_cva=1.0)
    model.eval()
    batch = batch_of(views, model, "a boarding pass")
    model.losses(batch, GOLD)["loss"].sum().backward()
    of_context = set(batch["I+T"]["input_ids"].unique().tolist()) - set(batch["T"]["input_ids"].unique().tolist())
    assert of_context, "the context has sub-tokens of its own"
    table = model.tagger.words.encoder.get_input_embeddings().weight
    assert table.grad[sorted(of_context)].abs().max() == 0
    assert table.grad.abs().max() > 0, "the student does receive one"
    assert model.tagger.crf.transitions.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("loss", "weights"),
    [
        ({"cva": "posterior"}, (1.0, 0.5, 0.5)),
        ({"cva": "posterior", "preset": "paper"}, (1.0, 1.0, 1.0)),
        ({"cva": "none"}, (1.0, 1.0, 0.0)),
        ({"cva": "none", "views": ["I+T"]}, (0.0, 1.0, 0.0)),
        ({"cva": "posterior", "weight_it": 0.25}, (1.0, 0.25, 0.5)),
    ],
)
def test_total_weighs_the_parts_as_the_preset_says(
    tiny_encoder: Path, loss: dict[str, Any], weights: tuple[float, float, float]
) -> None:
    model, views = model_and_views(tiny_encoder, **loss)
    model.eval()
    losses = model.losses(batch_of(views, model, "team won game"), GOLD)
    parts = zip(weights, ("T", "I+T", "cva"), strict=True)
    total = sum(weight * losses[name] for weight, name in parts if name in losses)
    torch.testing.assert_close(losses["loss"], total)
    assert ("T" in losses) == (weights[0] > 0)


def test_case_shapes_tell_words_apart_that_the_encoder_cannot(tiny_encoder: Path) -> None:
    model, views = model_and_views(tiny_encoder)
    torch.nn.init.normal_(model.tagger.words.shapes.weight)
    model.eval()
    scores = []
    for word in ("jordan", "Jordan", "JORDAN"):
        batch = collate(views.encode_many([(word, "won")]), pad_id=views.pad_id)
        scores.append(model.emissions(view_tensors({"T": batch}, model), "T"))
    assert (scores[0] - scores[1]).abs().max() > 1e-4
    assert (scores[1] - scores[2]).abs().max() > 1e-4


def test_word_dropout_zeroes_whole_words_only_in_training(tiny_encoder: Path) -> None:
    model, views = model_and_views(tiny_encoder)
    words = model.tagger.words
    words.word_dropout = 0.5
    arrays = batch_of(views, model, None)["T"]
    torch.manual_seed(3)
    model.train()
    vectors = words(arrays)
    zero = (vectors == 0).all(-1)[torch.arange(6) < arrays["lengths"][:, None]]
    assert 0 < int(zero.sum()) < len(zero)
    model.eval()
    real = words(arrays)[torch.arange(6) < arrays["lengths"][:, None]]
    assert (real != 0).any(-1).all()
