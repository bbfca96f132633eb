"""The one place that imports onnxruntime, and the sessions that run its graphs on the CPU."""

from __future__ import annotations

import ctypes
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mner.errors import ModelError

TELEMETRY = "ORT_DISABLE_TELEMETRY"
"""The only environment variable that mner sets, and only if the user has not set it."""

END = 5.0
"""Seconds that a run over its limit is given to end."""


def onnxruntime() -> Any:
    """The module ``onnxruntime``, imported with its telemetry off.

    From 1.30 on it writes a device id and a queue of events into the user's cache folder while it is imported, and is
    built to send them. Its ``disable_telemetry_events`` comes too late; the variable must be set before the import.
    Whatever imports onnxruntime by itself (rapidocr) is imported after a call of this.
    """
    os.environ.setdefault(TELEMETRY, "1")
    import onnxruntime as module

    return module


class Session:
    """An onnxruntime session on the CPU. Several threads may call it, and so may a forked child.

    The threads of a session do not exist in a forked child, so that a child would wait for them without end; it
    opens the file again instead, when it first needs it. Threads sleep between operations instead of spinning: beside
    another busy process on two cores, spinning took 1.6 times as long.

    Args:
        path: The ONNX file.
        check: Called before the file is opened, also in a forked child; raises where it must not be.
        threads: Threads of one run; 0 takes all cores.
        remedy: What the user should do about a file that cannot be loaded; the end of the message.

    Raises:
        ModelError: The file cannot be loaded.
    """

    def __init__(
        self, path: Path, check: Callable[[], object] = lambda: None, *, threads: int = 0, remedy: str
    ) -> None:
        self._path, self._check, self._threads, self._remedy = path, check, threads, remedy
        self._lock = threading.Lock()
        self._half: Session | None = None
        self._session: Any = self._open()
        self._stamp = _stamp(path)
        forget_after_fork(self)

    def run(
        self,
        outputs: Sequence[str] | None,
        arrays: Mapping[str, np.ndarray],
        *,
        release: bool = False,
        limit: float | None = None,
    ) -> list[Any]:
        """The named outputs, or all of them, as onnxruntime returns them.

        ``release`` afterwards gives back the memory that earlier, larger runs took. ``limit`` is the most seconds, as a
        graph may loop without end.

        Raises:
            ModelError: The run takes longer than ``limit``. In a forked child: the file cannot be opened again, or it
                changed since.
        """
        session, options = self._opened(), onnxruntime().RunOptions()
        options.log_severity_level = 4  # what goes wrong is raised, once
        if release:
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        run = partial(session.run, outputs, arrays, options)
        answers: list[Any] = run() if limit is None else self._within(limit, run, options)
        return answers

    def _within(self, limit: float, run: Callable[[], list[Any]], options: Any) -> list[Any]:
        """What a run returns within ``limit`` seconds; a longer run is ended between two operations, or left behind."""
        answer: Future[list[Any]] = Future()

        def work() -> None:
            try:
                answer.set_result(run())
            except BaseException as error:  # raised again by whoever waits for the answer
                answer.set_exception(error)

        threading.Thread(target=work, daemon=True, name="mner-first-run").start()
        try:
            return answer.result(limit)
        except TimeoutError:
            options.terminate = True
            with suppress(Exception):
                answer.exception(END)
            raise ModelError(f"{self._path}: did not end within {limit:g} seconds; {self._remedy}") from None

    def half(self) -> Session | None:
        """A session of the same file for two runs beside each other, each on half of the threads.

        Threads of one run wait for each other after every operation, so two small runs beside each other take less
        time than one after the other on all threads. None where this one has a single thread, or the file has changed
        since it was opened.
        """
        threads = self._threads or _cores()
        if threads < 2:
            return None
        with self._lock:
            if self._half is None and _stamp(self._path) == self._stamp:
                self._half = Session(self._path, self._check, threads=-(-threads // 2), remedy=self._remedy)
            return self._half

    def get_inputs(self) -> list[Any]:
        """The graph's inputs, with name, shape and type."""
        return list(self._opened().get_inputs())

    def get_outputs(self) -> list[Any]:
        """The graph's outputs, with name, shape and type."""
        return list(self._opened().get_outputs())

    def metadata(self) -> dict[str, str]:
        """What the file says of itself, by name."""
        return dict(self._opened().get_modelmeta().custom_metadata_map)

    def after_fork(self) -> None:
        """Leave the parent's session alone; the next call opens a new one."""
        self._lock = threading.Lock()  # a thread that the child does not have may hold the old one
        never_free(self._session)
        self._session = None

    def _opened(self) -> Any:
        with self._lock:
            if self._session is None:
                if _stamp(self._path) != self._stamp:
                    raise ModelError(f"{self._path}: changed since it was opened; load the model again")
                self._session = self._open()
            return self._session

    def _open(self) -> Any:
        self._check()
        module = onnxruntime()
        options = module.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # a plan for each shape: as fast without, and a third more memory with it
        options.log_severity_level = 4  # what goes wrong is raised, once
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            # By its path: of a session that is given bytes, onnxruntime keeps these, too.
            session = module.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions have no other class in common
            raise ModelError(
                f"{self._path}: onnxruntime {module.__version__} cannot load it: {first_line(error)}; {self._remedy}"
            ) from error
        _trim()
        return session


class Inherited(Protocol):
    """An object that owns a session of onnxruntime."""

    def after_fork(self) -> None:
        """Called in a forked child: give what the parent opened to ``never_free``, and open it again when needed."""


def forget_after_fork(owner: Inherited) -> None:
    """Have ``owner.after_fork`` called in every child that is forked while the owner lives."""
    _OWNERS.add(owner)


def never_free(value: Any) -> None:
    """Keep an object of the parent process for good: to destroy a session, a forked child would wait for its threads.

    A list would not do, as it is emptied when Python ends.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(value))


def first_line(error: Exception) -> str:
    """The first line of a message of onnxruntime, which lines of its own source follow."""
    return str(error).partition("\n")[0]


def _trim() -> None:
    """Give back what was freed: opening takes the weights several times over, and the GNU C library keeps all of it."""
    with suppress(OSError, AttributeError, TypeError):  # another C library has no such function
        ctypes.CDLL(None).malloc_trim(0)


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Size, time and number of a file; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ino


_OWNERS: weakref.WeakSet[Inherited] = weakref.WeakSet()


def _forget() -> None:
    for owner in list(_OWNERS):
        owner.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
