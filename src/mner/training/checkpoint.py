"""The state of an interrupted run in one safetensors file; written under another name, then renamed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mner.errors import ModelError
from mner.files import replacing
from mner.training.loop import Step
from mner.views import NER


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        fingerprint: Of the configuration and the splits; a checkpoint of others is refused.
        step: Optimizer steps taken.
        seconds: Seconds spent training so far, over all sessions.
        cpu_seconds: Processor seconds of this process, all threads, in the same time; a pause costs none.
        best: Best dev score so far; None before the first evaluation.
        best_epoch: Its epoch, from 1; 0 before.
        sums: Sums of the losses over the posts of the epoch under way.
        posts: Posts seen in the epoch under way.
        counts: Of further tasks, the posts behind each of ``sums``.
        tokens: Padded sub-tokens encoded in the epoch under way.
        epochs: Records of the epochs that are over.
        outcomes: What became of each dev post in the best epoch.
        precision: Number format of training, as accelerate names it; "" in a checkpoint from before it was kept.
    """

    fingerprint: str
    step: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    best: float | None = None
    best_epoch: int = 0
    sums: Mapping[str, float] = field(default_factory=dict)
    posts: int = 0
    tokens: int = 0
    epochs: tuple[Mapping[str, Any], ...] = ()
    outcomes: Mapping[str, Any] = field(default_factory=dict)
    precision: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)

    def after(self, step: Step) -> Progress:
        """The progress after one more step; the losses of a further task are called task.loss."""
        prefix = "" if step.task == NER else f"{step.task}."
        losses = {f"{prefix}{name}": loss for name, loss in step.losses.items()}
        sums = {name: self.sums.get(name, 0.0) + loss * step.posts for name, loss in losses.items()}
        counts = {name: self.counts.get(name, 0) + step.posts for name in losses if prefix}
        return replace(
            self,
            step=step.step,
            seconds=self.seconds + step.seconds,
            cpu_seconds=self.cpu_seconds + step.cpu_seconds,
            sums={**self.sums, **sums},
            counts={**self.counts, **counts},
            posts=self.posts + (0 if prefix else step.posts),
            tokens=self.tokens + step.tokens,
        )

    @property
    def means(self) -> dict[str, float]:
        """The losses of the epoch under way, each the mean over the posts of its task."""
        return {name: round(total / self.counts.get(name, self.posts), 6) for name, total in self.sums.items()}


def save(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress) -> None:
    """Write the model, the optimizer's moments and the progress.

    Dropout needs no saved generator state: each step seeds torch from the run's seed and its own number.
    """
    state = {f"model.{name}": value.detach().contiguous() for name, value in model.state_dict().items()}
    for number, moments in optimizer.state_dict()["state"].items():
        for name, value in moments.items():
            state[f"optimizer.{number}.{name}"] = value.detach().clone().contiguous()
    try:
        with replacing(path) as part:
            save_file(_unshared(state), part, metadata={"progress": json.dumps(asdict(progress))})
    except SafetensorError as error:
        raise ModelError(f"{path}: cannot be written: {error}; make room, and run the same command again") from error


def fingerprint_of(path: Path) -> str:
    """The fingerprint of the run that a checkpoint belongs to.

    Raises:
        ModelError: The file is damaged.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            return str(json.loads((opened.metadata() or {})["progress"])["fingerprint"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path}: damaged checkpoint ({error}); delete it to start the run again")


def load(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, *, precision: str) -> Progress:
    """Put a saved state into ``model`` and ``optimizer``; how far the run was.

    Raises:
        ModelError: The file is damaged, or was computed in another number format than ``precision``.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            saved = json.loads((opened.metadata() or {})["progress"])
            state = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a dict)
        progress = Progress(**{**saved, "epochs": tuple(saved["epochs"])})
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise _damaged(path, error) from error
    if progress.precision not in ("", precision):
        then, now = ("fp32" if name == "no" else name for name in (progress.precision, precision))
        raise ModelError(
            f'{path}: computed in {then}, but here training.precision = "auto" is {now}; resume on a machine like the '
            f"first, or start the run again in one format: --set training.precision={now} --restart"
        )
    model.load_state_dict({n.removeprefix("model."): v for n, v in state.items() if n.startswith("model.")})
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in state.items():
        if name.startswith("optimizer."):
            _, number, key = name.split(".", 2)
            moments.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    return replace(progress, precision=precision)


def _unshared(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, those that share memory with an earlier one (tied weights) copied: safetensors wants that."""
    seen: set[int] = set()
    for name, value in state.items():
        if value.numel() and value.data_ptr() in seen:
            state[name] = value.clone()
        seen.add(value.data_ptr())
    return state
