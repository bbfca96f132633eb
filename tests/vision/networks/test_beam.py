"""A search that is wide enough finds what enumeration finds; a narrow one what a plain loop finds."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from mner.vision.networks.beam import Rules, search

WORDS, STEPS, END = 4, 4, 0
OSCAR, UPDOWN = Rules(spare=True, mean=True, cut=True), Rules(spare=False, mean=False, cut=False)


def scores(prefix: tuple[int, ...]) -> np.ndarray:
    """Log-probabilities after a prefix, the start included; random, and the same for the same prefix."""
    logits = np.random.default_rng([7, *prefix]).normal(0, 1.5, WORDS)
    return logits - np.log(np.exp(logits).sum())


def step(words: list[list[int]], parents: list[int]) -> torch.Tensor:
    return torch.from_numpy(np.stack([scores(tuple(beam)) for beam in words]))


def enumerated(rules: Rules) -> list[tuple[list[int], float]]:
    best: dict[tuple[int, ...], float] = {}
    for length in range(1, STEPS + 1):
        for sentence in itertools.product(range(WORDS), repeat=length):
            if END in sentence[:-1] or (sentence[-1] != END and length < STEPS):
                continue
            path = (2, *sentence)
            total = sum(scores(path[:place])[path[place]] for place in range(1, length + 1))
            words = sentence[:-1] if sentence[-1] == END or rules.cut else sentence
            score = total / length if rules.mean else total
            best[words] = max(score, best.get(words, -math.inf))
    return sorted(((list(words), score) for words, score in best.items()), key=lambda pair: -pair[1])


@pytest.mark.parametrize("rules", [OSCAR, UPDOWN])
@pytest.mark.parametrize("count", [1, 5, 200])
def test_wide_search_is_enumeration(rules: Rules, count: int) -> None:
    result = search(step, rules, start=2, end=END, beams=300, count=count, steps=STEPS)
    expected = enumerated(rules)[:count]
    assert [words for words, _ in result] == [words for words, _ in expected]
    np.testing.assert_allclose([score for _, score in result], [score for _, score in expected], rtol=1e-12)


def test_search_of_one_beam_takes_the_best_word_each_time() -> None:
    words = [2]
    while len(words) <= STEPS:
        word = int(scores(tuple(words)).argmax())
        if word == END:
            break
        words.append(word)
    ((result, _),) = search(step, UPDOWN, start=2, end=END, beams=1, count=1, steps=STEPS)
    assert result == words[1:]


@pytest.mark.parametrize(("rules", "alive"), [(OSCAR, 2), (UPDOWN, 1)])
def test_end_costs_a_place_only_without_spares(rules: Rules, alive: int) -> None:
    seen = []

    def ends(words: list[list[int]], parents: list[int]) -> torch.Tensor:
        seen.append((len(words), parents))
        return torch.log_softmax(torch.tensor([[3.0, 2.0, 1.0]]), -1).repeat(len(words), 1)

    search(ends, rules, start=2, end=END, beams=2, count=2, steps=3)
    assert seen[0] == (1, [0]) and seen[1] == (alive, [0] * alive)


def test_word_without_probability_is_never_taken() -> None:
    barred = torch.log(torch.tensor([[0.5, 0.5, 0.0]]))
    result = search(
        lambda words, parents: barred.repeat(len(words), 1), UPDOWN, start=0, end=0, beams=9, count=9, steps=3
    )
    assert sorted(words for words, _ in result) == [[], [1], [1, 1], [1, 1, 1]]
