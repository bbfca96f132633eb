"""Tasks for several workers: results in order; a worker that ends is replaced, and its items are tried again.

A worker is a process that opens its models once and then takes lists of items. Where it ends in the middle of a
list (out of memory, killed, crashed in native code), each item of that list is given to workers again, alone. An item
with which ``TRIES`` workers ended is given up: it gets a result that says so, and the run goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, Protocol, TypeVar

from mner.errors import WorkerError

T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

TRIES = 3
"""Workers that may end with an item before it is given up."""

AHEAD = 16
"""Lists that are being worked on or wait for an earlier one, for each worker."""

Opening = Callable[[], Callable[[list[T]], Iterable[R]]]
"""What a worker does first; it must pickle. It returns the function from items to as many results, in their order."""


class WorkerPool(Protocol[T_contra, R_co]):
    """Workers, each busy with one list at most."""

    @property
    def workers(self) -> int:
        """Their number."""
        ...

    @property
    def idle(self) -> int:
        """How many have loaded and are waiting for a list."""
        ...

    def give(self, task: int, items: Sequence[T_contra]) -> None:
        """Give a list to an idle worker."""
        ...

    def wait(self) -> Sequence[tuple[int, Sequence[R_co] | None]]:
        """Wait until something happens; the finished tasks with their results, or None where the worker ended.

        Raises:
            WorkerError: A worker ended before it had loaded.
            Exception: What a worker's function raised.
        """
        ...


Hire = Callable[[Opening[T, R]], AbstractContextManager[WorkerPool[T, R]]]
"""Makes a pool: a class of ``processes`` or ``ray`` with its options filled in."""


@dataclass(slots=True)
class _List(Generic[R]):
    results: list[R | None]  # by place
    missing: int


@dataclass(frozen=True, slots=True)
class _Task(Generic[T]):
    number: int  # of the list that the items are from
    items: list[T] = field(repr=False)
    first: int = 0  # place of the first of them in the list
    ended: int = 0  # workers that ended with them


def ordered(
    pool: WorkerPool[T, R], lists: Iterable[list[T]], *, lost: Callable[[T, str], R], ahead: int = AHEAD
) -> Iterator[list[R]]:
    """One list of results for each list of items, in their order.

    Args:
        pool: The workers.
        lists: Taken as needed: at most ``ahead`` times the number of workers are unfinished at a time.
        lost: The result of an item that is given up, from the item and the reason.
        ahead: Unfinished lists for each worker; more of them keep the others busy while one list takes long.

    Raises:
        WorkerError: Workers cannot load, or give too few or too many results.
        Exception: What a worker's function raised.
    """
    source, numbers, ids = iter(lists), count(), count()
    again: deque[_Task[T]] = deque()
    given: dict[int, _Task[T]] = {}
    begun: dict[int, _List[R]] = {}
    turn, drained = 0, False
    while True:
        while pool.idle and (again or (not drained and len(begun) < ahead * pool.workers)):
            if again:
                task = again.popleft()
            else:
                items = next(source, None)
                if items is None:
                    drained = True
                    break
                task = _Task(next(numbers), items)
                begun[task.number] = _List([None] * len(items), len(items))
            key = next(ids)
            given[key] = task
            pool.give(key, task.items)
        if drained and not given and not again:
            return
        for key, results in pool.wait():
            task = given.pop(key)
            if results is None:
                results = _after_an_end(task, again, lost)
            elif len(results) != len(task.items):
                raise WorkerError(
                    f"{len(task.items)} items gave {len(results)} results; the function must give one for each"
                )
            whole = begun[task.number]
            whole.results[task.first : task.first + len(results)] = results
            whole.missing -= len(results)
        while turn in begun and not begun[turn].missing:
            yield begun.pop(turn).results  # type: ignore[misc]  # none is missing
            turn += 1


def _after_an_end(task: _Task[T], again: deque[_Task[T]], lost: Callable[[T, str], R]) -> list[R]:
    """Queue a task's items again, each alone; returns the result of an item that is given up."""
    if len(task.items) > 1:  # any of them may have done it
        again.extend(_Task(task.number, [item], task.first + at) for at, item in enumerate(task.items))
        return []
    ended = task.ended + 1
    if ended < TRIES:
        again.append(_Task(task.number, task.items, task.first, ended))
        return []
    return [lost(task.items[0], f"given up: {ended} workers ended with it, one after the other")]
