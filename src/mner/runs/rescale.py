"""Entities of labelled posts -> the scaling that makes their probabilities true, measured on held-out posts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from mner.decode import Decoder, Scaling
from mner.errors import DataError
from mner.evaluation.calibration import Graded, calibration
from mner.evaluation.scaling import (
    FEWEST,
    TEMPERATURES,
    held_out,
    platt_fit,
    platt_of,
    temperature_fit,
    temperature_of,
)
from mner.runs.view_scores import ViewEmissions
from mner.runtime.calibration import Basis, Scale
from mner.types import ViewName

Method = Literal["temperature", "platt"]

METHODS: Mapping[Method, str] = {"temperature": "temperature", "platt": "curves by label"}

MakeDecoder = Callable[[Scaling | None], Decoder]


def rescaled(
    views: Mapping[ViewName, ViewEmissions],
    decoder: MakeDecoder,
    method: Method,
    *,
    types: Sequence[str],
    posts: int,
    basis: Basis,
) -> Scale:
    """The scaling that fits the entities of all views together, with its calibration error before and after.

    Both views have one scaling, so that what the picture did to a probability is not mixed with what two scalings did.

    Args:
        views: The posts by view.
        decoder: Makes the model's decoder with a scaling.
        method: What is fitted.
        types: The model's entity types.
        posts: The number of posts of the split that they are from.
        basis: What the posts are called; its count of entities is filled in.

    Raises:
        DataError: There are too few entities.
    """
    exact = _joined(views, decoder(None), posts)
    if len(exact) < FEWEST:
        raise DataError(
            f"{basis.data}: {len(exact)} entities were found in {basis.posts} posts; a scaling needs at least {FEWEST} "
            "entities. Name more posts"
        )
    if method == "temperature":
        scores = np.stack(
            [_joined(views, decoder(Scaling(temperature)), posts).score for temperature in TEMPERATURES]
        )  # (temperature, entity)
        scaling = Scaling(TEMPERATURES[temperature_of(scores, exact.correct)])
        after = held_out(exact, temperature_fit(scores, exact.correct))
    else:
        scaling = Scaling(platt=platt_of(exact, types))
        after = held_out(exact, platt_fit(exact, types))
    sizes = [len(of_view.predicted(decoder(None))) for of_view in views.values()]
    view_of = np.repeat(np.arange(len(sizes)), sizes)
    ece: dict[ViewName, tuple[float, float]] = {}
    brier: dict[ViewName, tuple[float, float]] = {}
    for number, view in enumerate(views):
        before, then = (calibration(graded.where(view_of == number)) for graded in (exact, after))
        if before is not None and then is not None:
            ece[view] = (round(before.ece, 6), round(then.ece, 6))
            brier[view] = (round(before.brier, 6), round(then.brier, 6))
    return Scale(
        method=method,
        temperature=scaling.temperature,
        platt={label: (round(slope, 6), round(intercept, 6)) for label, (slope, intercept) in scaling.platt.items()},
        ece=ece,
        brier=brier,
        basis=basis.model_copy(update={"entities": len(exact)}),
    )


def _joined(views: Mapping[ViewName, ViewEmissions], decoder: Decoder, posts: int) -> Graded:
    """The entities of all views, one after the other; those of one post share its number."""
    parts = [(of_view.numbers, of_view.predicted(decoder)) for of_view in views.values()]
    return Graded(
        np.concatenate([numbers[graded.post] for numbers, graded in parts]),
        np.concatenate([graded.label for _, graded in parts]),
        np.concatenate([graded.score for _, graded in parts]),
        np.concatenate([graded.correct for _, graded in parts]),
        posts,
    )
