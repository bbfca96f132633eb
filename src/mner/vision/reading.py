"""What a worker does that reads pictures: it loads the backends once and keeps what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mner.config import VisionConfig
from mner.types import VisualContext
from mner.vision.extract import Extractor
from mner.vision.images import Source
from mner.vision.store import Store

Named = tuple[str, Source]
"""A picture's name and the picture."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How pictures are read; it pickles, and workers on any machine can begin from it.

    Attributes:
        config: Which backends read.
        store: The store's file on the worker's machine; None takes the user's own there.
        threads: Most CPU threads of one backend; 0 leaves that to the backend.
    """

    config: VisionConfig
    store: Path | None = None
    threads: int = 1

    def __call__(self) -> Callable[[list[Named]], Iterator[VisualContext]]:
        """Open backends and store; gives the function from pictures to their contexts."""
        extractor = Extractor(self.config, threads=self.threads)
        store = Store(self.store)
        return lambda items: extractor.stream(items, store=store)

    @property
    def fingerprint(self) -> str:
        """The extractor's, which needs no backend loaded."""
        return Extractor(self.config, threads=self.threads).fingerprint


def lost(named: Named, reason: str) -> VisualContext:
    """The context of a picture that ends the processes of those who read it."""
    extractor = {"name": "mner", "version": version("mner")}
    return VisualContext(image=named[0], status="unreadable", reason=reason, extractor=extractor)
