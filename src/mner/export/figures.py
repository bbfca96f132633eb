"""An exported model beside its original in torch: entities, scores, speed; whether it may replace it; its card."""

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
"""Least F1 of int8 entities against those in fp32, where posts have no labels or no entity."""

HEADING = "## ONNX"
"""Of the figures' section in a model's card."""


@dataclass(frozen=True, slots=True)
class Run:
    """The results of one runtime on some posts.

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
        """The figures as a JSON object; the difference, often below 0.0001, to two significant digits."""
        rounded = {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}
        return {**rounded, "difference": float(f"{self.difference:.2g}")}


def run(runtime: Runtime, encoded: Mapping[ViewName, Sequence[Encoded]], decoder: Decoder) -> Run:
    """Run posts in their views through a runtime, and measure its speed."""
    predict.emissions(runtime, next(iter(encoded.values()))[:8])  # the first pass allocates
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
    """Refuse an exported model that differs too much from its original.

    In fp32 all entities must be the same. In int8 the F1, mean over views, may fall by ``F1_LOSS``, or by the weight of
    one of the gold ``entities`` where there are few; without any its entities must agree to ``AGREEMENT``.

    Raises:
        ModelError: It differs too much; the message holds the figures.
    """
    differs = f"largest difference of a label score {figures.difference:.2g}"
    if precision == "fp32":
        if figures.differing:
            raise ModelError(
                f"model.onnx finds other entities than torch in {figures.differing} of {figures.posts} posts "
                f"({differs}); it was not written. Please report this as a bug, with the encoder's name"
            )
        return
    if figures.f1 and entities:
        loss = float(np.mean(list(figures.f1_torch.values())) - np.mean(list(figures.f1.values())))
        allowed = max(F1_LOSS, 100 / max(entities, 1))
        if loss > allowed:
            raise ModelError(
                f"model.int8.onnx loses {loss:.2f} F1 on {figures.posts} posts, at most {allowed:.2f} is allowed "
                f"({differs}); it was not written. Use fp32: mner export MODEL --onnx"
            )
    elif figures.agreement < AGREEMENT:
        raise ModelError(
            f"the entities of model.int8.onnx agree with those in fp32 to {figures.agreement:.1f} F1 on "
            f"{figures.posts} posts, expected {AGREEMENT:.0f} ({differs}); it was not written. "
            "Use fp32: mner export MODEL --onnx"
        )


def _decoded(decoder: Decoder, encoded: Encoded, scores: np.ndarray) -> list[Span]:
    heads = predict.heads_of([encoded])
    return [entity.span for entity in decoder.decode(scores[None], [len(scores)], heads=heads)[0]]


def with_section(card: str, entries: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of a model card with its section on ONNX files, which replaces an older one.

    ``entries`` is the table "onnx" of ``model.json``: by file name ``Figures.to_dict``, threads and compared_on.

    >>> print(with_section("# m", {}).splitlines()[2])
    ## ONNX
    """
    before, _, after = card.partition(f"\n{HEADING}\n")
    place = after.find("\n## ")
    rest = after[place:] if place >= 0 else ""
    lines = [
        HEADING,
        "",
        "Each file was compared with the same model in torch when it was written, on the machine that wrote it.",
        "",
        "| file | MB | F1, in torch | other entities | agreement | largest difference | posts/s, in torch | on |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [f"| {file} | {_cells(entry)} |" for file, entry in sorted(entries.items())]
    return f"{before.rstrip()}\n\n" + "\n".join(lines) + "\n" + rest


def _cells(entry: Mapping[str, Any]) -> str:
    f1 = ", ".join(f"{view} {value:.2f}, {entry['f1_torch'][view]:.2f}" for view, value in entry["f1"].items())
    threads = f"{entry['threads']} thread{'s' * (entry['threads'] != 1)}"
    return (
        f"{entry['megabytes']:.1f} | {f1 or 'no labels'} | {entry['differing']} | {entry['agreement']:.1f} | "
        f"{entry['difference']:.1g} | {entry['posts_per_second']:.0f}, {entry['torch_posts_per_second']:.0f} | "
        f"{entry['compared_on']}; {threads}{kept_layers(entry.get('layers_in_fp32', 0))}"
    )


def kept_layers(layers: int) -> str:
    """How many layers of an int8 graph stayed in fp32, to append to other facts; "" for none."""
    return f"; first {'layer' if layers == 1 else f'{layers} layers'} in fp32" if layers else ""
