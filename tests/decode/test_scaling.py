"""Scaled probabilities against enumeration, and entities that stay as they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mner.decode import Chain, Decoder, Scaling
from mner.decode.scaling import log_odds
from mner.tags import bioes_labels
from mner.types import Span

LABELS = bioes_labels(["PER"])


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_temperature_is_that_of_the_whole_chain(
    chain: Callable[..., Chain], enumerated: Callable, temperature: float
) -> None:
    crf = chain(5, seed=3)
    emissions = np.random.default_rng(4).normal(size=(4, 5))
    decoder = Decoder(LABELS, crf, constrained=False, scaling=Scaling(temperature))
    scaled = Scaling(temperature).chain(crf)
    every = enumerated(emissions / temperature, scaled)
    begin, inner, end = (LABELS.index(f"{part}-PER") for part in "BIE")
    inside = (every.paths[:, :3] == [begin, inner, end]).all(1)
    (score,) = decoder.span_scores(emissions[None], [4], [[Span(0, 3, "PER")]])[0]
    assert score == pytest.approx(every.probabilities[inside].sum())


def test_scaling_changes_probabilities_and_no_entity(chain: Callable[..., Chain]) -> None:
    crf = chain(9, seed=1)
    labels = bioes_labels(["LOC", "PER"])
    emissions = 3 * np.random.default_rng(2).normal(size=(20, 7, 9))
    exact = Decoder(labels, crf).decode(emissions, [7] * 20)
    assert sum(map(len, exact)) > 10
    for scaling in (Scaling(2.5), Scaling(platt={"LOC": (0.4, -0.5), "PER": (1.2, 0.3)})):
        scaled = Decoder(labels, crf, scaling=scaling).decode(emissions, [7] * 20)
        assert [[each.span for each in post] for post in scaled] == [[each.span for each in post] for post in exact]
        assert [each.score for post in scaled for each in post] != [each.score for post in exact for each in post]


def test_temperature_of_one_leaves_probabilities(chain: Callable[..., Chain]) -> None:
    crf, emissions = chain(5, seed=3), np.random.default_rng(4).normal(size=(3, 6, 5))
    exact, scaled = (Decoder(LABELS, crf, scaling=each).decode(emissions, [6, 5, 0]) for each in (None, Scaling()))
    assert exact == scaled


def test_forbidden_spans_stay_impossible(chain: Callable[..., Chain]) -> None:
    scaling = Scaling(3.0, {"PER": (0.5, 2.0)})
    decoder = Decoder(LABELS, chain(5), scaling=scaling)
    (scores,) = decoder.span_scores(np.zeros((1, 2, 5)), [2], [[Span(0, 1, "LOC"), Span(0, 2, "PER")]])
    assert scores[0] == 0
    assert 0 < scores[1] < 1


def test_curve_is_a_line_over_log_odds() -> None:
    scaled = Scaling(platt={"PER": (0.5, 1.0)}).curved([0.2, 0.9, 0.9], ["PER", "PER", "LOC"])
    assert log_odds(scaled[:2]) == pytest.approx(0.5 * log_odds(np.array([0.2, 0.9])) + 1.0)
    assert scaled[2] == 0.9
    assert Scaling(platt={"PER": (0.5, 1.0)}).curved([0.0, 1.0], ["PER", "PER"]).tolist()[0] == 0.0
