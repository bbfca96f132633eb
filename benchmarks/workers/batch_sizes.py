"""The batch size at which a peer is fastest, tried on its first posts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

SIZES = (1, 8, 32, 128)
TRIED = 256


def fastest(
    predict: Callable[[int, int], Any], posts: int, sizes: Sequence[int] = SIZES
) -> tuple[int, dict[str, float]]:
    """The best of ``sizes`` and posts a second at each; ``predict(size, posts)`` tags that many posts."""
    count = min(posts, TRIED)
    predict(sizes[-1], min(posts, 32))
    speeds = {}
    for size in sizes:
        started = time.perf_counter()
        predict(size, count)
        speeds[size] = count / (time.perf_counter() - started)
    best = max(speeds, key=lambda size: speeds[size])
    return best, {str(size): round(speed, 1) for size, speed in speeds.items()}
