"""A runtime and a split -> exact-match scores of both views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mner.config import Config
from mner.data import Stamp
from mner.decode import Chain, Decoder, Scaling, ScoredSpan
from mner.evaluation.signature import Signature
from mner.runtime import Runtime, predict
from mner.types import Span, ViewName
from mner.views.split import ViewSplit


def scored_in_views(
    runtime: Runtime, split: ViewSplit, decoder: Decoder
) -> dict[ViewName, list[tuple[ScoredSpan, ...]]]:
    """The entities that each view finds in each post of a split, with their probabilities."""
    return {view: predict.spans(runtime, encoded, decoder) for view, encoded in split.encoded.items()}


def spans_of(scored: Mapping[ViewName, Sequence[Sequence[ScoredSpan]]]) -> dict[ViewName, list[list[Span]]]:
    """Entities of each view without their probabilities."""
    return {view: [[entity.span for entity in post] for post in posts] for view, posts in scored.items()}


def decoder_of(config: Config, labels: Sequence[str], chain: Chain, scaling: Scaling | None = None) -> Decoder:
    """The decoder that [decode] describes; ``scaling`` calibrates the probabilities that it gives."""
    decode = config.decode
    return Decoder(labels, chain, constrained=decode.constrained, repair=decode.labels, scaling=scaling)


def signature_of(config: Config, *, f1: Sequence[float], data: str, view: str) -> Signature:
    """The signature of scores under a configuration, which says how labels are read and entities decoded."""
    return Signature(
        f1=tuple(f1),
        view=view,
        scheme=f"iob2-{'repaired' if config.data.labels == 'repair' else 'strict'}",
        decode="constrained" if config.decode.constrained else "unconstrained",
        data=data,
    )


def signed_scores(config: Config, name: str, view: ViewName, scores: Mapping[str, Any], stamp: Stamp) -> dict[str, Any]:
    """One view's scores as a record keeps them: with their signature, the posts' fingerprint and mner's version.

    Args:
        config: The configuration that scored them.
        name: The split as the signature names it, such as "dev".
        view: The view.
        scores: ``Scores.to_dict()``.
        stamp: Of the posts scored.
    """
    data = f"{config.data.name}/{name}@{stamp.fingerprint[:6]}"
    signature = signature_of(config, f1=[scores["micro"]["f1"]], data=data, view=view)
    return {**scores, "signature": str(signature), "fingerprint": stamp.fingerprint, "mner": signature.mner}
