"""A split's label scores, computed once -> graded entities under any decoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mner.decode import Decoder, ScoredSpan, candidates
from mner.evaluation.calibration import Graded, grade, grade_gold
from mner.runtime import Runtime, predict
from mner.types import Span, ViewName
from mner.views import Encoded
from mner.views.split import ViewSplit

CHUNK = 64
"""Posts that are decoded at a time, at most."""

WORDS = CHUNK * 256
"""Words that are decoded at a time, padding included, unless one post has more."""


@dataclass(frozen=True, slots=True)
class ViewEmissions:
    """The posts that are decoded in one view.

    Attributes:
        numbers: The number of each in the split (post,).
        gold: Gold entities of each.
        encoded: Token ids of each.
        emissions: Label scores of each (word, label).
    """

    numbers: np.ndarray
    gold: Sequence[tuple[Span, ...]]
    encoded: Sequence[Encoded]
    emissions: Sequence[np.ndarray]

    def of(self, chosen: np.ndarray) -> ViewEmissions:
        """Those of the chosen posts of the split (post of the split,)."""
        places = np.flatnonzero(chosen[self.numbers]).tolist()
        return ViewEmissions(
            self.numbers[places],
            [self.gold[place] for place in places],
            [self.encoded[place] for place in places],
            [self.emissions[place] for place in places],
        )

    def spans(self, decoder: Decoder, *, every: bool = False) -> list[tuple[ScoredSpan, ...]]:
        """The entities of each post; with ``every`` its ``decode.candidates``."""
        return [spans for batch in self._batches() for spans in _decoded(decoder, *batch, every=every)]

    def predicted(self, decoder: Decoder, *, every: bool = False) -> Graded:
        """The entities of the posts, graded."""
        return grade(self.gold, self.spans(decoder, every=every))

    def gold_graded(self, decoder: Decoder) -> Graded:
        """The gold entities of the posts, with the probability of those that are candidates."""
        return grade_gold(self.gold, self.spans(decoder, every=True))

    def _batches(self) -> Iterator[tuple[np.ndarray, np.ndarray, list[np.ndarray] | None]]:
        lengths = np.array([len(row) for row in self.emissions])
        start = 0
        while start < len(lengths):
            longest = np.maximum.accumulate(lengths[start : start + CHUNK])
            padded = longest * np.arange(1, len(longest) + 1)
            stop = start + max(1, int(np.searchsorted(padded, WORDS, side="right")))
            rows = self.emissions[start:stop]
            scores = np.zeros((len(rows), max(1, int(lengths[start:stop].max())), rows[0].shape[1]), np.float32)
            for number, row in enumerate(rows):
                scores[number, : len(row)] = row
            yield scores, lengths[start:stop], predict.heads_of(self.encoded[start:stop])
            start = stop


def _decoded(
    decoder: Decoder,
    emissions: np.ndarray,
    lengths: np.ndarray,
    heads: list[np.ndarray] | None,
    *,
    every: bool,
) -> list[tuple[ScoredSpan, ...]]:
    if every:
        return candidates(decoder, emissions, lengths, heads=heads)
    return decoder.decode(emissions, lengths, heads=heads)


def view_emissions(runtime: Runtime, split: ViewSplit) -> Mapping[ViewName, ViewEmissions]:
    """The posts of a split by the view that they are decoded in: T all of them, I+T those with a usable picture."""
    views: dict[ViewName, ViewEmissions] = {}
    for view, encoded in split.encoded.items():
        numbers = np.array([number for number, post in enumerate(encoded) if post.view == view], dtype=np.int64)
        if len(numbers):
            chosen = [encoded[number] for number in numbers]
            gold = [split.posts[number].spans or () for number in numbers]
            views[view] = ViewEmissions(numbers, gold, chosen, predict.emissions(runtime, chosen))
    return views
