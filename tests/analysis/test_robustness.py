"""True, shuffled and blank contexts of posts read by rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from mner.analysis.parts.loaded_run import LoadedRun
from mner.analysis.robustness import robustness, shuffled
from mner.errors import DataError
from mner.types import Post
from mner.views import Piece


def test_context_that_is_not_its_own_helps_nobody(opened: Callable[..., LoadedRun]) -> None:
    found = robustness([opened()], shuffles=3)
    # whatever the draw, paris has no stadium, cleveland no city and madrid no band: 3 right of 6 gold and 5 found
    assert [each.context for each in found.readings] == ["true", "shuffled", "blank"]
    assert [each.f1.mean for each in found.readings] == pytest.approx([800 / 11, 600 / 11, 600 / 11])
    assert [each.loss for each in found.readings] == [None, pytest.approx(200 / 11), pytest.approx(200 / 11)]
    assert [each.changed for each in found.readings] == [0.0, 50.0, 50.0]
    assert (found.posts, found.used, found.shuffles) == (6, 5, 3)
    assert " view=I+T:context=shuffled " in found.readings[1].f1.signature


def test_draw_gives_each_picture_that_of_another(posts: list[Post]) -> None:
    pieces = [(Piece("captions", "a", f"of {number}"),) if number != 4 else () for number in range(1, 7)]
    for seed in range(20):
        drawn = shuffled(posts, pieces, seed=seed)
        assert sorted(map(str, drawn)) == sorted(map(str, pieces))
        assert all(new != old for new, old in zip(drawn, pieces, strict=True) if old)
        assert drawn[3] == ()
    assert shuffled(posts, pieces, seed=1) == shuffled(posts, pieces, seed=1)
    assert len({str(shuffled(posts, pieces, seed=seed)) for seed in range(20)}) > 1


def test_posts_of_one_picture_do_not_get_it_from_each_other(posts: list[Post]) -> None:
    shared = [replace(one, image="same.jpg") for one in posts[:2]] + posts[2:3]
    pieces = [(Piece("captions", "a", text),) for text in ("same", "same", "third")]
    assert [some[0].text for some in shuffled(shared, pieces, seed=1)] == ["third", "third", "same"]


def test_one_picture_cannot_be_shuffled(posts: list[Post]) -> None:
    with pytest.raises(DataError, match="at least two"):
        shuffled(posts[:1], [(Piece("captions", "a", "alone"),)], seed=1)
