"""A search on a tiny encoder, and what interrupts it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mner import config as configs
from mner.config import Config
from mner.config.space import Space
from mner.training import Event
from mner.training.search import Tuned, tune

Make = Callable[..., Config]
Search = Callable[..., Tuned]
SAME_EPOCHS = Space.model_validate({"training": {"epochs": {"keep": True}}})
TEXT: dict[str, Any] = {"model": {"name": "text"}, "loss": {"views": ["T"], "cva": "none"}}
SLOW = {"encoder_lr": 3e-4, "crf_lr": 3e-3}
"""Rates at which two epochs leave room between trials: at higher ones all end at 100."""


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


@pytest.fixture
def search(corpus: Path, tiny_config: Make, tmp_path: Path) -> Search:
    """A function that searches around the tiny configuration; keywords are those of ``tune``."""
    base = tmp_path / "tiny.toml"

    def go(config: Config | None = None, *, trials: int = 3, folder: str = "a", **arguments: Any) -> Tuned:
        config = config or tiny_config(training={"epochs": 1})
        data = config.data.model_copy(update={"root": "corpus"})
        base.write_text(configs.dumps(config.model_copy(update={"data": data})))
        places = {"out": tmp_path / folder / "tune", "results": tmp_path / folder / "results"}
        return tune(config, base=base, root=corpus, **{"trials": trials, **places, **arguments})

    return go


def settings(tuned: Tuned) -> list[dict[str, Any]]:
    return [row["settings"] for row in tuned.record["trials"]]


def scores(tuned: Tuned) -> list[float]:
    return [row["score"] for row in tuned.record["trials"]]


def at(kind: str, number: int, act: Callable[[], None]) -> Callable[[Event], None]:
    """A watcher that acts on the event ``kind`` met for the ``number``-th time."""
    met: list[Event] = []

    def watch(event: Event) -> None:
        met.extend([event] if event.kind == kind else [])
        if event.kind == kind and len(met) == number:
            act()

    return watch


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does


def die() -> None:
    raise Killed
