"""An optimizer step is the mean over its posts, however they are cut and however few the last step has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import Accelerator

from mner import config as configs
from mner import encoders, tags
from mner.errors import MnerError
from mner.models import build, needs
from mner.runtime.torch import load_encoder
from mner.training.batches import Split, gold_ids
from mner.training.loop import loop
from mner.types import Post, Span
from mner.views import Views

LABELS = tags.bioes_labels(["PER"])


class Recorded(torch.optim.SGD):
    """SGD at rate 0 that remembers the gradients of each step."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, lr=0.0)
        self.seen: list[torch.Tensor] = []

    def step(self, closure: Any = None) -> None:
        grads = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        self.seen.append(torch.cat([grad.flatten() for grad in grads]).clone())


TEXT = {"model": {"name": "text", "word_dropout": 0.0}, "loss": {"views": ["T"]}}
OCSGA = {
    "model": {"name": "ocsga", "options": {"dropout": 0.0, "fusion_dropout": 0.0}},
    "context": {"tags_apart": True},
    "loss": {"views": ["I+T"]},
}


def gradients(
    tiny_encoder: Path, posts: int, *, system: dict[str, Any] | None = None, **training: Any
) -> list[torch.Tensor]:
    config = configs.check(
        {
            **(system or TEXT),
            "training": {"epochs": 1, "clip_norm": 1e9, **training},
        }
    )
    torch.manual_seed(0)
    encoder = load_encoder(tiny_encoder)
    for module in encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = 0.0
    encoder.config.attention_probs_dropout_prob = 0.0
    model = build(config, LABELS, encoder)
    views = Views(encoders.find(str(tiny_encoder)))
    texts = ["Kevin Love is back", "Phoenix", "a long night in the city", "we won", "team ! ?"]
    rows = [Post(str(n), text, tuple(text.split()), (), (Span(0, 1, "PER"),)) for n, text in enumerate(texts[:posts])]
    encoded: dict[Any, Any] = {view: views.encode_many([row.words for row in rows]) for view in config.loss.views}
    split = Split(rows, encoded, gold_ids(rows, LABELS), needs(config).arrays)
    accelerator = Accelerator(cpu=True)
    optimizer = Recorded(model.parameters())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    list(loop(model, split, optimizer, schedule, accelerator, config=config, pad_id=0))
    return optimizer.seen


def test_micro_batches_give_the_gradient_of_the_whole_step(tiny_encoder: Path) -> None:
    whole = gradients(tiny_encoder, 5, posts_per_step=5, tokens_per_batch=10_000)
    cut = gradients(tiny_encoder, 5, posts_per_step=5, tokens_per_batch=8)
    torch.testing.assert_close(whole[0], cut[0], atol=1e-5, rtol=1e-4)


def test_step_of_a_model_that_needs_it_whole_is_not_cut(tiny_encoder: Path) -> None:
    whole = gradients(tiny_encoder, 5, system=OCSGA, posts_per_step=5, tokens_per_batch=10_000)
    uncut = gradients(tiny_encoder, 5, system=OCSGA, posts_per_step=5, tokens_per_batch=8)
    torch.testing.assert_close(whole[0], uncut[0], atol=0, rtol=0)


def test_last_shorter_step_is_averaged_over_its_real_size(tiny_encoder: Path) -> None:
    steps = gradients(tiny_encoder, 5, posts_per_step=4)
    assert len(steps) == 2
    singles = gradients(tiny_encoder, 5, posts_per_step=1)
    torch.testing.assert_close(steps[1], singles[4], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(steps[0], sum(singles[:4]) / 4, atol=1e-5, rtol=1e-4)


def test_loss_that_is_not_finite_stops_the_run(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mner.models.text.Model.losses", lambda self, batch, gold: {"loss": gold.sum(1) * float("nan")})
    monkeypatch.setattr(
        "mner.models.text.Model.forward",
        lambda self, batch, gold: {"loss": gold.sum(1) * float("nan") * self.tagger.emission.bias.sum()},
    )
    with pytest.raises(MnerError, match=r"the loss is nan; lower training\.encoder_lr or training\.lr\.crf$"):
        gradients(tiny_encoder, 2, lr={"crf": 0.1})
