"""Sub-tokens with labels of their own: a word's further ones carry PAD, and the word is read at its first one."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest

from mner import tags
from mner.decode import Chain, Decoder, span_scores
from mner.errors import DataError, ModelError
from mner.types import Span

LABELS = tags.bioes_labels(["X"], padded=True)
FLAT = Chain(np.zeros((6, 6)), np.zeros(6), np.zeros(6))


def certain(*names: str) -> np.ndarray:
    """Label scores (1, place, label) that leave no doubt."""
    return 20.0 * np.eye(len(LABELS))[[LABELS.index(name) for name in names]][None]


def read(names: list[str], heads: list[int]) -> list[tuple[int, int, str]]:
    answer = Decoder(LABELS, FLAT, constrained=False).decode(certain(*names), [len(names)], heads=[heads])
    return [(span.start, span.end, span.label) for span in answer[0]]


def test_labels_end_with_pad_and_know_no_such_type() -> None:
    assert LABELS == ("O", "B-X", "I-X", "E-X", "S-X", "PAD")
    assert tags.entity_types(LABELS) == ("X",)


@pytest.mark.parametrize(
    ("names", "heads", "expected"),
    [
        # The paper's example in BIOES: B-X I-X O B-X O O, the first word of three sub-tokens, the fifth of two.
        ("B-X PAD PAD E-X O S-X O PAD O", [0, 3, 4, 5, 6, 8], [(0, 2, "X"), (3, 4, "X")]),
        ("S-X PAD O", [0, 2], [(0, 1, "X")]),
        ("PAD S-X", [0, 1], [(1, 2, "X")]),  # PAD at a word's head reads as O
        ("O S-X O", [0, 2], []),  # what a tail says is not read
        ("B-X O E-X", [0, 2], [(0, 2, "X")]),
        ("B-X PAD PAD", [0, 1, 2], [(0, 1, "X")]),
        ("E-X PAD", [0], [(0, 1, "X")]),  # repaired as elsewhere
    ],
)
def test_words_are_read_at_their_heads(names: str, heads: list[int], expected: list[tuple[int, int, str]]) -> None:
    assert read(names.split(), heads) == expected


def test_entity_probability_is_that_of_its_labels_from_head_to_head(
    chain: Callable[..., Chain], enumerated: Callable[..., SimpleNamespace]
) -> None:
    crf = chain(6, seed=3)
    emissions = np.random.default_rng(4).normal(size=(5, 6)) + 1.5 * certain("B-X", "PAD", "E-X", "PAD", "O")[0] / 20
    heads = [0, 2, 4]
    whole = enumerated(emissions, crf)
    wanted = [LABELS.index(name) for name in ("B-X", "PAD", "E-X")]
    exact = whole.probabilities[(whole.paths[:, :3] == wanted).all(1)].sum()
    [answer] = span_scores(emissions[None], [5], [[Span(0, 2, "X")]], labels=LABELS, crf=crf, heads=[heads])
    assert answer.tolist() == pytest.approx([exact])
    best = whole.paths[whole.scores.argmax()]
    decoded = Decoder(LABELS, crf, constrained=False).decode(emissions[None], [5], heads=[heads])[0]
    assert [LABELS[label] for label in best[heads]] == ["B-X", "E-X", "O"]
    assert [entity.span for entity in decoded] == [Span(0, 2, "X")]
    of_path = whole.probabilities[(whole.paths[:, :3] == best[:3]).all(1)].sum()
    assert decoded[0].score == pytest.approx(of_path)


def test_posts_of_a_batch_keep_their_own_places() -> None:
    emissions = np.zeros((2, 4, 6))
    emissions[0] = certain("S-X", "PAD", "O", "S-X")[0]
    emissions[1, :2] = certain("O", "S-X")[0]
    answer = Decoder(LABELS, FLAT, constrained=False).decode(emissions, [4, 2], heads=[[0, 2, 3], [0, 1]])
    assert [[entity.span for entity in post] for post in answer] == [
        [Span(0, 1, "X"), Span(2, 3, "X")],
        [Span(1, 2, "X")],
    ]


def test_a_span_past_the_words_is_refused_though_places_go_on() -> None:
    with pytest.raises(DataError, match="has 2 words"):
        span_scores(certain("O", "PAD", "O"), [3], [[Span(1, 3, "X")]], labels=LABELS, crf=FLAT, heads=[[0, 2]])


def test_labels_and_views_of_two_codings_do_not_mix() -> None:
    with pytest.raises(ModelError, match=r'with PAD need views made with subtoken_labels = "pad"'):
        Decoder(LABELS, FLAT, constrained=False).decode(certain("O"), [1])
    plain = Decoder(LABELS[:-1], Chain(np.zeros((5, 5)), np.zeros(5), np.zeros(5)))
    with pytest.raises(ModelError, match=r'without PAD need views made with subtoken_labels = "first"'):
        plain.decode(np.zeros((1, 1, 5)), [1], heads=[[0]])


def test_constrained_decoding_is_refused() -> None:
    with pytest.raises(ModelError, match=r"set decode\.constrained = false"):
        Decoder(LABELS, FLAT)
