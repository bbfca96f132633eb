"""Candidates against all spans of small posts."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from mner.decode import Chain, Decoder, Scaling, candidates
from mner.decode.candidates import LEAST
from mner.tags import PAD, bioes_labels
from mner.types import Span

TYPES = ("LOC", "PER")
LABELS = bioes_labels(TYPES)
WORDS = 6


def every_span(words: int) -> list[Span]:
    return [Span(start, end, kind) for start, end in combinations(range(words + 1), 2) for kind in TYPES]


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("scaling", [None, Scaling(2.0), Scaling(platt={"LOC": (0.5, 0.2)})])
def test_candidates_are_the_most_probable_spans_that_fit_together(
    chain: Callable[..., Chain], constrained: bool, scaling: Scaling | None
) -> None:
    decoder = Decoder(LABELS, chain(9, seed=5), constrained=constrained, scaling=scaling)
    emissions = 2 * np.random.default_rng(6).normal(size=(15, WORDS, 9))
    spans = every_span(WORDS)
    scores = decoder.span_scores(emissions, [WORDS] * 15, [spans] * 15)
    temperature = Scaling(1.0 if scaling is None else scaling.temperature)
    plain = Decoder(LABELS, chain(9, seed=5), constrained=constrained, scaling=temperature)
    exact = plain.span_scores(emissions, [WORDS] * 15, [spans] * 15)
    for post, chosen in enumerate(candidates(decoder, emissions, [WORDS] * 15)):
        taken: list[tuple[Span, float]] = []
        probable = zip(scores[post][exact[post] >= LEAST].tolist(), np.flatnonzero(exact[post] >= LEAST), strict=True)
        for score, span in sorted(((score, spans[place]) for score, place in probable), key=lambda p: (-p[0], p[1])):
            if all(span.end <= other.start or other.end <= span.start for other, _ in taken):
                taken.append((span, score))
        assert [(each.span, each.score) for each in chosen] == sorted(taken)
        assert chosen


def test_candidates_hold_what_the_best_path_lacks() -> None:
    """The best path leaves out the word whose span has a probability of 0.4."""
    decoder = Decoder(bioes_labels(["PER"]), Chain(np.zeros((5, 5)), np.zeros(5), np.zeros(5)))
    emissions = np.log([[[0.6, 1e-9, 1e-9, 1e-9, 0.4]]])
    assert decoder.decode(emissions, [1]) == [()]
    (span,) = candidates(decoder, emissions, [1])[0]
    assert span.span == Span(0, 1, "PER")
    assert span.score == pytest.approx(0.4)


def test_candidates_of_no_words_are_none(chain: Callable[..., Chain]) -> None:
    assert candidates(Decoder(LABELS, chain(9)), np.zeros((2, 0, 9)), [0, 0]) == [(), ()]


def test_candidates_where_sub_tokens_carry_labels() -> None:
    labels = (*bioes_labels(["PER"]), PAD)
    decoder = Decoder(labels, Chain(np.zeros((6, 6)), np.zeros(6), np.zeros(6)), constrained=False)
    names = ("B-PER", PAD, "E-PER", "O")
    emissions = np.array([[[8.0 * (label == name) for label in labels] for name in names]])
    (span,) = candidates(decoder, emissions, [4], heads=[[0, 2, 3]])[0][:1]
    assert span.span == Span(0, 2, "PER")
    assert span.score > 0.9
