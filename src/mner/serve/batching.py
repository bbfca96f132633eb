"""Posts of many requests -> batches for one model: a budget of words, a short wait, a bounded queue."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mner.serve.faults import RequestError
from mner.tagger.grounder import Tagged
from mner.tagger.steps import Step

_T = TypeVar("_T")

RATE = 20_000.0
"""Words per second that the model is taken to read before it has read any."""


@dataclass(slots=True, eq=False)
class _Job:
    """Rows that are tagged together, or something else that needs the model."""

    words: int
    work: Callable[[], Any] | None
    rows: Sequence[Step]
    future: asyncio.Future[Any] = field(repr=False)


class Batcher:
    """Has one thread tag what many requests ask for.

    Args:
        tag: From rows to their predictions, which no grounder has looked at; called in that thread.
        batch_words: Words of one batch; 1 tags every request alone.
        wait: Seconds that a batch waits for requests that are under way.
        waiting_words: Words that may wait.
        under_way: The number of requests that are being answered; a batch waits only where there are others.
        seen: Called with the number of posts of each batch.
    """

    def __init__(
        self,
        tag: Callable[[Sequence[Step]], list[Tagged]],
        *,
        batch_words: int,
        wait: float,
        waiting_words: int,
        under_way: Callable[[], int],
        seen: Callable[[int], None] = lambda posts: None,
    ) -> None:
        self.waiting = 0
        self._tag, self._budget, self._wait, self._most = tag, batch_words, wait, waiting_words
        self._under_way, self._seen = under_way, seen
        self._jobs: deque[_Job] = deque()
        self._filled = asyncio.Event()
        self._full = asyncio.Event()
        self._rate = RATE
        self._thread = ThreadPoolExecutor(1, "mner-tagger")
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def start(self) -> None:
        """Begin to work; needs a running event loop."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Answer what waits, then stop."""
        self._closing = True
        self._filled.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def tag(self, rows: Sequence[Step], words: Sequence[int]) -> list[Tagged]:
        """The predictions of the rows of one request.

        Args:
            rows: The posts.
            words: How many words each row has, those of its context included.

        Raises:
            RequestError: Too much waits already; the client may come again.
        """
        self._admit(sum(words) + len(rows))
        predictions: list[Tagged] = []
        first, size = 0, 0
        for at, count in enumerate(words):
            if size and size + count > self._budget:
                predictions += await self._put(rows[first:at], size).future  # others get their turn after each part
                first, size = at, 0
            size += count + 1
        last: list[Tagged] = await self._put(rows[first:], size).future
        return predictions + last

    async def alone(self, work: Sequence[Callable[[], _T]], words: Sequence[int]) -> list[_T]:
        """What the functions of one request give, each of which needs the model for itself.

        They are admitted together, and each waits for the one before: others get their turn in between, and none is
        called after one that raised or once the client has left.

        Args:
            work: The functions, called in the thread of the model.
            words: How many words the model reads for each.

        Raises:
            RequestError: As ``tag``.
        """
        self._admit(sum(words))
        return [await self._put((), count, each).future for each, count in zip(work, words, strict=True)]

    def _admit(self, words: int) -> None:
        if self.waiting and self.waiting + words > self._most:
            seconds = math.ceil(self.waiting / self._rate)
            raise RequestError(
                429, "busy", "too many posts wait already; send this again", wait=min(60, max(1, seconds))
            )

    def _put(self, rows: Sequence[Step], words: int, work: Callable[[], Any] | None = None) -> _Job:
        job = _Job(words, work, rows, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self.waiting += words
        self._filled.set()
        if self.waiting >= self._budget:
            self._full.set()
        return job

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._jobs or not self._closing:
            await self._filled.wait()
            if self._wait and not self._full.is_set() and self._shared() and self._under_way() > len(self._jobs):
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._full.wait(), self._wait)
            jobs = self._take()
            if jobs:
                began = time.perf_counter()
                outcomes = await loop.run_in_executor(self._thread, self._do, jobs)
                self._measure(sum(job.words for job in jobs), time.perf_counter() - began)
                for job, outcome in zip(jobs, outcomes, strict=True):
                    if job.future.done():  # its client has left meanwhile
                        continue
                    if isinstance(outcome, BaseException):
                        job.future.set_exception(outcome)
                    else:
                        job.future.set_result(outcome)
            if self._closing:
                await asyncio.sleep(0)  # the requests put what else they have

    def _shared(self) -> bool:
        """Whether the next batch may hold jobs of other requests, too."""
        return bool(self._jobs) and self._jobs[0].work is None

    def _take(self) -> list[_Job]:
        """The next jobs of one batch; those whose client has left are dropped."""
        jobs: list[_Job] = []
        size = 0
        while self._jobs:
            job = self._jobs[0]
            if not job.future.done():
                if jobs and (job.work is not None or jobs[0].work is not None or size + job.words > self._budget):
                    break
                jobs.append(job)
                size += job.words
            self._jobs.popleft()
            self.waiting -= job.words
        if not self._jobs and not self._closing:
            self._filled.clear()
        if self.waiting < self._budget:
            self._full.clear()
        return jobs

    def _do(self, jobs: Sequence[_Job]) -> list[Any]:
        """What each job gives, or the error that it ends with; one that cannot be tagged harms no other."""
        if jobs[0].work is not None:
            return [_outcome(jobs[0].work)]
        rows = [row for job in jobs for row in job.rows]
        self._seen(len(rows))
        try:
            predictions = iter(self._tag(rows))
            return [[next(predictions) for _ in job.rows] for job in jobs]
        except Exception as error:
            if len(jobs) == 1:
                return [error]
            return [_outcome(lambda job=job: self._tag(job.rows)) for job in jobs]  # type: ignore[misc]

    def _measure(self, words: int, seconds: float) -> None:
        self._rate = 0.8 * self._rate + 0.2 * words / max(seconds, 1e-4)


def _outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:
        return error
