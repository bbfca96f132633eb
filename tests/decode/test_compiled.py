from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from mner.decode import compiled as module


def double(values):
    for place in range(len(values)):
        values[place] *= 2.0


@pytest.fixture
def fresh():
    """Nothing is known of numba, before or after."""
    caches = module.with_numba, module.compiled
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def test_a_loop_does_its_work_compiled_or_not():
    values = np.arange(3.0)
    module.compiled(double)(values)
    assert values.tolist() == [0.0, 2.0, 4.0]


def test_without_numba_a_loop_stays_as_it_is(monkeypatch, fresh):
    monkeypatch.setitem(sys.modules, "numba", None)
    assert not module.with_numba()
    assert module.compiled(double) is double


def test_a_loop_is_compiled_where_nothing_can_be_kept(monkeypatch, fresh):
    def njit(cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda loop: ("compiled", loop)

    monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(njit=njit))
    assert module.compiled(double) == ("compiled", double)


def test_decoding_does_not_import_numba():
    code = (
        "import sys, numpy as np; from mner.decode import Chain, viterbi;"
        "viterbi(np.zeros((1, 3, 2)), [3], crf=Chain(np.zeros((2, 2)), np.zeros(2), np.zeros(2)));"
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
