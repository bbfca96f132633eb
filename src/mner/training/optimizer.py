"""Parameter groups -> AdamW with a linear schedule."""

from __future__ import annotations

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from mner.config import TrainingConfig


def adamw(groups: dict[str, list[nn.Parameter]], config: TrainingConfig) -> AdamW:
    """AdamW over a model's named groups, each at its own rate; an empty group is left out."""
    rates = {"encoder": config.encoder_lr, "feature": config.feature_lr, "crf": config.crf_lr}
    return AdamW(
        [{"params": params, "lr": rates[name], "name": name} for name, params in groups.items() if params],
        eps=config.eps,
        weight_decay=config.weight_decay,
        fused=True,
    )


def linear_decay(optimizer: AdamW, *, steps: int, warmup: float, done: int = 0) -> LambdaLR:
    """Rates that rise from 0 over the first share ``warmup`` of ``steps``, then fall to 0 in a straight line.

    ``done`` steps of them an earlier, interrupted run has taken.
    """
    rising = round(steps * warmup)

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        return max(0.0, (steps - step) / max(1, steps - rising))

    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
    return LambdaLR(optimizer, factor, last_epoch=done - 1)
