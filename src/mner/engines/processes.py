"""A pool of processes on this machine."""

from __future__ import annotations

import pickle
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Generic, TypeVar

from mner.engines.worker_pool import Opening
from mner.errors import WorkerError

T = TypeVar("T")
R = TypeVar("R")

LEAVE = 5.0
"""Seconds that a worker has to end by itself before it is killed."""


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    connection: Connection
    ready: bool = False
    task: int | None = None


class Processes(Generic[T, R]):
    """Workers that are processes, started afresh (not forked), so that neither threads nor open files are shared.

    A worker leaves by itself when this process is gone, however it ended.

    ``opening`` is what each worker does first; it must pickle, as must items and results.
    """

    def __init__(self, opening: Opening[T, R], *, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"workers: expected at least 1, got {workers}")
        self.workers = workers
        self._opening = opening
        self._workers: list[_Worker] = []

    def __enter__(self) -> Processes[T, R]:
        """The pool, its workers loading."""
        self._workers = [self._start() for _ in range(self.workers)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the workers; after an error, at once."""
        for worker in self._workers:
            worker.connection.close()
            if error is not None:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(LEAVE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers = []

    @property
    def idle(self) -> int:
        """How many are waiting for a list."""
        return sum(worker.ready and worker.task is None for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The processes' ids."""
        return [worker.process.pid or 0 for worker in self._workers]

    def give(self, task: int, items: Sequence[T]) -> None:
        """Give a list to an idle worker."""
        worker = next(worker for worker in self._workers if worker.ready and worker.task is None)
        worker.task = task
        with suppress(OSError):  # it ended while it was idle, which ``wait`` notices
            worker.connection.send(items)

    def wait(self) -> Sequence[tuple[int, Sequence[R] | None]]:
        """Wait until something happens; the finished tasks with their results, or None where the worker ended."""
        readable = wait([worker.connection for worker in self._workers])
        ready = [worker for worker in self._workers if worker.connection in readable]
        return [task for worker in ready for task in self._received(worker)]

    def _received(self, worker: _Worker) -> Iterator[tuple[int, Sequence[R] | None]]:
        try:
            kind, value = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._ended(worker)
            return
        if kind == "fault":
            raise value
        if kind == "ready":
            worker.ready = True
        elif worker.task is not None:
            task, worker.task = worker.task, None
            yield task, value

    def _ended(self, worker: _Worker) -> Iterator[tuple[int, None]]:
        worker.process.join()
        worker.connection.close()
        if not worker.ready:
            raise WorkerError(
                f"a worker ended before it had loaded (exit code {worker.process.exitcode}): too little memory for so "
                'many workers, or a script that starts them without `if __name__ == "__main__":`'
            )
        self._workers[self._workers.index(worker)] = self._start()
        if worker.task is not None:
            yield worker.task, None

    def _start(self) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._opening), daemon=True, name="mner-worker")
        try:
            process.start()
        except OSError as error:
            raise WorkerError(f"a worker cannot be started ({error}); ask for fewer workers") from error
        theirs.close()
        return _Worker(process, ours)


def _serve(connection: Connection, opening: Opening[Any, Any]) -> None:
    """Work until the other end of the connection is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    with suppress(EOFError, ConnectionError):
        function = _send(connection, opening, "ready")
        while function is not None:
            if _send(connection, partial(_listed, function, connection.recv()), "done") is None:
                return


def _listed(function: Callable[[Any], Any], items: Any) -> list[Any]:
    return list(function(items))


def _send(connection: Connection, call: Callable[[], Any], kind: str) -> Any:
    """The value of a call, sent to the parent unless it is a function; None where it raised, and the error is sent."""
    try:
        value = call()
    except Exception as error:
        connection.send(("fault", _sendable(error)))
        return None
    connection.send((kind, None if callable(value) else value))
    return value


def _sendable(error: Exception) -> Exception:
    """The error with its traceback; a RuntimeError in its place where its class, such as a plug-in's, can't pickle."""
    place = "".join(traceback.format_exception(error))
    try:
        error = pickle.loads(pickle.dumps(error))  # noqa: S301 (its own bytes)
    except Exception as fault:
        error = RuntimeError(f"a worker raised {type(error).__name__}: {error}; it cannot be sent as it is ({fault})")
    error.add_note(place)
    return error
