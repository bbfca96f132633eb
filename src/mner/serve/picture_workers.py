"""Processes that read pictures for the service: one picture at a time each, and one that ends is replaced."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import queue
import signal
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import active_children
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mner.engines.processes import Processes
from mner.errors import MnerWarning, WorkerError
from mner.types import VisualContext

if TYPE_CHECKING:
    from mner.config import VisionConfig

Item = tuple[str, bytes]
"""A picture's name and the bytes of its file."""

LONGEST = 60.0
"""Seconds after which a worker is taken to hang with a picture, and is ended."""

TRIES = 2
"""Workers that may end with a picture before it is given up."""

LOOK = 0.2
"""Seconds between two looks at whether an idle worker is still there."""

REST = 30.0
"""Most seconds between two tries to start a worker that cannot load."""

NICE = 5
"""How far a worker steps back behind the process that answers."""


@dataclass(slots=True, eq=False)
class Job:
    """A picture to read, and where its reading goes: the context and the seconds that it took."""

    item: Item
    future: asyncio.Future[tuple[VisualContext, float]] = field(repr=False)
    until: float
    loop: asyncio.AbstractEventLoop = field(repr=False)

    def end(self, context: VisualContext, seconds: float = 0.0) -> None:
        """Hand the reading over; from any thread."""

        def tell() -> None:
            if not self.future.done():
                self.future.set_result((context, seconds))

        with contextlib.suppress(RuntimeError):  # the loop has ended
            self.loop.call_soon_threadsafe(tell)

    def lost(self, status: Any, reason: str) -> None:
        """Say that nothing was read, and why."""
        self.end(VisualContext(image=self.item[0], status=status, reason=reason))


@dataclass(frozen=True, slots=True)
class Opening:
    """What a worker does first; it pickles."""

    vision: VisionConfig
    store: Path | None
    pixels: int

    def __call__(self) -> Callable[[list[Item]], list[VisualContext]]:
        """Load the backends; gives the function from pictures to contexts."""
        from mner.contexts.store import Store
        from mner.vision.extract import Extractor

        with contextlib.suppress(OSError, AttributeError):
            os.nice(NICE)
        warnings.simplefilter("ignore", MnerWarning)  # the service's own process warns of the store
        extractor = Extractor(self.vision, threads=1)
        extractor.load()
        if not extractor.sends:  # the first picture of a backend takes longer; nothing is sent anywhere for that
            extractor.read(_first_picture(), image="first")
        store = Store(self.store, needed=False)

        def read(items: list[Item]) -> list[VisualContext]:
            return [
                too_large(name, content, self.pixels) or extractor.read(content, image=name, store=store)
                for name, content in items
            ]

        return read


def _first_picture() -> Any:
    """A picture with a line of text, drawn here."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (320, 240), "white")
    ImageDraw.Draw(picture).text((40, 90), "mner", fill="black", font_size=60)
    return picture


def too_large(name: str, content: bytes, limit: int) -> VisualContext | None:
    """The context of a picture of too many pixels, by its header; None for any other, damaged ones among them.

    Args:
        name: The picture's name.
        content: The bytes of its file.
        limit: Most pixels; one in a format that can only be decoded whole may not have more than ``Limits.whole``.
    """
    from PIL import Image

    from mner.vision.headers import SCALABLE
    from mner.vision.images import Limits

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as opened:
                width, height = opened.size
                most = min(limit, Limits().pixels if opened.format in SCALABLE else Limits().whole)
    except Exception:  # the reader says what is wrong with it
        return None
    if width * height <= most:
        return None
    reason = f"the picture has {width} x {height} pixels, the limit of this service is {most:,}"
    if most < limit:
        reason += f" for {opened.format}"
    return VisualContext(image=name, status="too_large", reason=reason)


class Workers:
    """A number of processes behind one queue; each has a thread that hands it pictures.

    Args:
        opening: What each does first.
        workers: How many.
        waiting: Pictures that may wait.
        held: Bytes of the pictures that may wait; a single one may have more.
        ended: Called with the reason when one has ended and is replaced; from any thread.
    """

    def __init__(
        self, opening: Opening, *, workers: int, waiting: int, held: int, ended: Callable[[str], None]
    ) -> None:
        self._opening, self._ended = opening, ended
        self._jobs: queue.Queue[Job] = queue.Queue(waiting + workers)
        self._held, self._most_held, self._counting = 0, held, threading.Lock()
        self._crews: list[Processes[Item, VisualContext]] = []
        self._threads = [
            threading.Thread(target=self._work, name=f"mner-pictures-{number}", daemon=True)
            for number in range(workers)
        ]
        self._leaving = threading.Event()

    @property
    def pids(self) -> list[int]:
        """The ids of the processes that there are now."""
        return [pid for crew in list(self._crews) for pid in crew.pids]

    @property
    def waiting(self) -> int:
        """Pictures in the queue."""
        return self._jobs.qsize()

    def start(self) -> None:
        """Start the processes."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """End the processes; what waits is not read."""
        self._leaving.set()
        with contextlib.suppress(queue.Empty):
            while True:
                self._jobs.get_nowait().lost("timeout", "the service is stopping")
        for pid in self.pids:
            _end(pid)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(5.0)

    def put(self, job: Job) -> bool:
        """Have a picture read; False where too many wait, or too many bytes."""
        size = len(job.item[1])
        with self._counting:
            if self._held and self._held + size > self._most_held:
                return False
            try:
                self._jobs.put_nowait(job)
            except queue.Full:
                return False
            self._held += size
        return True

    def _next(self) -> Job | None:
        """The picture that has waited longest; None where none comes for a while."""
        try:
            job = self._jobs.get(timeout=LOOK)
        except queue.Empty:
            return None
        with self._counting:
            self._held -= len(job.item[1])
        return job

    def _work(self) -> None:
        """What a thread does: keep a process going and hand it one picture after the other."""
        rest = 0.5
        while not self._leaving.is_set():
            began = time.monotonic()
            try:
                with Processes(self._opening, workers=1) as crew:
                    self._crews.append(crew)
                    try:
                        self._load(crew)
                        self._hand_out(crew)
                    finally:
                        self._crews.remove(crew)
            except Exception as error:  # it cannot load, or a backend is not installed: say so and try again later
                if self._leaving.is_set():
                    return
                self._ended(f"{type(error).__name__}: {error}")
                if time.monotonic() - began > REST:
                    rest = 0.5
                self._leaving.wait(rest)
                rest = min(REST, 2 * rest)

    def _load(self, crew: Processes[Item, VisualContext]) -> None:
        while not crew.idle and not self._leaving.is_set():
            crew.wait()

    def _hand_out(self, crew: Processes[Item, VisualContext]) -> None:
        while not self._leaving.is_set():
            job = self._next()
            if self._leaving.is_set():
                if job is not None:
                    job.lost("timeout", "the service is stopping")
                return
            if not any(child.pid in crew.pids for child in active_children()):
                if job is not None and not self.put(job):  # another worker may be free before this one is replaced
                    job.lost("timeout", "too many pictures wait already")
                crew.wait()  # takes note that it is gone, and starts another
                self._ended("it ended while it was idle")
                self._load(crew)
            elif job is not None:
                try:
                    self._read(crew, job)
                except WorkerError as error:  # there is no worker; the picture may be fine
                    job.lost("timeout", f"the picture was not read: {error}")
                    raise
                except Exception as error:
                    job.lost("unreadable", f"the picture could not be read: {error}")
                    raise

    def _read(self, crew: Processes[Item, VisualContext], job: Job) -> None:
        """Have the process read one picture; end it where it takes too long."""
        if job.future.cancelled() or job.loop.time() > job.until:
            job.lost("timeout", "its time was over before a worker was free")
            return
        for _ in range(TRIES):
            began = time.perf_counter()
            results = self._result(crew, job.item)
            seconds = time.perf_counter() - began
            if results is not None:
                job.end(results[0], seconds)
                return
            if self._leaving.is_set():
                break
            self._ended("it ended while it read a picture")
            self._load(crew)
            if seconds >= LONGEST:
                job.lost("timeout", f"the picture was not read within {LONGEST:g} seconds")
                return
        job.lost("unreadable", f"given up: {TRIES} workers ended with it")

    def _result(self, crew: Processes[Item, VisualContext], item: Item) -> Sequence[VisualContext] | None:
        """What the process read; None where it ended, by itself or because it took too long."""
        hangs = threading.Timer(LONGEST, _end, crew.pids)
        hangs.daemon = True
        hangs.start()
        try:
            crew.give(0, [item])
            while True:
                for _, results in crew.wait():
                    return results
        finally:
            hangs.cancel()


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
