"""The weights' moving average, which dev is scored on and which is saved, while training goes on with the weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

KEY = "average"
"""Its name in the optimizer's state: there, beside the moments, a checkpoint holds it."""


class Average:
    """An exponential moving average of all parameters that an optimizer moves.

    Of the weights w_1 ... w_n after each step, those of k steps ago count with d^k, d being the decay:

        average_n = sum_k d^k w_{n-k} / sum_k d^k = average_{n-1} + (1 - d) / (1 - d^n) * (w_n - average_{n-1})

    The division keeps the weights from before training out of a short run's average.

    Args:
        optimizer: It begins to be watched.
        decay: 0: there is no average, and nothing is watched.
        done: Optimizer steps that an earlier, interrupted run has taken.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, decay: float, *, done: int = 0) -> None:
        self._optimizer, self._decay, self._steps = optimizer, decay, done
        if decay:
            optimizer.register_step_post_hook(self._after_step)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Put the average in the place of the weights for the time of a block; without one they stay."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for weights, state in self._optimizer.state.items():
            if KEY in state:
                weights.data, state[KEY] = state[KEY], weights.data

    @torch.no_grad()
    def _after_step(self, *_: Any) -> None:
        self._steps += 1
        moved = {weights: state for weights, state in self._optimizer.state.items() if state}
        for weights, state in moved.items():
            if KEY not in state:
                state[KEY] = weights.detach().clone()
        share = (1 - self._decay) / (1 - self._decay**self._steps)
        torch._foreach_lerp_([state[KEY] for state in moved.values()], list(moved), share)
