"""Pictures -> the artefact of their visual contexts, as one file or as shards that an interrupted run continues."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import chain, islice
from pathlib import Path
from typing import Any

from mner.bounded import packages
from mner.config import VisionConfig
from mner.contexts.artefact import PARQUET, iter_contexts, write_contexts
from mner.contexts.store import Store
from mner.engines import shards
from mner.engines.processes import Processes
from mner.engines.worker_pool import Hire, WorkerPool, ordered
from mner.errors import DataError
from mner.folders import held
from mner.types import VisualContext
from mner.vision.extract import Extractor
from mner.vision.images import Named

BATCH = 4
"""Pictures that a worker is handed at once, or more where its backends look at more in one call."""

_Rows = list[VisualContext]
_Streaming = Callable[[Iterable[list[Named]]], Iterator[_Rows]]


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
        return partial(extractor.stream, store=Store(self.store, needed=self.store is not None))


def lost(named: Named, reason: str) -> VisualContext:
    """The context of a picture that ends the processes of those who read it."""
    extractor = {"name": "mner", "version": version("mner")}
    return VisualContext(image=named[0], status="unreadable", reason=reason, extractor=extractor)


def build(
    items: Iterable[Named],
    out: Path,
    *,
    config: VisionConfig,
    store: Path | None = None,
    workers: int = 1,
    hire: Hire[Named, VisualContext] | None = None,
    batch_size: int | None = None,
    shard_size: int = 0,
    force: bool = False,
    watch: Callable[[VisualContext], None] = lambda context: None,
) -> Mapping[str, int]:
    """Read pictures into an artefact; the number of rows by status.

    A file appears when it is whole. An interrupted build keeps what it has read in the store, so the same call
    goes on where it stopped. A picture that ends the process of its worker is tried again, then marked unreadable.

    Args:
        items: Name and place of each picture, as ``mner.data.listing.pictures`` gives them.
        out: The artefact's file, or the folder of its shards. A name that ends in ``.parquet`` makes either Parquet,
            any other JSON lines.
        config: Which backends read.
        store: The store's file; None takes the user's own.
        workers: Processes that read at the same time; one reads in this process. They start with the first picture
            that the store does not have.
        hire: Makes the workers instead, such as ``functools.partial(mner.engines.ray.Actors, workers=8)``.
        batch_size: Pictures that a worker is handed at once; None takes ``BATCH``, or more where the backends look at
            several in one call: twice as many, so that the next ones are decoded meanwhile.
        shard_size: Rows of one shard; 0 writes one file.
        force: Write shards beside files that are not mner's.
        watch: Called with each row.

    Raises:
        DataError: ``out`` cannot be written, or holds damaged shards, or shards of other pictures or backends.
        MissingExtraError: Parquet without the package pyarrow.
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
    if out.suffix == PARQUET:
        packages()  # that they are missing is told before anything is read
    if not shard_size and out.is_dir():
        raise DataError(f"{out}: is a folder; name a file, or give a shard size to write shards into the folder")
    extractor = Extractor(config, threads=0 if hire is None else 1)
    batch_size = batch_size or max(BATCH, 2 * extractor.batch)
    with _streaming(extractor, Reading(config, store), hire) as stream:
        if shard_size:
            with held(out):
                shards_of = _shards(stream, items, out, extractor.fingerprint, batch_size, shard_size, force)
                for _ in seen(row for rows in shards_of for row in rows):
                    pass
        else:
            write_contexts(seen(row for rows in stream(_lists(items, batch_size)) for row in rows), out)
    return dict(statuses)


@contextmanager
def _streaming(extractor: Extractor, reading: Reading, hire: Hire[Named, VisualContext] | None) -> Iterator[_Streaming]:
    """From lists of pictures to lists of contexts, here or by workers."""
    with Store(reading.store, needed=reading.store is not None) as store, ExitStack() as stack:
        if hire is None:
            yield partial(_here, partial(extractor.stream, store=store))
        else:
            known = partial(extractor.known, store=store)
            yield partial(_by_workers, known, lambda: stack.enter_context(hire(reading)))


def _here(read: Callable[[Iterable[Named]], Iterator[VisualContext]], lists: Iterable[list[Named]]) -> Iterator[_Rows]:
    """The lists' contexts, read as one stream: it looks ahead over their borders."""
    sizes: deque[int] = deque()

    def items() -> Iterator[Named]:
        for one in lists:
            sizes.append(len(one))
            yield from one

    contexts = read(items())
    for first in contexts:
        yield [first, *islice(contexts, sizes.popleft() - 1)]


def _by_workers(
    known: Callable[[list[Named]], _Rows | None],
    hired: Callable[[], WorkerPool[Named, VisualContext]],
    lists: Iterable[list[Named]],
) -> Iterator[_Rows]:
    """The lists' contexts, by workers from the first list on that the store does not have whole."""
    left = iter(lists)
    for items in left:
        rows = known(items)
        if rows is None:
            yield from ordered(hired(), chain([items], left), lost=lost)
        else:
            yield rows


def _shards(
    stream: _Streaming,
    items: Iterable[Named],
    out: Path,
    fingerprint: str,
    batch_size: int,
    shard_size: int,
    force: bool,
) -> Iterator[_Rows]:
    """The rows of each shard, written or found; one that was found must be of the same pictures."""
    suffix = PARQUET if out.suffix == PARQUET else ".jsonl"
    digests: defaultdict[int, Any] = defaultdict(hashlib.sha256)
    sizes: Counter[int] = Counter()
    written: dict[int, _Rows] = {}

    def named() -> Iterator[Named]:
        for number, item in enumerate(items):
            sizes[number // shard_size] += 1
            digests[number // shard_size].update(f"{item[0]}\0".encode("utf-8", "surrogatepass"))
            yield item

    for progress in shards.run(
        stream,
        named(),
        out,
        fingerprint=fingerprint,
        write=lambda path, rows: write_contexts(rows, path),
        suffix=suffix,
        shard_size=shard_size,
        batch_size=batch_size,
        seal=written.__setitem__,
        force=force,
    ):
        number = progress.shards - 1
        path = shards.part(out, number, suffix)
        rows = _kept(path) if progress.kept else written.pop(number)
        size = sizes.pop(number)
        if len(rows) < size:
            raise DataError(f"{path}: cut short: holds {len(rows)} rows of {size}. {_anew(path)}")
        found = hashlib.sha256(b"".join(f"{row.image}\0".encode("utf-8", "surrogatepass") for row in rows))
        if found.digest() != digests.pop(number).digest():
            raise DataError(
                f"{path}: made of other pictures than the input now has; give the input it was begun with, "
                f"or name another folder. {_anew(path)}"
            )
        yield rows


def _kept(path: Path) -> _Rows:
    """The rows of a shard that is there."""
    try:
        return list(iter_contexts(path))
    except DataError as error:
        raise DataError(f"{error}. {_anew(path)}") from error


def _anew(path: Path) -> str:
    return f"To make a damaged shard again from the store, remove it and run the same command again: rm {path}"


def _lists(items: Iterable[Named], size: int) -> Iterator[list[Named]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
