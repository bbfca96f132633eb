"""The weights' moving average equals its definition, is what is scored and saved, and survives an interruption."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate.state import AcceleratorState
from safetensors.numpy import load_file
from torch import nn

from mner import config as configs
from mner.config import Config
from mner.config.space import Space
from mner.evaluation.run import evaluate
from mner.training import Event, run, train
from mner.training.average import Average
from mner.training.search.defaults import searched

Make = Callable[..., Config]


def weights(folder: Path) -> dict[str, Any]:
    encoder = load_file(folder / "model/encoder/model.safetensors")
    head = load_file(folder / "model/head.safetensors")
    return {f"tagger.words.encoder.{name}": one for name, one in encoder.items()} | {
        f"tagger.{name}": one for name, one in head.items()
    }


def naive(steps: list[torch.Tensor], decay: float) -> torch.Tensor:
    """The mean of the weights after each of ``steps``, by its definition."""
    shares = torch.tensor([decay ** (len(steps) - 1 - number) for number in range(len(steps))]).double()
    return sum(share * one.double() for share, one in zip(shares, steps, strict=True)) / shares.sum()  # type: ignore[return-value]


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_average_equals_its_definition(decay: float) -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)
    average = Average(optimizer, decay)
    seen: list[torch.Tensor] = []
    for _ in range(40):
        model(torch.randn(4, 3)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()
        seen.append(model.weight.detach().clone())
        with average.shown():
            torch.testing.assert_close(model.weight.detach().double(), naive(seen, decay), rtol=1e-5, atol=1e-6)
        assert torch.equal(model.weight.detach(), seen[-1]), "the weights themselves are back"


def test_saved_weights_are_the_average_of_the_trained_ones(
    corpus: Path, tiny_config: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[nn.Module] = []
    seen: list[Mapping[str, torch.Tensor]] = []

    class Watched(Average):
        def _after_step(self, *_: Any) -> None:
            super()._after_step()
            seen.append({name: value.clone() for name, value in models[0].state_dict().items()})

    lean = run.lean
    monkeypatch.setattr(
        run, "lean", lambda model, *given, **named: [models.append(model), lean(model, *given, **named)]
    )
    monkeypatch.setattr(run, "Average", Watched)
    config = tiny_config(training={"epochs": 1, "ema": 0.9})
    saved = weights(train(config, root=corpus, out=tmp_path))
    assert len(seen) == 3 and saved.keys() == seen[-1].keys()
    for name, array in saved.items():
        expected = naive([one[name] for one in seen], 0.9)
        torch.testing.assert_close(torch.from_numpy(array).double(), expected, rtol=1e-5, atol=1e-6)
    table = "tagger.words.encoder.embeddings.word_embeddings.weight"
    assert not torch.equal(torch.from_numpy(saved[table]), seen[-1][table])


@pytest.fixture
def fresh_accelerator() -> Iterator[None]:
    """Accelerate keeps one precision for a whole process."""
    AcceleratorState._reset_state()
    yield
    AcceleratorState._reset_state()


@pytest.mark.usefixtures("fresh_accelerator")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_itself_is_the_same_and_the_average_is_what_is_scored(
    corpus: Path, tiny_config: Make, tmp_path: Path, precision: str
) -> None:
    runs = [
        train(tiny_config(name=name, training={"precision": precision, **more}), root=corpus, out=tmp_path)
        for name, more in (("plain", {}), ("averaged", {"ema": 0.9}))
    ]
    plain, averaged = (json.loads((one / "record.json").read_text()) for one in runs)
    assert [epoch["losses"] for epoch in plain["epochs"]] == [epoch["losses"] for epoch in averaged["epochs"]]
    assert plain["model"] != averaged["model"]
    assert evaluate(runs[1], results=tmp_path / "results") == averaged["dev"]


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_interrupted_run_continues_bit_for_bit(corpus: Path, tiny_config: Make, tmp_path: Path, step: int) -> None:
    def stop(event: Event) -> None:
        if event.kind == "step" and event.step == step:
            os.kill(os.getpid(), signal.SIGINT)

    config = tiny_config(training={"ema": 0.9})
    whole = train(config, root=corpus, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(config, root=corpus, out=tmp_path / "broken", watch=stop)
    broken = train(config, root=corpus, out=tmp_path / "broken", resume=True)
    ours, theirs = weights(whole), weights(broken)
    assert {name: one.tobytes() for name, one in ours.items()} == {name: one.tobytes() for name, one in theirs.items()}
    told = [json.loads((one / "record.json").read_text()) for one in (whole, broken)]
    for key in ("dev", "outcomes", "model"):
        assert told[0][key] == told[1][key]


def test_decay_is_searched_where_a_file_names_it() -> None:
    config = configs.check({"model": {"name": "text"}, "loss": {"views": ["T"]}})
    space = Space.model_validate({"training": {"ema": {"choices": [0.0, 0.99, 0.999]}}})
    assert set(searched(config, space)[0]) - set(searched(config)[0]) == {"training.ema"}
