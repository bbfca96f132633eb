from __future__ import annotations

import numpy as np
import pytest

from mner.decode import Chain, posteriors, viterbi
from mner.errors import ModelError
from mner.tags import bioes_labels, legal

LABELS = bioes_labels(["PER", "LOC"])


def test_constrained_gives_illegal_moves_no_probability_at_all(chain):
    crf = chain(len(LABELS)).constrained(legal(LABELS))
    emissions = np.full((1, 2, len(LABELS)), 0.0)
    emissions[0, :, LABELS.index("I-PER")] = 500.0  # every illegal path would win by far
    posterior = posteriors(emissions, [2], crf=crf)
    assert np.isfinite(posterior.log_partition).all()
    for label in ("I-PER", "E-PER", "I-LOC", "E-LOC"):
        assert posterior.marginals[0, 0, LABELS.index(label)] == 0.0
    for label in ("I-PER", "B-PER", "I-LOC", "B-LOC"):
        assert posterior.marginals[0, 1, LABELS.index(label)] == 0.0
    np.testing.assert_allclose(posterior.marginals.sum(-1), 1.0, rtol=1e-12)


def test_constrained_leaves_the_chain_itself_alone(chain):
    crf = chain(len(LABELS))
    before = crf.transitions.copy()
    crf.constrained(legal(LABELS))
    np.testing.assert_array_equal(crf.transitions, before)


@pytest.mark.parametrize("shapes", [((2, 3), 2, 2), ((2, 2), 3, 2), ((2, 2), 2, 1), ((0, 0), 0, 0)])
def test_chain_refuses_shapes_that_do_not_belong_together(shapes):
    with pytest.raises(ModelError, match="a chain needs transitions"):
        Chain(*(np.zeros(shape) for shape in shapes))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused_with_their_post(chain, bad):
    emissions = np.zeros((2, 2, 3), np.float32)
    emissions[1, 0, 2] = bad
    with pytest.raises(ModelError, match="post 1 of the batch"):
        viterbi(emissions, [2, 1], crf=chain(3))


@pytest.mark.parametrize(
    ("shape", "lengths", "message"),
    [
        ((1, 2, 4), [2], "expected emissions"),
        ((2, 2, 3), [2], "expected emissions"),
        ((1, 2, 3), [3], "between 0 and 2"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(chain, shape, lengths, message):
    with pytest.raises(ModelError, match=message):
        posteriors(np.zeros(shape), lengths, crf=chain(3))
