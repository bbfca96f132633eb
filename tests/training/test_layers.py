"""Rates that fall from layer to layer: which parameter learns at which rate, on every shape of encoder."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.numpy import load_file
from torch import nn

from mner import config as configs
from mner import encoders, tags
from mner.config import Config
from mner.config.space import Space
from mner.errors import ModelError
from mner.models import build
from mner.runtime.torch import load_encoder, view_tensors
from mner.training import Event, train
from mner.training.batches import Split, gather, gold_ids
from mner.training.layers import by_layer
from mner.training.lean import lean
from mner.training.optimizer import adamw
from mner.training.search.defaults import searched
from mner.types import Post, Span
from mner.views import Views

Make = Callable[..., Config]
LABELS = tags.bioes_labels(["PER"])


def small(name: str) -> nn.Module:
    import transformers

    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64}
    config = getattr(transformers, f"{name}Config")(vocab_size=300, max_position_embeddings=514, **sizes)
    return getattr(transformers, f"{name}Model")(config, add_pooling_layer=False)  # type: ignore[no-any-return]


def model_on(encoder: nn.Module, **training: Any) -> tuple[nn.Module, Any]:
    config = configs.check({"model": {"case_shape": True}, "training": {"encoder_lr": 1e-3, **training}})
    torch.manual_seed(0)
    return build(config, LABELS, encoder), config.training


@pytest.fixture
def split(tiny_encoder: Path) -> Split:
    views = Views(encoders.find(str(tiny_encoder)))
    posts = [Post("1", "", ("kevin", "love", "is", "back"), (), spans=(Span(0, 2, "PER"),))]
    words = [post.words for post in posts]
    return Split(posts, {"T": views.encode_many(words), "I+T": views.encode_many(words)}, gold_ids(posts, LABELS))


@pytest.mark.parametrize("name", ["Bert", "Roberta", "XLMRoberta", "MPNet"])
def test_each_parameter_learns_at_the_rate_of_its_depth(name: str, split: Split) -> None:
    model, settings = model_on(small(name), layer_decay=0.5)
    lean(model, split, settings, pad_id=0, device=torch.device("cpu"))
    optimizer = adamw(by_layer(model, model.parameter_groups()), settings)  # type: ignore[operator]
    powers = {"encoder.layer.0.": 3, "encoder.layer.1.": 2, "encoder.layer.2.": 1, "embeddings.": 4}
    powers["encoder.relative_attention_bias."] = 4  # every layer of MPNet reads it
    expected = {}
    for key, one in model.named_parameters():
        if not one.requires_grad:
            continue
        inner = key.removeprefix("tagger.words.encoder.")
        found = [1e-3 * 0.5**power for start, power in powers.items() if inner.startswith(start)]
        head = {"emission": 1e-3, "words.shapes": settings.feature_lr, "crf": settings.crf_lr}
        found += [rate for start, rate in head.items() if inner.startswith(f"tagger.{start}")]
        (expected[key],) = found
    names = {id(one): key for key, one in model.named_parameters()}
    rates = [(names[id(one)], group["lr"]) for group in optimizer.param_groups for one in group["params"]]
    assert len(rates) == len(expected), "each parameter stands in one group, once"
    assert dict(rates) == pytest.approx(expected)
    assert "tagger.words.encoder.embeddings.word_embeddings.rows" in expected


def test_first_step_moves_each_layer_by_its_rate(split: Split, tiny_encoder: Path) -> None:
    model, settings = model_on(load_encoder(tiny_encoder), layer_decay=0.5, eps=1e-30)
    optimizer = adamw(by_layer(model, model.parameter_groups()), settings)  # type: ignore[operator]
    batch, gold = gather(split, [0], ("T", "I+T"), pad_id=0, packed=False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.eval()
    model(view_tensors(batch, model), torch.from_numpy(gold))["loss"].sum().backward()
    optimizer.step()
    moved = {name: float((value - before[name]).abs().max()) for name, value in model.state_dict().items()}
    # Adam's first step is the rate itself, up or down, wherever there is a gradient.
    assert moved["tagger.emission.weight"] == pytest.approx(1e-3, rel=1e-2)
    assert moved["tagger.words.encoder.encoder.layer.1.output.dense.weight"] == pytest.approx(5e-4, rel=1e-2)
    assert moved["tagger.words.encoder.encoder.layer.0.output.dense.weight"] == pytest.approx(2.5e-4, rel=1e-2)
    assert moved["tagger.words.encoder.embeddings.word_embeddings.weight"] == pytest.approx(1.25e-4, rel=1e-2)
    assert moved["tagger.crf.transitions"] == pytest.approx(settings.crf_lr, rel=1e-2)


def test_encoder_that_does_not_tell_its_layers_is_refused() -> None:
    encoder = small("Bert")
    encoder.encoder = nn.Identity()  # its embeddings are left
    model, _ = model_on(encoder)
    with pytest.raises(ModelError, match=r"BertModel do not tell its layers .* set training\.layer_decay = 1"):
        by_layer(model, model.parameter_groups())  # type: ignore[operator]


def test_decay_is_searched_where_a_file_names_it() -> None:
    config = configs.check({"model": {"name": "text"}, "loss": {"views": ["T"]}})
    space = Space.model_validate({"training": {"layer_decay": {"low": 0.7, "high": 1.0}}})
    assert set(searched(config, space)[0]) - set(searched(config)[0]) == {"training.layer_decay"}


def test_interrupted_run_continues_bit_for_bit(corpus: Path, tiny_config: Make, tmp_path: Path) -> None:
    def stop(event: Event) -> None:
        if event.kind == "step" and event.step == 4:
            os.kill(os.getpid(), signal.SIGINT)

    def weights(run: Path) -> dict[str, bytes]:
        return {name: one.tobytes() for name, one in load_file(run / "model/encoder/model.safetensors").items()}

    config = tiny_config(training={"layer_decay": 0.5})
    whole = train(config, root=corpus, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(config, root=corpus, out=tmp_path / "broken", watch=stop)
    broken = train(config, root=corpus, out=tmp_path / "broken", resume=True)
    assert weights(broken) == weights(whole)
    plain = train(tiny_config(name="plain"), root=corpus, out=tmp_path / "whole")
    assert weights(plain) != weights(whole)
