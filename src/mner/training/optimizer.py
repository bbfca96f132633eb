"""[training] -> the optimizer over parameter groups, the schedule of its rates, and the device that it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState, PartialState
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from mner.config import TrainingConfig
from mner.errors import ConfigError, DivergedError
from mner.machine import has_bf16
from mner.models import Model


def optimizer_of(groups: Mapping[str, list[nn.Parameter]], config: TrainingConfig) -> Optimizer:
    """The optimizer over a model's named groups, each at its own rate; an empty group is left out.

    A group that [training.lr] does not name has ``encoder_lr``, ``crf_lr`` or, whatever else it is called,
    ``feature_lr``.

    Raises:
        ConfigError: [training.lr] names a group that the model does not have.
    """
    if unknown := sorted(set(config.lr) - set(groups)):
        raise ConfigError(
            f"training.lr: no parameter group {' or '.join(unknown)} in this model; there are {', '.join(groups)}"
        )
    rates = {"encoder": config.encoder_lr, "crf": config.crf_lr, **config.lr}
    named: list[dict[str, Any]] = [
        {"params": parameters, "lr": rates.get(name, config.feature_lr), "name": name}
        for name, parameters in groups.items()
        if parameters
    ]
    decay = config.weight_decay
    if config.optimizer == "sgd":
        return SGD(named, momentum=config.momentum, weight_decay=decay)
    if config.optimizer == "adam":
        return Adam(named, eps=config.eps, weight_decay=decay, fused=True)
    return AdamW(named, eps=config.eps, weight_decay=decay, fused=True)


def rate_settings(groups: Mapping[str, list[nn.Parameter]], config: TrainingConfig) -> list[str]:
    """The settings, dotted, that give a model's groups their rates.

    >>> rate_settings({"encoder": [nn.Parameter()], "visual": [nn.Parameter()], "crf": []}, TrainingConfig())
    ['training.encoder_lr', 'training.feature_lr']
    """
    own = {"encoder": "training.encoder_lr", "crf": "training.crf_lr"}
    own |= {name: f"training.lr.{name}" for name in config.lr}
    return list(dict.fromkeys(own.get(name, "training.feature_lr") for name, group in groups.items() if group))


def diverged(what: str, model: Model, config: TrainingConfig, precision: str) -> DivergedError:
    """The error of a training that went wrong in the number format ``precision``; it names the settings to change."""
    rates = " or ".join(rate_settings(model.parameter_groups(), config))
    instead = "" if precision == "no" else ', or set training.precision = "fp32"'
    return DivergedError(f"{what}; lower {rates}{instead}")


def schedule_of(
    optimizer: Optimizer, config: TrainingConfig, *, steps: int, before: int = 0, done: int = 0
) -> LambdaLR:
    """Rates that rise from 0 over the first share ``warmup`` of ``steps``, then follow ``training.schedule``.

    linear: to 0 in a straight line. step: times ``decay`` after every ``decay_every`` epochs. inverse: over
    ``1 + decay * epochs`` that are over. constant: as they are.

    Of the run's ``steps``, ``before`` come before the first epoch, and an earlier, interrupted run has taken ``done``.
    """
    rising = round(steps * config.warmup)
    per_epoch = max(1, (steps - before) // config.epochs)

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        epochs = max(0, step - before) // per_epoch
        if config.schedule == "step":
            return float(config.decay ** (epochs // config.decay_every))
        if config.schedule == "inverse":
            return 1 / (1 + config.decay * epochs)
        if config.schedule == "constant":
            return 1.0
        return max(0.0, (steps - step) / max(1, steps - rising))

    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
    return LambdaLR(optimizer, factor, last_epoch=done - 1)


def accelerator_on(device: torch.device, settings: TrainingConfig, *, several_tasks: bool) -> Accelerator:
    """An accelerator that trains on a device, in the number format of ``training.precision``.

    Where several processes train together, accelerate gives each a GPU of its own, and no single one can be named.
    With ``several_tasks`` a step may leave parameters without a gradient.

    Raises:
        ConfigError: Several processes train together, and the device is not the one of this process.
    """
    if not PartialState._shared_state or PartialState().num_processes == 1:
        AcceleratorState._reset_state(reset_partial_state=True)  # or a process would keep to its first run's device
    processes = PartialState(cpu=device.type == "cpu")
    if processes.num_processes == 1:
        processes.device = device
    elif processes.device.type != device.type:
        raise ConfigError(
            f"training.device: {processes.num_processes} processes train together on {processes.device.type}, not on "
            f'{device.type}; set it to "auto"'
        )
    fast = device.type == "cuda" or (device.type == "cpu" and has_bf16())
    bf16 = settings.precision == "bf16" or (settings.precision == "auto" and fast)
    together = DistributedDataParallelKwargs(find_unused_parameters=several_tasks)
    return Accelerator(mixed_precision="bf16" if bf16 else "no", cpu=device.type == "cpu", kwargs_handlers=[together])
