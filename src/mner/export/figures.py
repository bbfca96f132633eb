"""An exported model beside its original in torch: entities, scores, speed, and whether it may stand for it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mner.decode import Decoder
from mner.errors import ModelError
from mner.evaluation.scores import score
from mner.runtime import Runtime, predict
from mner.types import Post, Span, ViewName
from mner.views import Encoded

F1_LOSS = 0.2
"""Most F1 points that int8 may lose on labelled posts."""

AGREEMENT = 95.0
"""Least F1 of int8 entities against those in fp32, where no labels are at hand."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one runtime made of some posts.

    Attributes:
        entities: Of each post in each view.
        emissions: Label scores (word, label) of each post in each view.
        posts_per_second: Forward passes alone, all views together; a post in two views counts twice.
    """

    entities: Mapping[ViewName, Sequence[Sequence[Span]]]
    emissions: Mapping[ViewName, Sequence[np.ndarray]]
    posts_per_second: float


@dataclass(frozen=True, slots=True)
class Figures:
    """An exported model measured against torch.

    Attributes:
        megabytes: Size of the file in 10 ** 6 bytes.
        posts: Posts compared, each in every view.
        differing: Posts of ``posts`` times views whose entities are not the same as in torch.
        agreement: F1 of its entities against those of torch, over all views (percent).
        difference: Largest difference between two label scores.
        f1: By view, where the posts are labelled.
        f1_torch: The same of torch.
        posts_per_second: Of its forward passes on this machine.
        torch_posts_per_second: Of those of torch, with as many threads.
    """

    megabytes: float
    posts: int
    differing: int
    agreement: float
    difference: float
    f1: Mapping[str, float]
    f1_torch: Mapping[str, float]
    posts_per_second: float
    torch_posts_per_second: float

    def to_dict(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


def run(runtime: Runtime, encoded: Mapping[ViewName, Sequence[Encoded]], decoder: Decoder) -> Run:
    """What a runtime makes of posts in some views, with its speed."""
    some = next(iter(encoded.values()))
    predict.emissions(runtime, some[:8])  # the first pass allocates
    begin = time.perf_counter()
    scores = {view: predict.emissions(runtime, posts) for view, posts in encoded.items()}
    seconds = time.perf_counter() - begin
    count = sum(len(posts) for posts in encoded.values())
    return Run(
        {view: [_decoded(decoder, *both) for both in zip(encoded[view], scores[view], strict=True)] for view in scores},
        scores,
        count / max(seconds, 1e-9),
    )


def compare(exported: Run, original: Run, *, megabytes: float, posts: Sequence[Post]) -> Figures:
    """The figures of an exported model's run beside its original's, over the same posts and views."""
    views = list(original.entities)
    pairs = [pair for view in views for pair in zip(original.entities[view], exported.entities[view], strict=True)]
    same = score([before for before, _ in pairs], [after for _, after in pairs]).micro
    labelled = all(post.spans is not None for post in posts)
    gold = [post.spans or () for post in posts]
    return Figures(
        megabytes=megabytes,
        posts=len(posts),
        differing=sum(set(before) != set(after) for before, after in pairs),
        agreement=same.f1 if same.gold + same.predicted else 100.0,
        difference=max(
            (
                float(np.abs(before - after).max(initial=0.0))
                for view in views
                for before, after in zip(original.emissions[view], exported.emissions[view], strict=True)
            ),
            default=0.0,
        ),
        f1={view: score(gold, exported.entities[view]).micro.f1 for view in views} if labelled else {},
        f1_torch={view: score(gold, original.entities[view]).micro.f1 for view in views} if labelled else {},
        posts_per_second=exported.posts_per_second,
        torch_posts_per_second=original.posts_per_second,
    )


def refuse_worse(figures: Figures, precision: str, *, entities: int) -> None:
    """Refuse an exported model that does not stand for its original.

    In fp32 all entities must be the same. In int8 the F1, mean over views, may fall by ``F1_LOSS``, or by what one
    entity weighs where the posts are few; without labels its entities must agree to ``AGREEMENT``.

    Args:
        figures: Of the exported model.
        precision: "fp32" or "int8".
        entities: Gold entities of the posts.

    Raises:
        ModelError: It falls short; the message holds the figures.
    """
    told = f"largest difference of a label score {figures.difference:.2g}"
    if precision == "fp32":
        if figures.differing:
            raise ModelError(
                f"model.onnx finds other entities than torch in {figures.differing} of {figures.posts} posts "
                f"({told}); it was not written. This is a fault of the export: please report it with the encoder's name"
            )
        return
    if figures.f1:
        loss = float(np.mean(list(figures.f1_torch.values())) - np.mean(list(figures.f1.values())))
        allowed = max(F1_LOSS, 100 / max(entities, 1))
        if loss > allowed:
            raise ModelError(
                f"model.int8.onnx loses {loss:.2f} F1 on {figures.posts} posts, at most {allowed:.2f} is allowed "
                f"({told}); it was not written. Use fp32: mner export MODEL --onnx"
            )
    elif figures.agreement < AGREEMENT:
        raise ModelError(
            f"the entities of model.int8.onnx agree with those in fp32 to {figures.agreement:.1f} F1 on "
            f"{figures.posts} posts, expected {AGREEMENT:.0f} ({told}); it was not written. "
            "Use fp32: mner export MODEL --onnx"
        )


def _rounded(value: Any) -> Any:
    """A number with five digits that count, whatever its size."""
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _decoded(decoder: Decoder, encoded: Encoded, scores: np.ndarray) -> list[Span]:
    heads = predict.heads_of([encoded])
    return [one.span for one in decoder.decode(scores[None], [len(scores)], heads=heads)[0]]
