"""One side of a comparison: a process that warms up and then repeats its work on request.

It reads a job (JSON) named on the command line and answers on stdout with one JSON object a line: first what it is
({"ready": true, ...}, or {"unavailable": "why"}), then {"seconds": ...} for each line it reads. Standard library
only: the peers' environment does not have mner.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Work = Callable[[], Mapping[str, Any] | None]


def serve(prepare: Callable[[dict[str, Any]], tuple[Work, dict[str, Any]]], packages: tuple[str, ...]) -> None:
    """Run a side: ``prepare`` takes the job and gives the work, already warm, and what there is to tell of it."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer

    def tell(answer: Mapping[str, Any]) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        work, about = prepare(job)
    except Exception as error:  # a peer that does not load is a finding, not a fault of the benchmark
        tell({"unavailable": f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"})
        if job.get("trace"):
            raise
        return
    tell({"ready": True, "versions": versions(packages), **about})
    for _ in sys.stdin:
        started = time.perf_counter()
        extra = work() or {}
        tell({"seconds": time.perf_counter() - started, **extra})


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    """The versions of the packages that are installed."""
    results = {}
    for package in packages:
        try:
            results[package] = version(package)
        except PackageNotFoundError:
            continue
    return results


def threads(job: Mapping[str, Any]) -> int:
    """Threads the job asks for; torch is set here, since not every library reads the environment."""
    import torch

    if job["threads"]:
        torch.set_num_threads(job["threads"])
    return torch.get_num_threads()
