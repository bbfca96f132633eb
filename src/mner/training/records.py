"""What a run leaves behind for the reader of its numbers: machine, versions, data, settings, scores."""

from __future__ import annotations

import datetime
import platform
import resource
import sys
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any, cast

from torch import nn

from mner.config import Config
from mner.evaluation.views import signed_scores
from mner.machine import machine
from mner.models import Model
from mner.runs import RunRecord
from mner.runtime.calibration import trained_fingerprint
from mner.runtime.torch import head_state
from mner.training.checkpoint import Progress
from mner.training.job import Job


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that affect scores."""
    installed = {"python": platform.python_version()}
    for package in ("mner", "torch", "transformers", "accelerate", "tokenizers", "numpy", "numba", "onnxruntime"):
        with suppress(PackageNotFoundError):
            installed[package] = version(package)
    return installed


def peak_memory_mib() -> float:
    """The most memory this process has held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)


def size(model: nn.Module) -> int:
    """Number of parameters, those that training leaves alone included."""
    parts = [head_state(model), *(encoder.state_dict() for encoder in cast(Model, model).encoders())]
    return sum(value.numel() for part in parts for value in part.values())


def identity(config: Config) -> dict[str, Any]:
    """The experiment that a configuration belongs to, as records write it."""
    return {**config.identity.model_dump(), "experiment": config.identity.experiment or config.name}


def run_record(
    job: Job, progress: Progress, model: nn.Module, *, saved: str, steps: int, precision: str, device: str
) -> RunRecord:
    """The record of a finished run; ``saved`` is its model's fingerprint, ``device`` the one that it ended on.

    Paths are relative to the data's root.
    """
    best = progress.epochs[progress.best_epoch - 1]
    config = job.config
    record = {
        "format": 1,
        "data": config.data.name,
        "row": config.name,
        "seed": config.seed,
        "identity": identity(config),
        "fingerprint": job.fingerprint,
        "config_fingerprint": config.fingerprint,
        "config": config.model_dump(mode="json", exclude_none=True),
        "encoder": {"name": job.files.name, "sha256": job.weights},
        **({"init": trained_fingerprint(job.init)} if job.init is not None else {}),
        **({"teachers": [teacher.fingerprint for teacher in job.teachers]} if job.teachers else {}),
        "model": saved,
        "labels": list(job.labels),
        "parameters": size(model),
        "splits": {
            name: {
                "file": getattr(config.data, name, None) or config.data.tasks[name],
                **asdict(split.stamp),
                "contexts": dict(split.coverage),
                "context_kinds": dict(split.kinds),
                "contexts_fingerprint": split.read,
                "context_subtokens_cut": dict(split.cut),
            }
            for name, split in job.splits.items()
        },
        "steps": {"taken": progress.step, "planned": steps},
        "best_epoch": progress.best_epoch,
        "dev": {
            view: signed_scores(config, "dev", view, scores, job.splits["dev"].stamp)
            for view, scores in best["dev"].items()
        },
        "epochs": [
            {**epoch, "dev": {view: scores["micro"]["f1"] for view, scores in epoch["dev"].items()}}
            for epoch in progress.epochs
        ],
        "outcomes": {"dev": progress.outcomes},
        "seconds": round(progress.seconds, 1),
        "cpu_seconds": round(progress.cpu_seconds, 2),
        "peak_memory_mib": peak_memory_mib(),
        "precision": precision,
        "device": device,
        "machine": machine(),
        "versions": versions(),
        "finished": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    return RunRecord.model_validate(record)
