"""What a worker does that reads pictures: it loads the backends once and keeps what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

from mner.config import VisionConfig
from mner.contexts.store import Store
from mner.types import VisualContext
from mner.vision.extract import Extractor
from mner.vision.images import Named


@dataclass(frozen=True, slots=True)
class Reading:
    """How pictures are read; it pickles, and workers on any machine can begin from it.

    Attributes:
        config: Which backends read.
        store: The store's file on the worker's machine; None takes the user's own there.
    """

    config: VisionConfig
    store: Path | None = None

    def __call__(self) -> Callable[[Iterable[Named]], Iterator[VisualContext]]:
        """Open backends and store; gives the function from pictures to their contexts."""
        extractor = Extractor(self.config, threads=1)
        # Now, not with the first picture: where there is no room for them, no picture is taken for the cause.
        extractor.load()
        return partial(extractor.stream, store=Store(self.store))


def lost(named: Named, reason: str) -> VisualContext:
    """The context of a picture that ends the processes of those who read it."""
    extractor = {"name": "mner", "version": version("mner")}
    return VisualContext(image=named[0], status="unreadable", reason=reason, extractor=extractor)
