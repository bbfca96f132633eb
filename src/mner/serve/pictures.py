"""Pictures -> what was read from them, by processes of their own, within the time that a request gives."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mner.config import VisionConfig
from mner.contexts.store import Store
from mner.serve.picture_workers import Job, Opening, Workers
from mner.types import VisualContext
from mner.vision.extract import Extractor

log = logging.getLogger("mner.serve")

NAME = "picture"
"""The name of a picture that came without one."""

SMALL = 2**20
"""Bytes of a picture up to which it is not worth a thread to tell whether it is known."""


@dataclass(slots=True)
class Seen:
    """What a service has done with pictures so far.

    Attributes:
        remembered: Pictures whose reading was in memory or in the store.
        read: Pictures that a worker has read.
        late: Pictures that were not read in time.
        replaced: Workers that ended and were replaced.
        seconds: Called with the seconds that a worker took for one.
    """

    remembered: int = 0
    read: int = 0
    late: int = 0
    replaced: int = 0
    seconds: Callable[[float], None] = field(default=lambda seconds: None, repr=False)


class PictureReader:
    """Reads each picture once: what is in memory or in the store is not read again, nor what is being read.

    Args:
        vision: Which backends read.
        store: The store's file; None takes the user's cache. A store that cannot be written keeps nothing, and the
            pictures are read all the same.
        workers: Processes.
        pixels: Most pixels of a picture.
        waiting: Pictures that may wait for a worker.
        held: Bytes of the pictures that may wait.
        contexts: Readings that are kept in memory.
    """

    def __init__(
        self,
        vision: VisionConfig,
        *,
        store: Path | None,
        workers: int,
        pixels: int,
        waiting: int,
        held: int,
        contexts: int,
    ) -> None:
        self.seen = Seen()
        self._extractor = Extractor(vision, threads=1)
        self._path, self._most = store, contexts
        self._store: Store | None = None
        self._kept: OrderedDict[str, VisualContext] = OrderedDict()
        self._at_work: dict[str, asyncio.Future[VisualContext]] = {}
        opening = Opening(vision, store, pixels)
        self._workers = Workers(opening, workers=workers, waiting=waiting, held=held, ended=self._replaced)

    @property
    def pids(self) -> list[int]:
        """The ids of the processes."""
        return self._workers.pids

    @property
    def waiting(self) -> int:
        """Pictures that wait for a worker."""
        return self._workers.waiting

    def start(self) -> None:
        """Start the workers, which load their backends while the service answers texts.

        Raises:
            DataError: The store that the user named cannot be opened.
        """
        if self._path is not None:  # now it is an error; later, with a full disk, pictures are read without it
            Store(self._path).close()
        self._store = Store(self._path, needed=False)
        self._workers.start()

    def close(self) -> None:
        """Have the workers leave."""
        self._workers.close()
        if self._store is not None:
            self._store.close()

    async def read(self, content: bytes, *, until: float) -> VisualContext:
        """What was read from a picture's file; a bad one, or one over time, gives a status and a reason.

        Args:
            content: The bytes of the file.
            until: The end of the time for it, as the event loop counts.
        """
        digest = _digest(content) if len(content) <= SMALL else await asyncio.to_thread(_digest, content)
        known = self._kept.get(digest)
        if known is not None:  # in no time
            self._kept.move_to_end(digest)
            self.seen.remembered += 1
            return known
        try:
            async with asyncio.timeout_at(until):
                while (future := self._at_work.get(digest)) is not None:
                    context = await asyncio.shield(future)
                    if context.status != "timeout":  # the time of whoever asked first was over, and ours is not
                        return context
                future = asyncio.ensure_future(self._first(digest, content, until))
                self._at_work[digest] = future
                return await asyncio.shield(future)
        except TimeoutError:
            self.seen.late += 1
            return late("the picture was not read within the time of the request")

    async def _first(self, digest: str, content: bytes, until: float) -> VisualContext:
        """The reading of a picture that nobody else is having read."""
        try:
            known = await self._known_or_read(content, until)
        finally:
            del self._at_work[digest]
        if known.status != "timeout" and (known.reason is None or known.status != "ok"):
            self._kept[digest] = known  # one that a backend failed on is tried again next time
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return known

    async def _known_or_read(self, content: bytes, until: float) -> VisualContext:
        loop = asyncio.get_running_loop()
        known = await loop.run_in_executor(None, self._look_up, content)
        if known is not None:
            self.seen.remembered += 1
            return known
        job = Job((NAME, content), loop.create_future(), until, loop)
        if not self._workers.put(job):
            return late("too many pictures wait already")
        context, seconds = await job.future
        if context.status != "timeout":
            self.seen.read += 1
            self.seen.seconds(seconds)
        return context

    def _look_up(self, content: bytes) -> VisualContext | None:
        assert self._store is not None
        known = self._extractor.known([(NAME, content)], self._store)
        return None if known is None else known[0]

    def _replaced(self, reason: str) -> None:
        self.seen.replaced += 1
        log.warning("a picture worker was replaced", extra={"event": "worker_replaced", "reason": reason})


def late(reason: str) -> VisualContext:
    """The context of a picture that was not read in time."""
    return VisualContext(image=NAME, status="timeout", reason=reason)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
