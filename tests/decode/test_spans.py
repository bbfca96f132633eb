from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mner.decode import Chain, Decoder, span_scores, viterbi
from mner.errors import DataError, ModelError
from mner.tags import bioes_labels, bioes_to_spans, from_spans, legal
from mner.types import Span

LABELS = bioes_labels(["PER"])
TWO = bioes_labels(["PER", "LOC"])


def _carried(truth, start, labels):
    """The enumerated probability that the words from ``start`` on carry ``labels``."""
    window = truth.paths[:, start : start + len(labels)]
    return truth.probabilities[(window == labels).all(1)].sum()


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-9), (np.float32, 1e-5)])
@pytest.mark.parametrize("constrained", [True, False])
def test_decoded_probability_equals_enumeration(chain, enumerated, constrained, dtype, tolerance):
    lengths, words = np.array([5, 1, 4, 3, 0, 2] * 4), 5
    emissions = (2 * np.random.default_rng(7).normal(size=(len(lengths), words, 5))).astype(dtype)
    decoder = Decoder(LABELS, chain(5, seed=8), constrained=constrained)
    decoded = decoder.decode(emissions, lengths)
    paths, _ = viterbi(emissions, lengths, crf=decoder.crf)
    assert [len(spans) for spans in decoded][4::6] == [0] * 4
    assert sum(len(spans) for spans in decoded) > len(lengths) // 2
    for post, spans in enumerate(decoded):
        if not spans:
            continue
        truth = enumerated(emissions[post, : lengths[post]], decoder.crf)
        for span in spans:
            expected = _carried(truth, span.start, paths[post, span.start : span.end])
            assert span.score == pytest.approx(expected, abs=tolerance)
            assert 0.0 < span.score <= 1.0


@pytest.mark.parametrize("constrained", [True, False])
def test_span_scores_equal_enumeration_for_every_span(chain, enumerated, constrained):
    emissions = np.random.default_rng(9).normal(size=(2, 4, 5))
    lengths = [4, 1]
    decoder = Decoder(LABELS, chain(5, seed=10), constrained=constrained)
    every = [
        [Span(start, end, "PER") for start in range(length) for end in range(start + 1, length + 1)]
        for length in lengths
    ]
    for post, scores in enumerate(decoder.span_scores(emissions, lengths, every)):
        truth = enumerated(emissions[post, : lengths[post]], decoder.crf)
        assert len(scores) == len(every[post])
        for span, scored in zip(every[post], scores, strict=True):
            tags = from_spans([Span(0, span.end - span.start, "PER")], span.end - span.start, scheme="BIOES")
            expected = _carried(truth, span.start, [LABELS.index(tag) for tag in tags])
            assert scored == pytest.approx(expected, abs=1e-9)


def test_span_scores_of_decoded_spans_are_their_scores(chain):
    emissions, lengths = 3 * np.random.default_rng(11).normal(size=(8, 6, 9)), [6, 5, 4, 3, 2, 1, 0, 6]
    decoder = Decoder(TWO, chain(9))
    decoded = decoder.decode(emissions, lengths)
    given = decoder.span_scores(emissions, lengths, [[scored.span for scored in spans] for spans in decoded])
    assert sum(map(len, decoded)) > 5
    for spans, scores in zip(decoded, given, strict=True):
        np.testing.assert_allclose(scores, [span.score for span in spans], rtol=1e-12)


def test_span_scores_of_a_type_the_model_does_not_know_are_zero(chain):
    (scores,) = span_scores(
        np.zeros((1, 2, 5)), [2], [[Span(0, 1, "MISC"), Span(0, 1, "PER")]], labels=LABELS, crf=chain(5)
    )
    assert scores[0] == 0.0
    assert scores[1] > 0.0


@pytest.mark.parametrize("span", [Span(0, 3, "PER"), Span(1, 1, "PER"), Span(-1, 1, "PER")])
def test_span_scores_refuse_a_span_outside_its_post(chain, span):
    with pytest.raises(DataError, match="post 0 of the batch has 2 words"):
        span_scores(np.zeros((1, 4, 5)), [2], [[span]], labels=LABELS, crf=chain(5))


@given(st.integers(0, 10_000))
def test_constrained_spans_are_those_of_the_legal_path(seed):
    draw = np.random.default_rng(seed)
    crf = Chain(draw.normal(size=(9, 9)), draw.normal(size=9), draw.normal(size=9))
    lengths = draw.integers(0, 9, size=5)
    emissions = 3 * draw.normal(size=(5, 8, 9))
    decoder = Decoder(TWO, crf)
    paths, _ = viterbi(emissions, lengths, crf=decoder.crf)
    start, transitions, end = legal(TWO)
    for path, length, spans in zip(paths, lengths, decoder.decode(emissions, lengths), strict=True):
        own = path[:length]
        if length:
            assert start[own[0]]
            assert end[own[-1]]
        assert transitions[own[:-1], own[1:]].all()
        tags = [TWO[label] for label in own]
        assert tags == from_spans([scored.span for scored in spans], length, scheme="BIOES")


@given(st.integers(0, 10_000), st.sampled_from(["repair", "strict"]))
def test_unconstrained_spans_are_the_reading_of_the_path(seed, reading):
    draw = np.random.default_rng(seed)
    crf = Chain(np.zeros((9, 9)), np.zeros(9), np.zeros(9))
    emissions = draw.normal(size=(4, 8, 9))
    lengths = draw.integers(0, 9, size=4)
    decoded = Decoder(TWO, crf, constrained=False, repair=reading).decode(emissions, lengths)
    for post, spans in enumerate(decoded):
        tags = [TWO[label] for label in emissions[post, : lengths[post]].argmax(-1)]
        assert tuple(scored.span for scored in spans) == bioes_to_spans(tags, labels=reading)


def test_decoding_a_batch_equals_decoding_each_post_alone(chain):
    emissions, lengths = 3 * np.random.default_rng(12).normal(size=(6, 7, 9)), [7, 1, 4, 0, 6, 2]
    decoder = Decoder(TWO, chain(9, seed=13))
    together = decoder.decode(emissions, lengths)
    for post, length in enumerate(lengths):
        (alone,) = decoder.decode(emissions[post : post + 1, :length], [length])
        assert [scored.span for scored in alone] == [scored.span for scored in together[post]]
        np.testing.assert_allclose([f.score for f in alone], [f.score for f in together[post]], rtol=1e-12)


def test_certain_scores_give_probability_one():
    emissions = np.full((1, 3, 5), -1000.0)
    for word, tag in enumerate(["B-PER", "E-PER", "O"]):
        emissions[0, word, LABELS.index(tag)] = 1000.0
    decoder = Decoder(LABELS, Chain(np.zeros((5, 5)), np.zeros(5), np.zeros(5)))
    ((scored,),) = decoder.decode(emissions, [3])
    assert (scored.start, scored.end, scored.label, scored.score) == (0, 2, "PER", 1.0)


def test_iob2_labels_decode_too():
    labels = ("O", "B-PER", "I-PER")
    decoder = Decoder(labels, Chain(np.zeros((3, 3)), np.zeros(3), np.zeros(3)))
    emissions = 9.0 * np.eye(3)[None, [1, 2, 0, 1]]
    (scored,) = decoder.decode(emissions, [4])
    assert [entity.span for entity in scored] == [Span(0, 2, "PER"), Span(3, 4, "PER")]


@pytest.mark.parametrize("constrained", [True, False])
@pytest.mark.parametrize("shape", [(0, 0, 5), (3, 0, 5), (0, 4, 5), (2, 4, 5)])
def test_posts_without_words_have_no_entities(chain, shape, constrained):
    decoder = Decoder(LABELS, chain(5), constrained=constrained)
    assert decoder.decode(np.ones(shape), [0] * shape[0]) == [()] * shape[0]


def test_decoder_refuses_labels_that_do_not_fit_the_chain(chain):
    with pytest.raises(ModelError, match="5 labels cannot be decoded with the transitions of 4"):
        Decoder(LABELS, chain(4))
