"""Pictures -> the artefact of their visual contexts, as one file or as shards that an interrupted run continues."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from mner.config import VisionConfig
from mner.engines import shards
from mner.engines.crew import Hire, ordered
from mner.engines.processes import Processes
from mner.errors import DataError
from mner.types import VisualContext
from mner.vision.artefact import iter_contexts, write_contexts
from mner.vision.reading import Named, Reading, lost

BATCH = 4
"""Pictures that a worker is handed at once."""

Streaming = Callable[[Iterable[list[Named]]], Iterator[list[VisualContext]]]


def build(
    items: Iterable[Named],
    out: Path,
    *,
    config: VisionConfig,
    store: Path | None = None,
    workers: int = 1,
    hire: Hire[Named, VisualContext] | None = None,
    batch_size: int = BATCH,
    shard_size: int = 0,
    suffix: str = ".jsonl",
    watch: Callable[[VisualContext], None] = lambda context: None,
) -> Mapping[str, int]:
    """Read pictures into an artefact; the number of rows by status.

    A file appears when it is whole. An interrupted build keeps what it has read in the store, so the same call
    goes on where it stopped. A picture that ends the process of its worker is tried again, then marked unreadable.

    Args:
        items: Name and place of each picture, as ``mner.data.listing.pictures`` gives them.
        out: The artefact's file, or the folder of its shards.
        config: Which backends read.
        store: The store's file; None takes the user's own.
        workers: Processes that read at the same time; one reads in this process.
        hire: Makes the workers instead, such as ``functools.partial(mner.engines.ray.Actors, workers=8)``.
        batch_size: Pictures that a worker is handed at once.
        shard_size: Rows of one shard; 0 writes one file.
        suffix: Of the shards' files.
        watch: Called with each row.

    Raises:
        DataError: ``out`` cannot be written, or holds shards of other pictures or of other backends.
        WorkerError: Workers cannot start.
    """
    statuses: Counter[str] = Counter()

    def seen(rows: Iterable[VisualContext]) -> Iterator[VisualContext]:
        for context in rows:
            statuses[context.status] += 1
            watch(context)
            yield context

    if hire is None and workers > 1:
        hire = partial(Processes, workers=workers)
    reading = Reading(config, store, threads=0 if hire is None else 1)
    if shard_size:
        with _streaming(reading, hire) as stream:
            for rows in _shards(stream, items, out, reading, batch_size, shard_size, suffix):
                for _ in seen(rows):
                    pass
    else:
        with _streaming(reading, hire) as stream:
            write_contexts(seen(row for rows in stream(_lists(items, batch_size)) for row in rows), out)
    return dict(statuses)


@contextmanager
def _streaming(reading: Reading, hire: Hire[Named, VisualContext] | None) -> Iterator[Streaming]:
    """From lists of pictures to lists of contexts, here or by workers."""
    if hire is None:
        read = reading()
        yield lambda lists: (list(read(items)) for items in lists)
    else:
        with hire(reading) as crew:
            yield lambda lists: ordered(crew, lists, lost=lost)


def _shards(
    stream: Streaming,
    items: Iterable[Named],
    out: Path,
    reading: Reading,
    batch_size: int,
    shard_size: int,
    suffix: str,
) -> Iterator[list[VisualContext]]:
    """The rows of each shard, written or found; one that was found must be of the same pictures."""
    digests: defaultdict[int, Any] = defaultdict(hashlib.sha256)
    written: dict[int, list[VisualContext]] = {}

    def named() -> Iterator[Named]:
        for number, item in enumerate(items):
            digests[number // shard_size].update(f"{item[0]}\0".encode("utf-8", "surrogatepass"))
            yield item

    for progress in shards.run(
        stream,
        named(),
        out,
        fingerprint=reading.fingerprint,
        write=lambda path, rows: write_contexts(rows, path),
        suffix=suffix,
        shard_size=shard_size,
        batch_size=batch_size,
        seal=written.__setitem__,
    ):
        number = progress.shards - 1
        path = shards.part(out, number, suffix)
        rows = list(iter_contexts(path)) if progress.kept else written.pop(number)
        found = hashlib.sha256(b"".join(f"{row.image}\0".encode("utf-8", "surrogatepass") for row in rows))
        if found.digest() != digests.pop(number).digest():
            raise DataError(
                f"{path}: made of other pictures than the input now has; give the input it was begun with, "
                "or name another folder"
            )
        yield rows


def _lists(items: Iterable[Named], size: int) -> Iterator[list[Named]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
