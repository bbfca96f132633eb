"""Distances of vectors that grow by 3 with each piece of context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mner.analysis.distance import distance
from mner.analysis.parts.loaded_run import LoadedRun
from mner.errors import DataError, ModelError


def test_words_of_posts_with_context_are_measured(
    opened: Callable[..., LoadedRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mner.analysis.distance.BINS", 2)
    result = distance([opened(loss={"cva": "posterior"})])
    # kevin won, paris won: two captions; phoenix, madrid won, cleveland won: one
    shown = [6.0] * 4 + [3.0] * 5
    assert (result.posts, result.words) == (5, 9)
    assert result.mean == pytest.approx(np.mean(shown))
    assert result.sd == pytest.approx(np.std(shown))
    assert result.norm == pytest.approx(4.0)
    assert result.edges == (0.0, 3.0, 6.0)
    assert result.shares == pytest.approx((0.0, 1.0))  # 3 lies in the bin that begins with it
    assert result.cva == "posterior"
    assert result.signature.startswith("view=T~I+T measure=l2 data=made/dev@")


def test_features_of_pictures_are_a_context(opened_pictured: Callable[..., LoadedRun]) -> None:
    for captions in (False, True):
        result = distance([opened_pictured(captions=captions)])
        assert (result.posts, result.words, result.mean) == (5, 9, pytest.approx(3.0))


def test_words_of_all_runs_count(opened: Callable[..., LoadedRun]) -> None:
    result = distance([opened(), opened()])
    assert result.words == 18
    assert " seeds=2 " in result.signature


def test_posts_without_context_are_an_error(opened: Callable[..., LoadedRun]) -> None:
    with pytest.raises(DataError, match=r"no post of made/dev@.* has a context"):
        distance([replace(opened(), contexts=[None] * 6)])


def test_runtime_without_vectors_is_an_error(opened: Callable[..., LoadedRun]) -> None:
    class Bare:
        pad_id = 0

    bare: Any = Bare()
    with pytest.raises(ModelError, match="word vectors need the torch model"):
        distance([replace(opened(), runtime=bare)])
