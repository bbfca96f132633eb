"""Label scores -> the spans that may be entities, beyond those of the best path, each with its exact probability."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from mner.decode.chain import Floats
from mner.decode.posterior import posteriors
from mner.decode.spans import Decoder, ScoredSpan, first_places, span_scores
from mner.tags import entity_types
from mner.types import Span

LEAST = 0.001
"""Least exact probability of a span that is considered."""


def candidates(
    decoder: Decoder, emissions: ArrayLike, lengths: ArrayLike, *, heads: Sequence[ArrayLike] | None = None
) -> list[tuple[ScoredSpan, ...]]:
    """Spans of each post that do not overlap, in order of appearance: the most probable one, then the next, and so on.

    All spans of all labels take part whose probability, by the decoder's temperature, is ``LEAST`` or more. Nearly all
    others are known without computing theirs: a span is at most as probable as any of its labels.

    Args:
        decoder: The decoder, whose scaling the probabilities have.
        emissions: Label scores (batch, word, label).
        lengths: Words of each post (batch,).
        heads: As of ``Decoder.decode``.
    """
    scores, chain = decoder.scored(emissions)
    counts = np.asarray(lengths, dtype=np.int64)
    marginals = posteriors(scores, counts, crf=chain).marginals
    places = first_places(counts, heads)
    spans = [
        list(_probable(marginals[row, places[row]], decoder.labels)) if len(places[row]) else []
        for row in range(len(counts))
    ]
    exact = span_scores(scores, counts, spans, labels=decoder.labels, crf=chain, heads=heads)
    pairs = [zip(of_post, of_scores.tolist(), strict=True) for of_post, of_scores in zip(spans, exact, strict=True)]
    return [_disjoint(_scored(decoder, [pair for pair in of_post if pair[1] >= LEAST])) for of_post in pairs]


def _scored(decoder: Decoder, pairs: Sequence[tuple[Span, float]]) -> list[ScoredSpan]:
    """Spans with their exact probabilities -> with those that the decoder gives."""
    scores = [score for _, score in pairs]
    if decoder.scaling is not None:
        scores = decoder.scaling.curved(scores, [span.label for span, _ in pairs]).tolist()
    return [ScoredSpan(span.start, span.end, span.label, score) for (span, _), score in zip(pairs, scores, strict=True)]


def _probable(marginals: Floats, labels: Sequence[str]) -> Iterator[Span]:
    """The spans of a post none of whose labels is improbable; marginals are (word, label)."""
    number = {label: place for place, label in enumerate(labels)}
    likely = marginals >= LEAST
    for kind in entity_types(labels):
        single, begin, inner, end = (likely[:, number[f"{part}-{kind}"]] for part in "SBIE")
        for word in np.flatnonzero(single).tolist():
            yield Span(word, word + 1, kind)
        for word in np.flatnonzero(begin).tolist():
            for last in range(word + 1, len(marginals)):
                if end[last]:
                    yield Span(word, last + 1, kind)
                if not inner[last]:
                    break


def _disjoint(spans: Iterable[ScoredSpan]) -> tuple[ScoredSpan, ...]:
    taken: list[ScoredSpan] = []
    for span in sorted(spans, key=lambda span: (-span.score, span)):
        if all(span.end <= other.start or other.end <= span.start for other in taken):
            taken.append(span)
    return tuple(sorted(taken))
