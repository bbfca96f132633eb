"""The inputs of several pictures -> as few forward passes as their shapes allow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch


def joined(inputs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[list[int], dict[str, Any]]]:
    """Inputs of one picture each, joined where all their arrays have the same shapes; with their places.

    Nothing is padded: what a network makes of a picture does not depend on what stands beside it.

    Args:
        inputs: For each picture its arrays by name; the first axis counts pictures, or patches of them.

    >>> one, other = {"x": torch.zeros(1, 2)}, {"x": torch.zeros(1, 3)}
    >>> [(places, tuple(made["x"].shape)) for places, made in joined([one, other, one])]
    [([0, 2], (2, 2)), ([1], (1, 3))]
    """
    alike: dict[tuple[tuple[str, torch.Size], ...], list[int]] = {}
    for place, one in enumerate(inputs):
        alike.setdefault(tuple((name, array.shape) for name, array in sorted(one.items())), []).append(place)
    for places in alike.values():
        yield places, {name: torch.cat([inputs[place][name] for place in places]) for name in inputs[places[0]]}
