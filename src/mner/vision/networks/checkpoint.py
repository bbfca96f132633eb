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
"""Pairs of a regular expression and its replacement, applied to a name one after the other."""


def fill(
    network: nn.Module,
    state: Mapping[str, NDArray[Any]],
    table: Table,
    *,
    where: Path,
    published: str,
    unused: Sequence[str] = (),
    optional: Sequence[str] = (),
    spellings: Table = (),
) -> None:
    """Put the arrays of a checkpoint into a network, in single precision.

    Args:
        network: Its ``state_dict`` says which arrays there must be, and their shapes.
        state: Arrays by published key.
        table: From the network's names to published keys.
        where: The folder, for messages.
        published: Where the checkpoint is published, for messages.
        unused: Regular expressions of published keys that are left out.
        optional: Names of the network that need not be there; they keep what they hold.
        spellings: From another spelling of published keys to that of ``table``.

    Raises:
        ModelError: An array is missing or unknown, or has another shape than the network's sizes ask for.
    """
    expected = network.state_dict()
    names = {renamed(name, table): name for name in expected}  # the network's by published key
    keys: dict[str, str] = {}  # those of the checkpoint by the network's names
    unknown = []
    for key in state:
        if any(re.fullmatch(pattern, key) for pattern in unused):
            continue
        wanted = names.get(renamed(key, spellings))
        if wanted is None or wanted in keys:
            unknown.append(key)
        else:
            keys[wanted] = key
    missing = [key for key, name in names.items() if name not in keys and name not in optional]
    if missing or unknown:
        faults = [
            f"{len(these)} {fault} array{'s' if len(these) > 1 else ''}, such as {these[0]}"
            for fault, these in (("missing", missing), ("unknown", unknown))
            if these
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


def renamed(name: str, table: Table) -> str:
    r"""A name with a table applied.

    >>> renamed("stages.0.0.norm2.bias", ((r"^stages\.0\.", "backbone.layer1."), (r"\.norm([123])\.", r".bn\1.")))
    'backbone.layer1.0.bn2.bias'
    """
    for pattern, replacement in table:
        name = re.sub(pattern, replacement, name)
    return name
