"""A device and a number format -> what accelerate needs to train there."""

from __future__ import annotations

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState, PartialState

from mner.config import TrainingConfig
from mner.errors import ConfigError
from mner.machine import has_bf16


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
