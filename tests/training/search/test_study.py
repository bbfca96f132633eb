"""A trial is given up when it lags behind the others at the same share of its own epochs."""

from __future__ import annotations

import optuna
import pytest

from mner.config.space import Values
from mner.training.search.study import AFTER, ask, hopeless, settings

WHOLE = [([50.0, 60.0], 2), ([50.0, 70.0], 2), ([50.0, 80.0], 2), ([50.0, 90.0], 2)]


def test_nothing_is_given_up_before_enough_trials_are_whole() -> None:
    assert not hopeless([1.0], 2, WHOLE[: AFTER - 1])
    assert hopeless([1.0], 2, WHOLE)


@pytest.mark.parametrize(("score", "given_up"), [(49.9, True), (50.0, False), (50.1, False)])
def test_median_is_the_bar(score: float, given_up: bool) -> None:
    assert hopeless([score], 2, WHOLE) is given_up


def test_best_epoch_so_far_counts() -> None:
    assert not hopeless([76.0, 1.0], 2, WHOLE)
    assert hopeless([74.0, 1.0], 2, WHOLE)


def test_long_schedule_is_compared_at_its_own_share() -> None:
    assert not hopeless([40.0], 4, WHOLE), "a quarter in, the others have nothing to show"
    assert hopeless([40.0, 40.0], 4, WHOLE), "half in, they had 50"
    assert hopeless([40.0], 1, WHOLE), "at the end the whole of the others counts"


def test_trial_without_a_score_is_not_given_up() -> None:
    assert not hopeless([], 2, WHOLE)


def test_drawn_values_are_rounded_within_their_range_and_named_ones_are_not() -> None:
    space = {
        "training.encoder_lr": Values(choices=[1e-4, 3.125e-05]),
        "training.warmup": Values(low=0.9996, high=0.9999),
    }
    start = {"training.encoder_lr": 1e-4, "training.warmup": 0.9997}
    study = optuna.create_study(direction="maximize")
    study.enqueue_trial({"training.encoder_lr": 3.125e-05, "training.warmup": 0.9998})
    assert settings(ask(study, space, start, seed=1), start) == {
        "training.encoder_lr": 3.125e-05,
        "training.warmup": 0.9999,
    }
