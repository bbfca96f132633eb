from __future__ import annotations

import importlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.decode import Chain, viterbi
from mner.decode.compiled import compiled

LENGTHS = [4, 1, 3, 2, 0]
module = importlib.import_module("mner.decode.viterbi")


@pytest.fixture(params=["numpy", "loop"], autouse=True)
def route(request, monkeypatch):
    """Both ways to the best path; where numba is not installed, the loop runs as Python."""
    loop = compiled(module.best_paths) if request.param == "loop" else None
    monkeypatch.setattr(module, "_loop", lambda: loop)


def test_viterbi_equals_enumeration(chain, enumerated):
    crf = chain(3, seed=1)
    emissions = np.random.default_rng(2).normal(size=(len(LENGTHS), 4, 3))
    paths, scores = viterbi(emissions, LENGTHS, crf=crf)
    for post, length in enumerate(LENGTHS):
        assert not paths[post, length:].any()
        if not length:
            assert scores[post] == 0.0
            continue
        truth = enumerated(emissions[post, :length], crf)
        assert paths[post, :length].tolist() == truth.paths[truth.scores.argmax()].tolist()
        assert scores[post] == pytest.approx(truth.scores.max(), abs=1e-9)


def test_viterbi_ignores_what_stands_past_the_length(chain):
    crf, draw = chain(3), np.random.default_rng(3)
    emissions = draw.normal(size=(len(LENGTHS), 4, 3))
    clean = viterbi(emissions, LENGTHS, crf=crf)
    for post, length in enumerate(LENGTHS):
        emissions[post, length:] = draw.choice([np.nan, np.inf, 1e9], size=(4 - length, 3))
    dirty = viterbi(emissions, LENGTHS, crf=crf)
    np.testing.assert_array_equal(clean[0], dirty[0])
    np.testing.assert_array_equal(clean[1], dirty[1])


@given(st.integers(0, 10_000), st.sampled_from([0.1, 1.0, 300.0]))
def test_viterbi_scores_the_path_it_returns(seed, scale):
    draw = np.random.default_rng(seed)
    crf = Chain(draw.normal(size=(5, 5)), draw.normal(size=5), draw.normal(size=5))
    emissions = scale * draw.normal(size=(1, 7, 5))
    (path,), (score,) = viterbi(emissions, [7], crf=crf)
    own = crf.start[path[0]] + emissions[0, np.arange(7), path].sum() + crf.end[path[-1]]
    assert score == pytest.approx(own + crf.transitions[path[:-1], path[1:]].sum(), rel=1e-12)


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (0, 0, 4)])
def test_viterbi_of_nothing_is_empty(chain, shape):
    paths, scores = viterbi(np.zeros(shape), [0] * shape[0], crf=chain(4))
    assert paths.shape == shape[:2]
    assert scores.tolist() == [0.0] * shape[0]


@pytest.mark.parametrize("scale", [1, 1e4])
def test_the_loop_gives_the_same_paths_and_scores_to_the_last_bit(monkeypatch, scale):
    draw = np.random.default_rng(8)
    legal = draw.random((5, 5)) < 0.7, draw.random((2, 5)) < 0.8
    whole = Chain(*(draw.integers(-1, 2, shape) for shape in ((5, 5), 5, 5)))  # whole numbers: many paths are equal
    lengths = draw.integers(0, 12, 40)
    for crf in (whole, whole.constrained((legal[1][0], legal[0], legal[1][1]))):
        for emissions in (scale * draw.integers(-1, 2, (40, 11, 5)), scale * draw.normal(size=(40, 11, 5))):
            answers = []
            for loop in (None, compiled(module.best_paths)):
                monkeypatch.setattr(module, "_loop", lambda loop=loop: loop)
                answers.append(viterbi(emissions, lengths, crf=crf))
            np.testing.assert_array_equal(answers[0][0], answers[1][0])
            np.testing.assert_array_equal(answers[0][1], answers[1][1])
