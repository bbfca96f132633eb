"""The name of a device -> the device of this machine, or what there is instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mner.config.names import device_name
from mner.errors import ConfigError


def find_device(name: str) -> torch.device:
    """The device of that name; "auto" is the first GPU that there is, else the CPU.

    Raises:
        ConfigError: No device is called so, or this machine does not have it; the message says what it has.
    """
    try:
        device_name(name)
    except ValueError as error:
        raise ConfigError(f"device: {error}") from None
    there = devices()
    if name == "auto":
        return torch.device(there[1] if len(there) > 1 else "cpu")
    if name == "cuda" and "cuda:0" in there:
        name = f"cuda:{torch.cuda.current_device()}"
    if name not in there:
        hint = "" if torch.version.cuda else "; this PyTorch is built for the CPU alone"
        raise ConfigError(f'device "{name}": not on this machine, which has {", ".join(there)}{hint}')
    return torch.device(name)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """While the block lasts, torch computes with that many threads; 0: with as many as before."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def devices() -> list[str]:
    """The devices of this machine: the CPU first, then its GPUs."""
    gpus = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return ["cpu", *gpus, *(["mps"] if torch.backends.mps.is_available() else [])]
