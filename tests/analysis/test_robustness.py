"""True, shuffled and blank contexts of posts read by rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mner.analysis.parts.loaded_run import LoadedRun
from mner.analysis.robustness import robustness, shuffled
from mner.errors import DataError
from mner.types import Post


def test_context_that_is_not_its_own_helps_nobody(opened: Callable[..., LoadedRun]) -> None:
    result = robustness([opened()], shuffles=3)
    # whatever the draw, paris has no stadium, cleveland no city and madrid no band: 3 right of 6 gold and 5 found
    assert [each.context for each in result.readings] == ["true", "shuffled", "blank"]
    assert [each.f1.mean for each in result.readings] == pytest.approx([800 / 11, 600 / 11, 600 / 11])
    assert [each.loss for each in result.readings] == [None, pytest.approx(200 / 11), pytest.approx(200 / 11)]
    assert [each.changed for each in result.readings] == [0.0, 50.0, 50.0]
    assert (result.posts, result.used, result.shuffles) == (6, 5, 3)
    assert " view=I+T:context=shuffled " in result.readings[1].f1.signature


def test_features_are_shuffled_with_the_pieces(opened_pictured: Callable[..., LoadedRun]) -> None:
    for run in (opened_pictured(), opened_pictured(captions=True)):
        result = robustness([run], shuffles=3)
        assert [each.f1.mean for each in result.readings] == pytest.approx([800 / 11, 600 / 11, 600 / 11])
        assert [each.changed for each in result.readings] == [0.0, 50.0, 50.0]
        assert result.used == 5


def test_draw_gives_each_post_the_picture_of_another(posts: list[Post]) -> None:
    pictured = [number != 4 for number in range(1, 7)]
    for seed in range(20):
        drawn = shuffled(posts, pictured, seed=seed)
        assert sorted(drawn) == list(range(6))
        assert [number for number, other in enumerate(drawn) if number == other] == [3]
    assert shuffled(posts, pictured, seed=1) == shuffled(posts, pictured, seed=1)
    assert len({str(shuffled(posts, pictured, seed=seed)) for seed in range(20)}) > 1


def test_posts_of_one_picture_do_not_get_it_from_each_other(posts: list[Post]) -> None:
    shared = [replace(each, image="same.jpg") for each in posts[:2]] + posts[2:3]
    first, second, third = shuffled(shared, [True] * 3, seed=1)
    assert (first, second) == (2, 2)
    assert third in {0, 1}


def test_one_picture_cannot_be_shuffled(posts: list[Post]) -> None:
    with pytest.raises(DataError, match="at least two"):
        shuffled(posts[:1], [True], seed=1)


def test_pictures_of_a_post_are_shuffled_together(posts: list[Post]) -> None:
    both = [replace(posts[0], image="a.jpg", more_images=(name,)) for name in ("b.jpg", "c.jpg")]
    assert shuffled(both, [True, True], seed=1) == [1, 0]
