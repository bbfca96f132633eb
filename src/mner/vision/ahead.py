"""Results one after the other while threads work on the next ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(call: Callable[[T], R], items: Iterable[T], *, threads: int, most: int) -> Iterator[R]:
    """What a call gives for each item, in their order; its error is raised where its result would stand.

    Args:
        call: Runs in threads.
        items: Taken in the caller's thread, as they are needed.
        threads: Calls at the same time.
        most: Items whose results are not yet taken or were taken last: what is held in memory at most.

    >>> list(ahead(str.upper, "abc", threads=2, most=3))
    ['A', 'B', 'C']
    """
    waiting: deque[Future[R]] = deque()
    left = iter(items)
    with ThreadPoolExecutor(threads, thread_name_prefix="mner-vision") as pool:
        try:
            while True:
                waiting.extend(pool.submit(call, item) for item in islice(left, most - len(waiting)))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
