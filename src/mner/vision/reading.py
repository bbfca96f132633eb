"""What a worker does that reads pictures: it loads the backends once and keeps what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mner.config import VisionConfig
from mner.types import VisualContext
from mner.vision.extract import Extractor
from mner.vision.images import Named
from mner.vision.store import Store


@dataclass(frozen=True, slots=True)
class Reading:
    """How pictures are read; it pickles, and workers on any machine can begin from it.

    Attributes:
        config: Which backends read.
        store: The store's file on the worker's machine; None takes the user's own there.
        threads: Most CPU threads of one backend; 0 leaves that to the backend.
        load: Load the backends when it begins, not with the first picture that needs them: where there is no room for
            them, that is known before a picture is taken for the cause.
    """

    config: VisionConfig
    store: Path | None = None
    threads: int = 1
    load: bool = False

    def __call__(self) -> Callable[[Iterable[Named]], Iterator[VisualContext]]:
        """Open backends and store; gives the function from pictures to their contexts."""
        extractor, store = self._opened()
        if self.load:
            extractor.load()
        return lambda items: extractor.stream(items, store=store)

    def known(self) -> Callable[[list[Named]], list[VisualContext] | None]:
        """Gives the function from pictures to what the store knows of them; None if one of them must be read."""
        extractor, store = self._opened()
        return lambda items: extractor.known(items, store)

    @property
    def fingerprint(self) -> str:
        """The extractor's, which needs no backend loaded."""
        return Extractor(self.config, threads=self.threads).fingerprint

    def _opened(self) -> tuple[Extractor, Store]:
        return Extractor(self.config, threads=self.threads), Store(self.store)


def lost(named: Named, reason: str) -> VisualContext:
    """The context of a picture that ends the processes of those who read it."""
    extractor = {"name": "mner", "version": version("mner")}
    return VisualContext(image=named[0], status="unreadable", reason=reason, extractor=extractor)
