"""Pictures -> the artefact of their visual contexts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from mner.config import VisionConfig
from mner.types import VisualContext
from mner.vision.artefact import write_contexts
from mner.vision.extract import Extractor
from mner.vision.store import Store


def build(
    items: Iterable[tuple[str, Path]],
    out: Path,
    *,
    config: VisionConfig,
    store: Path | None = None,
    workers: int = 1,
    watch: Callable[[VisualContext], None] = lambda context: None,
) -> Mapping[str, int]:
    """Read pictures into an artefact; the number of rows by status.

    The file appears when it is whole. An interrupted build keeps what it has read in the store, so the same call
    goes on where it stopped.

    Args:
        items: Name and path of each picture, as ``mner.data.listing.pictures`` gives them.
        out: The artefact's file.
        config: Which backends read.
        store: The store's file; None takes the user's own.
        workers: Pictures read at the same time.
        watch: Called with each row.
    """
    statuses: Counter[str] = Counter()
    extractor = Extractor(config, threads=1 if workers > 1 else 0)

    def rows(kept: Store) -> Iterator[VisualContext]:
        for context in extractor.stream(items, store=kept, workers=workers):
            statuses[context.status] += 1
            watch(context)
            yield context

    with Store(store) as kept:
        write_contexts(rows(kept), out)
    return dict(statuses)
