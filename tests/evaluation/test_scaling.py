"""Fits that find the scaling that the entities were drawn by."""

from __future__ import annotations

import numpy as np
import pytest

from mner.decode.scaling import Scaling, log_odds
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


def drawn(label: str, slope: float, intercept: float, count: int, seed: int) -> Graded:
    """Entities whose chance is a line over the log-odds of their score."""
    generator = np.random.default_rng(seed)
    odds = generator.normal(1.5, 1.5, count)
    correct = generator.random(count) < 1 / (1 + np.exp(-(slope * odds + intercept)))
    return Graded(np.arange(count), np.array([label] * count), 1 / (1 + np.exp(-odds)), correct, count)


def joined(first: Graded, second: Graded) -> Graded:
    pairs = ((getattr(first, name), getattr(second, name)) for name in ("post", "label", "score", "correct"))
    return Graded(*(np.concatenate(pair) for pair in pairs), posts=first.posts)


def test_platt_finds_the_line_of_each_label() -> None:
    lines = platt_of(joined(drawn("LOC", 0.5, -0.4, 20_000, 1), drawn("PER", 1.3, 0.6, 20_000, 2)), ["LOC", "PER"])
    assert lines["LOC"] == pytest.approx((0.5, -0.4), abs=0.06)
    assert lines["PER"] == pytest.approx((1.3, 0.6), abs=0.1)


def test_rare_label_shares_the_line_of_all() -> None:
    lines = platt_of(
        joined(drawn("LOC", 0.5, -0.4, 5_000, 1), drawn("PER", 3.0, 0.0, FEWEST - 1, 2)), ["LOC", "MISC", "PER"]
    )
    assert lines["PER"] != lines["LOC"]
    assert lines["PER"] == pytest.approx((0.5, -0.4), abs=0.1)
    assert lines["MISC"] == lines["PER"]  # of which none was found


@pytest.mark.parametrize("fate", [True, False])
def test_line_of_one_fate_is_finite(fate: bool) -> None:
    graded = drawn("PER", 1.0, 0.0, 200, 3)
    graded = Graded(graded.post, graded.label, graded.score, np.full(200, fate), 200)
    slope, intercept = platt_of(graded, ["PER"])["PER"]
    assert np.isfinite([slope, intercept]).all()
    assert slope > 0


def test_line_that_falls_is_not_taken() -> None:
    assert platt_of(drawn("PER", -1.0, 0.0, 5_000, 4), ["PER"]) == {"PER": (1.0, 0.0)}


def test_temperature_is_the_one_that_they_were_drawn_at() -> None:
    graded = drawn("PER", 0.5, 0.0, 20_000, 5)  # half the log-odds: a temperature of 2
    scores = np.stack([1 / (1 + np.exp(-log_odds(graded.score) / each)) for each in TEMPERATURES])
    assert TEMPERATURES[temperature_of(scores, graded.correct)] == pytest.approx(2.0, rel=0.1)
    after = calibration(held_out(graded, temperature_fit(scores, graded.correct)))
    before = calibration(graded)
    assert before is not None
    assert after is not None
    assert after.ece < 2 < before.ece


def test_held_out_scores_come_from_other_posts() -> None:
    """Pure noise cannot be fitted: what was fitted on an entity itself would seem to."""
    generator = np.random.default_rng(6)
    seen: list[set[int]] = []

    def fit(train: np.ndarray):
        def score(rest: np.ndarray) -> np.ndarray:
            seen.append(set(graded.post[train].tolist()) & set(graded.post[rest].tolist()))
            return np.full(int(rest.sum()), 0.5)

        return score

    post = np.repeat(np.arange(40), 3)
    graded = Graded(post, np.array(["PER"] * 120), generator.random(120), generator.random(120) < 0.5, 40)
    assert held_out(graded, fit).score.tolist() == [0.5] * 120
    assert seen == [set()] * 5


def test_platt_fit_is_platt_of_on_the_rest() -> None:
    graded = drawn("PER", 0.5, 0.2, 300, 7)
    half = np.arange(300) < 150
    scores = platt_fit(graded, ["PER"])(half)(~half)
    expected = Scaling(platt=platt_of(graded.where(half), ["PER"])).curved(graded.score[~half], ["PER"] * 150)
    assert scores.tolist() == expected.tolist()
