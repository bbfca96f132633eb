"""Results one after the other while a thread works on the next ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def prefetch(call: Callable[[T], R], items: Iterable[T], *, most: int) -> Iterator[R]:
    """What a call gives for each item, in their order; its error is raised where its result would stand.

    Args:
        call: Runs in a thread of its own.
        items: Taken in the caller's thread, as they are needed.
        most: Items whose results are not yet taken or were taken last: what is held in memory at most.

    >>> list(prefetch(str.upper, "abc", most=3))
    ['A', 'B', 'C']
    """
    waiting: deque[Future[R]] = deque()
    left = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="mner-vision") as pool:
        try:
            while True:
                waiting.extend(pool.submit(call, item) for item in islice(left, most - len(waiting)))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
