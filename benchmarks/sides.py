"""Sides of a comparison, each in a process of its own; their repetitions take turns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).resolve().parent
OURS = Path(sys.executable)
PEERS = HERE / ".peers" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Side:
    """A worker (a file of workers/), the Python that runs it, and its job."""

    name: str
    worker: str
    job: Mapping[str, Any]
    python: Path = OURS


@dataclass(slots=True)
class Measured:
    """What a side reported: about itself when it was ready, and at each repetition."""

    about: dict[str, Any]
    repetitions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def unavailable(self) -> str:
        """Why the side did not run; "" if it did."""
        return str(self.about.get("unavailable", ""))

    @property
    def seconds(self) -> list[float]:
        """Seconds of each repetition."""
        return [repetition["seconds"] for repetition in self.repetitions]


def alternate(sides: list[Side], folder: Path, *, repetitions: int) -> dict[str, Measured]:
    """What each side measured. All start and warm up one after the other; then their repetitions take turns.

    A waiting side sleeps on its input. ``folder`` keeps the jobs and what the sides wrote on stderr.
    """
    measured: dict[str, Measured] = {}
    with ExitStack() as stack:
        running: list[tuple[Side, subprocess.Popen[str]]] = []
        for side in sides:
            print(f"  preparing {side.name}", file=sys.stderr, flush=True)
            started = stack.enter_context(_started(side, folder))
            measured[side.name] = Measured(_answer(started, side, folder))
            if measured[side.name].unavailable and side.worker.startswith("ours_"):
                raise SystemExit(f"{side.name}: {measured[side.name].unavailable}")
            if not measured[side.name].unavailable:
                running.append((side, started))
        for number in range(repetitions):
            print(f"  repetition {number + 1} of {repetitions}", file=sys.stderr, flush=True)
            for side, process in running:
                _stream(process.stdin).write("go\n")
                _stream(process.stdin).flush()
                measured[side.name].repetitions.append(_answer(process, side, folder))
    return measured


@contextmanager
def _started(side: Side, folder: Path) -> Iterator[subprocess.Popen[str]]:
    if not side.python.exists():
        process = subprocess.Popen(
            [sys.executable, "-c", 'print(\'{"unavailable": "not installed; run benchmarks/peers.sh"}\')'],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            yield process
        return
    stem = "".join(char if char.isalnum() else "-" for char in side.name)
    job = folder / f"{stem}.json"
    job.write_text(json.dumps(side.job), encoding="utf-8")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    if side.job.get("threads"):
        environment["OMP_NUM_THREADS"] = str(side.job["threads"])
    with (folder / f"{stem}.log").open("w") as log:
        process = subprocess.Popen(
            [side.python, HERE / "workers" / side.worker, job],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
        with process:
            yield process


def _answer(process: subprocess.Popen[str], side: Side, folder: Path) -> dict[str, Any]:
    line = _stream(process.stdout).readline()
    if line:
        answer: dict[str, Any] = json.loads(line)
        return answer
    logs = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
    raise SystemExit(f"{side.name}: its process ended; {logs[-1]}:\n{logs[-1].read_text()[-2000:]}")


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
