"""A checkpoint in a published layout -> the weights of a network of ours, every key accounted for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from mner.errors import ModelError

Table = Sequence[tuple[str, str]]
"""Pairs of a regular expression and its replacement, applied to a published key one after the other."""


def fill(
    network: nn.Module,
    state: Mapping[str, NDArray[Any]],
    table: Table,
    *,
    where: Path,
    published: str,
    unused: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> None:
    """Put the arrays of a checkpoint into a network, in single precision.

    Args:
        network: Its ``state_dict`` says which arrays there must be, and their shapes.
        state: Arrays by published key.
        table: From published keys to the network's.
        where: The folder, for messages.
        published: Where the checkpoint is published, for messages.
        unused: Regular expressions of published keys that are left out.
        optional: Names of the network that need not be there; they keep what they hold.

    Raises:
        ModelError: An array is missing or unknown, or has another shape than the network's sizes ask for.
    """
    expected = network.state_dict()
    keys: dict[str, str] = {}  # published keys by the network's names
    unknown = []
    for key in state:
        if any(re.fullmatch(pattern, key) for pattern in unused):
            continue
        name = renamed(key, table)
        if name in expected and name not in keys:
            keys[name] = key
        else:
            unknown.append(key)
    missing = [f"the network's {name}" for name in expected if name not in keys and name not in optional]
    if missing or unknown:
        faults = [
            f"{len(names)} {fault} array{'s' if len(names) > 1 else ''}, such as {names[0]}"
            for fault, names in (("missing", missing), ("unknown", unknown))
            if names
        ]
        raise ModelError(
            f"{where}: not a whole checkpoint: {'; '.join(faults)}. Whole ones are published in {published}"
        )
    for name, key in keys.items():
        if state[key].shape != tuple(expected[name].shape):
            raise ModelError(
                f"{where}: {key} has the shape {state[key].shape}, the network's {tuple(expected[name].shape)}; the "
                "weights, or the sizes in config.json where there is one, are those of another model than the one "
                f"published in {published}"
            )
    whole = {
        name: torch.from_numpy(state[keys[name]]).to(value.dtype) if name in keys else value
        for name, value in expected.items()
    }
    network.load_state_dict(whole, strict=True, assign=True)
    network.requires_grad_(False).eval()


def renamed(key: str, table: Table) -> str:
    r"""The network's name for a published key.

    >>> renamed("backbone.layer1.0.bn2.bias", ((r"^backbone.layer1.", "stages.0."), (r".bn(.).", r".norm\1.")))
    'stages.0.0.norm2.bias'
    """
    for pattern, replacement in table:
        key = re.sub(pattern, replacement, key)
    return key
