from __future__ import annotations

import numpy as np
import pytest

from mner.decode import Chain, posteriors

LENGTHS = [4, 1, 3, 2, 0]


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-5)])
@pytest.mark.parametrize("scale", [1.0, 50.0])
def test_posteriors_equal_enumeration(chain, enumerated, dtype, tolerance, scale):
    crf = chain(3, seed=4, scale=scale)
    emissions = (scale * np.random.default_rng(5).normal(size=(len(LENGTHS), 4, 3))).astype(dtype)
    posterior = posteriors(emissions, LENGTHS, crf=crf)
    for post, length in enumerate(LENGTHS):
        assert not posterior.marginals[post, length:].any()
        if not length:
            assert posterior.log_partition[post] == 0.0
            continue
        truth = enumerated(emissions[post, :length], crf)
        assert posterior.log_partition[post] == pytest.approx(truth.log_partition, rel=tolerance)
        for word in range(length):
            expected = np.bincount(truth.paths[:, word], truth.probabilities, minlength=3)
            np.testing.assert_allclose(posterior.marginals[post, word], expected, atol=tolerance)
            total = np.logaddexp.reduce(posterior.alpha[post, word] + posterior.beta[post, word])
            assert total == pytest.approx(truth.log_partition, rel=tolerance)


def test_posteriors_ignore_what_stands_past_the_length(chain):
    crf, draw = chain(3), np.random.default_rng(6)
    emissions = draw.normal(size=(len(LENGTHS), 4, 3))
    clean = posteriors(emissions, LENGTHS, crf=crf)
    for post, length in enumerate(LENGTHS):
        emissions[post, length:] = draw.choice([np.nan, np.inf, 1e9], size=(4 - length, 3))
    dirty = posteriors(emissions, LENGTHS, crf=crf)
    for name in ("alpha", "beta", "log_partition", "marginals"):
        np.testing.assert_array_equal(getattr(clean, name), getattr(dirty, name))


def test_posteriors_stay_exact_where_scores_are_thousands_apart():
    # Word 1 prefers label 0 by 2000, but label 0 cannot go on to label 1, which word 2 prefers by 5000.
    crf = Chain(np.zeros((2, 2)), np.zeros(2), np.zeros(2))
    yes = np.ones(2, bool)
    crf = crf.constrained((yes, np.array([[True, False], [True, True]]), yes))
    posterior = posteriors([[[2000.0, 0.0], [0.0, 5000.0]]], [2], crf=crf)
    np.testing.assert_array_equal(posterior.marginals[0], [[0.0, 1.0], [0.0, 1.0]])
    assert posterior.log_partition[0] == pytest.approx(5000.0, rel=1e-15)


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4)])
def test_posteriors_of_nothing_are_empty(chain, shape):
    posterior = posteriors(np.zeros(shape), [0] * shape[0], crf=chain(4))
    assert posterior.marginals.shape == shape
    assert posterior.log_partition.tolist() == [0.0] * shape[0]
