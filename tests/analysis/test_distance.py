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


def test_words_of_posts_with_context_are_measured(opened: Callable[..., LoadedRun]) -> None:
    found = distance([opened(loss={"cva": "posterior"})], bins=2)
    # kevin won, paris won: two captions; phoenix, madrid won, cleveland won: one
    told = [6.0] * 4 + [3.0] * 5
    assert (found.posts, found.words) == (5, 9)
    assert found.mean == pytest.approx(np.mean(told))
    assert found.sd == pytest.approx(np.std(told))
    assert found.norm == pytest.approx(4.0)
    assert found.edges == (0.0, 3.0, 6.0)
    assert found.shares == pytest.approx((0.0, 1.0))  # 3 lies in the bin that begins with it
    assert found.cva == "posterior"
    assert found.signature.startswith("view=T~I+T measure=l2 data=made/dev@")


def test_words_of_all_runs_count(opened: Callable[..., LoadedRun]) -> None:
    found = distance([opened(), opened()])
    assert found.words == 18
    assert " seeds=2 " in found.signature


def test_posts_without_context_are_an_error(opened: Callable[..., LoadedRun]) -> None:
    with pytest.raises(DataError, match=r"no post of made/dev@.* has a context"):
        distance([replace(opened(), contexts=[None] * 6)])


def test_runtime_without_vectors_is_an_error(opened: Callable[..., LoadedRun]) -> None:
    class Bare:
        pad_id = 0

    bare: Any = Bare()
    with pytest.raises(ModelError, match="word vectors need the torch model"):
        distance([replace(opened(), runtime=bare)])
