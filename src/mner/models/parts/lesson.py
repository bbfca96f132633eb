"""What a model learns from the posteriors of others: the views that are trained, each from its own target."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mner.config import TeachersConfig
from mner.models.parts.align import posterior_alignment
from mner.models.parts.crf import ChainCRF
from mner.types import ViewName


def lesson(
    options: TeachersConfig,
    crf: ChainCRF,
    taught: Mapping[ViewName, Tensor],
    scores: Mapping[ViewName, Tensor],
    weights: Mapping[ViewName, float],
    lengths: Tensor,
) -> Tensor:
    """How far the trained views are from what their teachers believe (batch,).

        L = sum_v w_v * tau^2 * sum_i KL(q_i || p_i)        see ``align.posterior_alignment``

    A view v counts with the weight of its own loss, so that the teachers have the same say beside the gold labels in
    each.

    Args:
        options: [teachers] of the configuration.
        crf: The student's chain.
        taught: Log-posteriors of the teachers (batch, word, label) for each trained view.
        scores: Label scores of the student (batch, word, label) of each trained view.
        weights: The weight of each view's own loss.
        lengths: Words of each post (batch,).
    """
    return torch.stack(
        [
            weights[view]
            * posterior_alignment(
                taught[view], crf.posteriors(of_view, lengths), lengths, temperature=options.temperature
            )
            for view, of_view in scores.items()
        ]
    ).sum(0)
