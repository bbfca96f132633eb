"""A pool of Ray actors, on this machine or on a cluster: ``pip install "mner[ray]"``.

Each actor holds its models for the whole run. An actor that ends is replaced here and not by Ray, whose own retries
never stop: ``mner.engines.worker_pool`` tries its items again and finds the picture that ended it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from mner.engines.worker_pool import Opening
from mner.errors import MissingExtraError, WorkerError

T = TypeVar("T")
R = TypeVar("R")

STORE = 200 * 2**20
"""Bytes of shared memory of a session on this machine: lists and results are small, models stay in their actors."""

PATIENCE = 600.0
"""Seconds until the first actor must have loaded; a cluster without room for it would keep it waiting for ever."""


@dataclass(slots=True)
class _Worker:
    actor: Any
    reference: Any  # of what it does now
    ready: bool = False
    task: int | None = None


class Actors(Generic[T, R]):
    """Workers that are Ray actors.

    A session that the program has started (``ray.init``) is used and left open. Without one, ``address`` is joined, or
    a session on this machine alone is started and ended with the pool: without a dashboard, and no other machine can
    reach it. Actors work in this process's working folder if their machine has such a folder, so that relative paths
    mean the same.

    Args:
        opening: What each actor does first; mner and all that it names must be installed on every machine.
        workers: How many.
        gpus: GPUs of each, in parts if need be: 0.25 puts four on one GPU.
        cpus: CPU cores of each.
        address: Of a running cluster, as ``ray start --head`` prints it, or "auto"; None: this machine alone.

    Raises:
        MissingExtraError: Ray is not installed.
        ValueError: ``workers`` is below 1, or ``gpus`` or ``cpus`` below 0.
    """

    def __init__(
        self,
        opening: Opening[T, R],
        *,
        workers: int,
        gpus: float = 0.0,
        cpus: float = 1.0,
        address: str | None = None,
    ) -> None:
        if workers < 1 or gpus < 0 or cpus < 0:
            raise ValueError(f"expected 1 worker or more and no GPUs or CPUs below 0, got {workers}, {gpus}, {cpus}")
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError(f'the engine "ray": {error}; pip install "mner[ray]"') from error
        self.workers = workers
        self._ray: Any = ray
        self._opening = opening
        self._resources = {"num_cpus": cpus, "num_gpus": gpus}
        self._address = address
        self._ours = False
        self._workers: list[_Worker] = []

    def __enter__(self) -> Actors[T, R]:
        """The pool, its actors loading.

        Raises:
            WorkerError: There is no cluster at the address, or this machine lacks what the actors need.
        """
        ray = self._ray
        if not ray.is_initialized():
            self._ours = True
            self._begin()
        self._workers = [self._start() for _ in range(self.workers)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the actors, and the session if it was begun here."""
        for worker in self._workers:
            self._ray.kill(worker.actor)
        self._workers = []
        if self._ours:
            self._ray.shutdown()

    @property
    def idle(self) -> int:
        """How many have loaded and are waiting for a list."""
        return sum(worker.ready and worker.task is None for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """The ids of the actors' processes, each on its own machine."""
        return list(self._ray.get([worker.actor.pid.remote() for worker in self._workers]))

    def give(self, task: int, items: Sequence[T]) -> None:
        """Give a list to an idle actor."""
        worker = next(worker for worker in self._workers if worker.ready and worker.task is None)
        worker.task, worker.reference = task, worker.actor.work.remote(items)

    def wait(self) -> Sequence[tuple[int, Sequence[R] | None]]:
        """Wait until something happens; the finished tasks with their results, or None where the actor ended."""
        busy = {worker.reference: worker for worker in self._workers if worker.reference is not None}
        begun = any(worker.ready for worker in self._workers)
        done, _ = self._ray.wait(list(busy), num_returns=1, timeout=None if begun else PATIENCE)
        if not done:
            each = ", ".join(f"{kind} {count:g}" for kind, count in sorted(self._resources.items()))
            here = self._ray.cluster_resources()
            raise WorkerError(
                f"no actor has loaded in {PATIENCE:.0f} seconds; {self.workers} ask for {each} each, the cluster has "
                f"{here.get('CPU', 0):g} CPUs and {here.get('GPU', 0):g} GPUs: ask for less, or add machines"
            )
        finished: list[tuple[int, Sequence[R] | None]] = []
        for reference in done:
            worker, results = busy[reference], None
            try:
                results = self._ray.get(reference)
            except self._ray.exceptions.RayTaskError as error:
                raise getattr(error, "cause", None) or error from None
            except (self._ray.exceptions.RayActorError, self._ray.exceptions.OutOfMemoryError) as error:
                self._replace(worker, error)
            else:
                worker.ready, worker.reference = True, None
            if worker.task is not None:
                finished.append((worker.task, results))
                worker.task = None
        return finished

    def _replace(self, worker: _Worker, error: Exception) -> None:
        if not worker.ready:
            raise WorkerError(f"an actor ended before it had loaded: {error}") from None
        self._ray.kill(worker.actor)
        self._workers[self._workers.index(worker)] = self._start()

    def _start(self) -> _Worker:
        # None of Ray's own retries: it would give the same list to one actor after the other without end.
        options = {**self._resources, "max_restarts": 0, "max_task_retries": 0}
        actor = self._ray.remote(**options)(_Actor).remote()
        return _Worker(actor, actor.load.remote(self._opening, str(Path.cwd())))

    def _begin(self) -> None:
        ray = self._ray
        quiet = {"log_to_driver": False, "configure_logging": False}
        if self._address is not None:
            try:
                ray.init(address=self._address, **quiet)
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise WorkerError(
                    f"cannot join a Ray cluster at {self._address} ({error}); start one: ray start --head. If it "
                    "requires a token, set RAY_AUTH_MODE=token and copy its ~/.ray/auth_token to this machine"
                ) from None
            return
        gpus = self._resources["num_gpus"] * self.workers
        with _loopback():
            ray.init(
                address="local",
                num_cpus=max(1, math.ceil(self._resources["num_cpus"] * self.workers)),
                include_dashboard=False,
                object_store_memory=STORE,
                **quiet,
            )
        here = ray.cluster_resources().get("GPU", 0.0)
        if gpus > here:
            ray.shutdown()
            raise WorkerError(
                f"{self.workers} actors with {self._resources['num_gpus']:g} GPUs each ask for {gpus:g}, this machine "
                f"has {here:g}; ask for fewer, or name a cluster's address"
            )


@contextmanager
def _loopback() -> Iterator[None]:
    """A session begun in this block listens on the loopback address alone.

    Ray would open its ports to every network the machine is in. It has a switch for that, which it reads from the
    environment once, when it is imported; here is where the value is kept.
    """
    from ray._private import ray_constants

    before = getattr(ray_constants, "ENABLE_RAY_CLUSTER", True)
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


class _Actor:
    """What runs in an actor's process."""

    def __init__(self) -> None:
        self._function: Any = None

    def load(self, opening: Opening[Any, Any], folder: str) -> None:
        """Open the models, in a working directory that Ray would leave where its own session was begun."""
        with suppress(OSError):  # a machine without that folder can still be sent bytes and absolute paths
            os.chdir(folder)
        self._function = opening()

    def work(self, items: list[Any]) -> list[Any]:
        """The results of a list of items."""
        return list(self._function(items))

    def pid(self) -> int:
        """The process's id."""
        return os.getpid()
