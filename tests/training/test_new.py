"""mner config new: settings that suit the number of posts."""

from __future__ import annotations

import pytest

from mner import config as configs
from mner.training.new import LEAST_STEPS, steps_for


@pytest.mark.parametrize("posts", [1, 4, 16, 99, 100, 250, 479, 480, 4000])
def test_few_posts_get_enough_steps(posts: int) -> None:
    training = configs.TrainingConfig(**steps_for(posts))
    steps = training.epochs * training.passes * -(-posts // training.posts_per_step)
    assert steps >= LEAST_STEPS
    assert (training == configs.TrainingConfig()) == (posts >= 480), "many posts keep the defaults"
