"""Optimizers, schedules and rates by parameter group, as [training] names them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.numpy import load_file

from mner.config import Config, TrainingConfig
from mner.errors import ConfigError
from mner.training.optimizer import diverged, optimizer_of, rate_settings, schedule_of
from mner.training.run import Event, train


def groups() -> dict[str, list[torch.nn.Parameter]]:
    return {name: [torch.nn.Parameter(torch.ones(2))] for name in ("encoder", "visual", "feature", "crf")}


def rates(settings: TrainingConfig, *, steps: int, done: int = 0) -> list[float]:
    optimizer = optimizer_of({"encoder": groups()["encoder"]}, settings)
    schedule = schedule_of(optimizer, settings, steps=steps, done=done)
    reached = []
    for _ in range(steps - done):
        reached.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return reached


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_optimizer_gives_each_group_its_rate(name: Any) -> None:
    settings = TrainingConfig(optimizer=name, encoder_lr=0.1, crf_lr=0.5, lr={"visual": 0.2})
    optimizer = optimizer_of({**groups(), "empty": []}, settings)
    assert type(optimizer).__name__.lower() == name
    assert {group["name"]: group["lr"] for group in optimizer.param_groups} == {
        "encoder": 0.1,
        "visual": 0.2,
        "feature": 1e-3,
        "crf": 0.5,
    }


def test_unknown_group_is_refused_with_those_there_are() -> None:
    expected = "training.lr: no parameter group gate in this model; there are encoder, visual, feature, crf"
    with pytest.raises(ConfigError, match=expected):
        optimizer_of(groups(), TrainingConfig(lr={"gate": 0.1, "crf": 0.1}))


def test_rates_of_a_models_groups_are_named_by_their_settings() -> None:
    named = rate_settings({**groups(), "gate": groups()["feature"], "empty": []}, TrainingConfig(lr={"visual": 0.2}))
    assert named == ["training.encoder_lr", "training.lr.visual", "training.feature_lr", "training.crf_lr"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"warmup": 0.2}, [0.05, 0.1, 0.1, 0.0875, 0.075, 0.0625, 0.05, 0.0375, 0.025, 0.0125]),
        ({"schedule": "constant", "warmup": 0.2}, [0.05, *[0.1] * 9]),
        ({"schedule": "step", "decay": 0.5}, [0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125, 0.00625, 0.00625]),
        ({"schedule": "step", "decay": 0.1, "decay_every": 3}, [*[0.1] * 6, *[0.01] * 4]),
        ({"schedule": "inverse", "decay": 1.0}, [0.1, 0.1, 0.05, 0.05, 1 / 30, 1 / 30, 0.025, 0.025, 0.02, 0.02]),
    ],
)
def test_schedule_gives_each_step_its_rate(settings: dict[str, Any], expected: list[float]) -> None:
    config = TrainingConfig(epochs=5, encoder_lr=0.1, **settings)
    assert rates(config, steps=10) == pytest.approx(expected)
    assert rates(config, steps=10, done=4) == pytest.approx(expected[4:])


@pytest.mark.parametrize("table", [{"optimizer": "sdg"}, {"schedule": "linaer"}, {"lr": {"crf": 0}}])
def test_value_that_cannot_be_used_is_refused(table: dict[str, Any], tiny_config: Callable[..., Config]) -> None:
    with pytest.raises(
        ConfigError, match=r"training\.(optimizer: .*did you mean \"sgd|schedule: .*\"linear|lr\.crf: )"
    ):
        tiny_config(training=table)


def test_settings_that_came_later_leave_fingerprints_as_they_were() -> None:
    assert Config().fingerprint == "c6cc9cd90027"
    assert Config(training=TrainingConfig(optimizer="sgd")).fingerprint != "c6cc9cd90027"


def test_divergence_names_what_to_lower() -> None:
    model: Any = SimpleNamespace(parameter_groups=lambda: {"encoder": groups()["encoder"], "crf": []})
    assert str(diverged("step 3", model, TrainingConfig(), "no")) == "step 3; lower training.encoder_lr"
    assert str(diverged("step 3", model, TrainingConfig(), "bf16")).endswith(', or set training.precision = "fp32"')


class _StopError(Exception):
    pass


@pytest.mark.parametrize(
    "settings", [{"optimizer": "sgd", "momentum": 0.9}, {"optimizer": "sgd"}, {"optimizer": "adam"}]
)
def test_interrupted_run_ends_bit_equal(
    settings: dict[str, Any], corpus: Path, tiny_config: Callable[..., Config], tmp_path: Path
) -> None:
    config = tiny_config(training={**settings, "schedule": "inverse", "lr": {"encoder": 1e-3}})

    def stop(event: Event) -> None:
        if event.kind == "epoch":
            raise _StopError

    whole = train(config, root=corpus, out=tmp_path / "whole")
    with pytest.raises(_StopError):
        train(config, root=corpus, out=tmp_path / "cut", watch=stop)
    cut = train(config, root=corpus, out=tmp_path / "cut", resume=True)
    for name in ("head.safetensors", "encoder/model.safetensors"):
        first, other = (load_file(folder / "model" / name) for folder in (whole, cut))
        assert all((first[key] == other[key]).all() for key in first)
