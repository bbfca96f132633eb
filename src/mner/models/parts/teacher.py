"""A saved model teaches: the views that are trained learn from what it believes about the same words."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mner.config import LossConfig
from mner.models.parts.align import posterior_alignment
from mner.models.parts.crf import ChainCRF
from mner.types import ViewName


def teaching(config: LossConfig) -> tuple[float, float]:
    """Weight and temperature of a teacher: the preset's for the alignment of views, unless they are written.

    >>> teaching(LossConfig()), teaching(LossConfig(preset="paper", weight_teacher=2.0))
    ((0.5, 4.0), (2.0, 1.0))
    """
    weight, temperature = (0.5, 4.0) if config.preset == "official" else (1.0, 1.0)
    return (
        weight if config.weight_teacher is None else config.weight_teacher,
        temperature if config.temperature is None else config.temperature,
    )


def lesson(
    config: LossConfig,
    crf: ChainCRF,
    taught: Tensor,
    scores: Mapping[ViewName, Tensor],
    weights: Mapping[ViewName, float],
    lengths: Tensor,
) -> tuple[float, Tensor]:
    """Weight of a teacher and L_teacher (batch,): how far the trained views are from what it believes.

        L_teacher = sum_v w_v * alignment(teacher, v)       alignment: ``align.posterior_alignment``

    A view v counts with the weight of its own loss, so that the teacher has the same say beside the gold labels in
    each. All trained views are taught: if T alone were, it would be drawn to the teacher and, by the alignment of
    views, to an I+T view that learned nothing from it.

    Args:
        config: [loss] of the configuration.
        crf: The student's chain.
        taught: The teacher's log-posteriors (batch, word, label).
        scores: The student's label scores (batch, word, label) of each trained view.
        weights: The weight of each view's own loss.
        lengths: Words of each post (batch,).
    """
    weight, temperature = teaching(config)
    parts = [
        weights[view]
        * posterior_alignment(
            taught, crf.posteriors(one, lengths), lengths, preset=config.preset, temperature=temperature
        )
        for view, one in scores.items()
    ]
    return weight, torch.stack(parts).sum(0)
