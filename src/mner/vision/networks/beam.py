"""Beam search over a captioner's words: the best sentences of one search, with their scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Step = Callable[[list[list[int]], list[int]], Tensor]
"""From the words of each beam, the start first, and the former call's beam that each continues, to log-probabilities of
the next word (beam, word)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a captioner's published code searches.

    Attributes:
        spare: Whether twice as many continuations are looked at as there are beams, so that sentences which end leave
            no beam empty; else a sentence that ends costs its beam's place in that step.
        mean: Whether sentences are ranked by the mean log-probability of their words and the end, or by the sum.
        cut: Whether the last word of a sentence that is as long as it may be is left out, though it is scored.
    """

    spare: bool
    mean: bool
    cut: bool


def search(
    step: Step, rules: Rules, *, start: int, end: int, beams: int, count: int, steps: int
) -> list[tuple[list[int], float]]:
    """The ``count`` best sentences as words without start and end, best first, each with its score.

    Args:
        step: The captioner; words with a log-probability of minus infinity are never taken.
        rules: How to search.
        start: The word that every sentence begins with.
        end: The word that ends one.
        beams: Width of the search.
        count: Sentences to return; there are fewer where the search ends with fewer.
        steps: Most words, the end included.
    """
    words, sums, parents = [[start]], [0.0], [0]
    ended: dict[tuple[int, ...], float] = {}
    for length in range(1, steps + 1):
        totals = step(words, parents).double()
        totals = totals + totals.new_tensor(sums)[:, None]
        width = min(beams * (2 if rules.spare else 1), totals.numel())
        best = totals.flatten().topk(width)
        divisor = length if rules.mean else 1
        alive: list[tuple[float, int, int]] = []
        for total, place in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            beam, word = divmod(place, totals.shape[1])
            if total == float("-inf"):
                break
            if word == end or length == steps:
                last = [] if word == end or rules.cut else [word]
                ended.setdefault((*words[beam][1:], *last), total / divisor)
            else:
                alive.append((total, beam, word))
            if len(alive) == beams:
                break
        scores = sorted(ended.values(), reverse=True)
        # Log-probabilities only fall: this is the most that a sentence which goes on can reach.
        reach = max((total for total, _, _ in alive), default=float("-inf")) / (steps if rules.mean else 1)
        if not alive or (len(scores) >= count and scores[count - 1] >= reach):
            break
        words = [[*words[beam], word] for _, beam, word in alive]
        sums, parents = [total for total, _, _ in alive], [beam for _, beam, _ in alive]
    ranked = sorted(ended.items(), key=lambda pair: -pair[1])
    return [(list(sentence), score) for sentence, score in ranked[:count]]
