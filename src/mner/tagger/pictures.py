"""The picture of a request -> its visual context, in a bounded time; a bad picture gives a status."""

from __future__ import annotations

import queue
import threading
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mner import sessions
from mner.config import VisionConfig
from mner.data.pictures import place_of
from mner.picture_files import unfiled
from mner.several import UNNAMED
from mner.tagger.requests import Request
from mner.types import VisualContext

_T = TypeVar("_T")


class Contexts(Protocol):
    """Ready contexts by picture name, such as ``mner.contexts.artefact.read_contexts`` returns."""

    def get(self, image: str, /) -> VisualContext | None:
        """The context of a picture; None where there is none."""
        ...


class Pictures:
    """Finds or makes the context of each request's picture.

    Args:
        vision: Which backends read a picture; they are loaded with the first picture that needs them.
        contexts: Ready contexts by picture name, looked up first.
        images: Folder of the pictures that posts name; None takes names as paths.
        allow_outside: Also read pictures that posts name outside of that folder. What the caller gives is read wherever
            it is.
        store: SQLite file that keeps what was read; None takes the user's cache.
        timeout: Most seconds for one picture, of several for each, not counting the loading of the backends; None sets
            no limit. A picture that takes longer is finished in the background, and the next one waits for it within
            its own limit.
    """

    def __init__(
        self,
        vision: VisionConfig,
        *,
        contexts: Contexts | Mapping[str, VisualContext] | None = None,
        images: Path | None = None,
        allow_outside: bool = False,
        store: Path | None = None,
        timeout: float | None = None,
    ) -> None:
        self._vision = vision
        self._contexts = contexts
        self._images = images
        self._allow_outside = allow_outside
        self._store = store
        self._timeout = timeout
        self._reader: Reader | None = None
        self._lock = threading.Lock()
        sessions.forget_after_fork(self)

    def after_fork(self) -> None:
        """Drop the parent's backends, whose thread a fork does not copy; the next picture opens new ones."""
        self._lock = threading.Lock()
        sessions.never_free(self._reader)
        self._reader = None

    def context(self, request: Request) -> VisualContext | None:
        """What was read from one request's picture; None without one."""
        if request.context is not None or not request.pictured:
            return request.context
        name = request.post.image
        if name is not None and self._contexts is not None:
            ready = self._contexts.get(name)
            if ready is not None:
                from mner.contexts.artefact import for_post

                return for_post(ready, request.post.id)
        name = name or UNNAMED
        if not (self._vision.detector or self._vision.captioner or self._vision.ocr):
            reason = "the model's [vision] names no backend that reads pictures"
            return VisualContext(image=name, status="skipped", reason=reason)
        return self._read(name, self.source(request))

    def source(self, request: Request) -> Any:
        """The path, bytes or opened picture of a request; None where it has none."""
        name = request.post.image
        if request.picture is not None or name is None:
            return request.picture
        if self._images is None:
            return unfiled(name) or Path(name)
        return place_of(self._images, name, allow_outside=self._allow_outside)

    def _read(self, name: str, source: Any) -> VisualContext:
        with self._lock:
            if self._reader is None:
                self._reader = Reader(self._vision, self._store)
            reader = self._reader
        try:
            return reader.read(name, source, timeout=self._timeout)
        except TimeoutError:
            reason = f"the picture was not read within {self._timeout:g} seconds"
            return VisualContext(image=name, status="timeout", reason=reason)


_Job = tuple[Future[Any], Callable[[], Any]]


class Reader:
    """The backends in a thread of their own: any thread may hand over a picture, and may stop waiting for it."""

    def __init__(self, vision: VisionConfig, store: Path | None) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        threading.Thread(target=_work, args=(self._jobs,), name="mner-pictures", daemon=True).start()
        try:
            self._extractor, self._kept = self._submit(lambda: _open(vision, store)).result()
        except BaseException:
            self._jobs.put(None)
            raise
        weakref.finalize(self, _end, self._jobs, self._kept)

    def read(self, name: str, source: Any, *, timeout: float | None) -> VisualContext:
        """What was read from one picture; a bad one gives a status and a reason.

        Raises:
            TimeoutError: It took longer than ``timeout`` seconds.
        """
        future = self._submit(lambda: self._extractor.read(source, image=name, store=self._kept))
        try:
            context: VisualContext = future.result(timeout)
            return context
        finally:
            future.cancel()  # what has not begun need not begin

    def _submit(self, job: Callable[[], _T]) -> Future[_T]:
        future: Future[_T] = Future()
        self._jobs.put((future, job))
        return future


def _open(vision: VisionConfig, store: Path | None) -> tuple[Any, Any]:
    from mner.contexts.store import Store
    from mner.vision.extract import Extractor

    return Extractor(vision), Store(store, needed=store is not None)


def _end(jobs: queue.SimpleQueue[_Job | None], store: Any) -> None:
    """Have the thread close the store, which only it may do, and finish."""
    if store is not None:
        jobs.put((Future(), store.close))
    jobs.put(None)


def _work(jobs: queue.SimpleQueue[_Job | None]) -> None:
    while (next_job := jobs.get()) is not None:
        future, job = next_job
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(job())
            except BaseException as error:  # raised where the result is waited for
                future.set_exception(error)
        del future, job, next_job  # or the last picture stays in memory
