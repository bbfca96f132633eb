"""Posts are decoded in batches whose size no long post can blow up, and each gets its own scores."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from mner.runs.view_scores import CHUNK, WORDS, ViewEmissions

LENGTHS = [3] * 70 + [WORDS // 2] * 3 + [2 * WORDS, 0, 5]


def test_long_posts_are_decoded_few_at_a_time() -> None:
    shapes = []

    class Sums:
        def decode(self, emissions: np.ndarray, lengths: np.ndarray, *, heads: Any) -> list[tuple[float, ...]]:
            assert heads is None
            shapes.append(emissions.shape)
            return [tuple(row[:length, 0].tolist()) for row, length in zip(emissions, lengths, strict=True)]

    generator = np.random.default_rng(1)
    emissions = [generator.random((length, 2), np.float32) for length in LENGTHS]
    encoded: Any = [SimpleNamespace(heads=None) for _ in LENGTHS]
    decoder: Any = Sums()
    spans = ViewEmissions(np.arange(len(LENGTHS)), [()] * len(LENGTHS), encoded, emissions).spans(decoder)
    assert spans == [tuple(row[:, 0].tolist()) for row in emissions]
    assert shapes[0] == (CHUNK, 3, 2)
    assert all(posts * words <= WORDS or posts == 1 for posts, words, _ in shapes)
    assert len(shapes) == 6
