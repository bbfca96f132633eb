"""Pictures -> the artefact of their visual contexts, as one file or as shards that an interrupted run continues."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import chain, islice, repeat
from pathlib import Path

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
from mner.vision.extract import Extractor, Item
from mner.vision.images import Named, Source

BATCH = 4
"""Pictures that a worker is handed at once, or more where its backends look at more in one call."""

_Contexts = list[VisualContext]
_Stream = Callable[[Iterable[list[Item]]], Iterator[_Contexts]]


@dataclass(frozen=True, slots=True)
class Reading:
    """How workers on any machine begin to read pictures; it pickles.

    Attributes:
        config: Which backends read.
        store: The store's file on the worker's machine; None takes the user's own there.
    """

    config: VisionConfig
    store: Path | None = None

    def __call__(self) -> Callable[[Iterable[Item]], Iterator[VisualContext]]:
        """Open backends and store; returns the function from pictures to their contexts."""
        extractor = Extractor(self.config, threads=1)
        # Now, not with the first picture: if there is no room for the backends, no picture is taken for the cause.
        extractor.load()
        return partial(extractor.stream, store=Store(self.store, needed=self.store is not None))


def lost(named: Item, reason: str) -> VisualContext:
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
    hire: Hire[Item, VisualContext] | None = None,
    batch_size: int | None = None,
    shard_size: int = 0,
    force: bool = False,
    watch: Callable[[VisualContext], None] = lambda context: None,
    spent: Callable[[Mapping[str, float]], None] = lambda usage: None,
) -> Mapping[str, int]:
    """Read pictures into an artefact; returns the number of contexts by status.

    A file appears when it is whole. An interrupted build has what it read in the store, so the same call continues
    where it stopped. In shards that were there before, pictures that failed and pictures whose files have changed since
    are read again, so all files are hashed. A picture that ends the process of its worker is tried again, then marked
    unreadable.

    Args:
        items: Name and place of each picture, as ``mner.data.listing.pictures`` gives them.
        out: The artefact's file, or the folder of its shards; Parquet if the name ends in ``.parquet``, else JSON
            lines.
        config: Which backends read.
        store: The store's file; None takes the user's own.
        workers: Processes that read at the same time, started with the first picture that the store does not have; 1
            reads in this process.
        hire: Makes the workers instead, such as ``functools.partial(mner.engines.ray.Actors, workers=8)``.
        batch_size: Pictures that a worker is handed at once; None takes ``BATCH``, or twice as many as the backends
            look at in one call, so that the next ones are decoded meanwhile.
        shard_size: Contexts of one shard; 0 writes one file.
        force: Write shards beside files that are not mner's.
        watch: Called with each context.
        spent: Called at the end with what this process, not its workers, asked of endpoints; not without one.

    Raises:
        DataError: ``out`` cannot be written, or holds damaged shards, or shards of other pictures, backends or
            published files.
        MissingExtraError: Parquet without the package pyarrow.
        WorkerError: Workers cannot start.
    """
    statuses: Counter[str] = Counter()

    def counted(contexts: Iterable[VisualContext]) -> Iterator[VisualContext]:
        for context in contexts:
            statuses[context.status] += 1
            watch(context)
            yield context

    if hire is None and workers > 1:
        hire = partial(Processes, workers=workers)
    if out.suffix.lower() == PARQUET:
        packages()  # fails before anything is read
    if not shard_size and out.is_dir():
        raise DataError(f"{out}: is a folder; name a file, or give a shard size to write shards into the folder")
    extractor = Extractor(config, threads=0 if hire is None else 1)
    batch_size = batch_size or max(BATCH, 2 * extractor.batch)
    with Store(store, needed=store is not None) as opened, ExitStack() as stack:
        stream: _Stream
        if hire is None:
            stream = partial(_here, partial(extractor.stream, store=opened))
        else:
            pool = partial(hire, Reading(config, store))
            stream = partial(_by_workers, partial(extractor.known, store=opened), lambda: stack.enter_context(pool()))
        if shard_size:
            stack.enter_context(held(out))
            run = partial(
                shards.run, stream, batch_size=batch_size, force=force, fingerprint=extractor.shard_fingerprint
            )
            for _ in counted(chain.from_iterable(_shards(run, items, out, shard_size, extractor.current))):
                pass
        else:
            write_contexts(counted(chain.from_iterable(stream(_lists(items, batch_size)))), out)
    if extractor.usage:
        spent(extractor.usage)
    return dict(statuses)


def _here(
    read: Callable[[Iterable[Item]], Iterator[VisualContext]], lists: Iterable[list[Item]]
) -> Iterator[_Contexts]:
    """The lists' contexts, read as one stream: it looks ahead over their borders."""
    sizes: deque[int] = deque()

    def items() -> Iterator[Item]:
        for batch in lists:
            sizes.append(len(batch))
            yield from batch

    contexts = read(items())
    for first in contexts:
        yield [first, *islice(contexts, sizes.popleft() - 1)]


def _by_workers(
    known: Callable[[list[Item]], _Contexts | None],
    hired: Callable[[], WorkerPool[Item, VisualContext]],
    lists: Iterable[list[Item]],
) -> Iterator[_Contexts]:
    """The lists' contexts, by workers from the first list on that the store does not have whole."""
    left = iter(lists)
    for items in left:
        contexts = known(items)
        if contexts is None:
            yield from ordered(hired(), chain([items], left), lost=lost)
        else:
            yield contexts


def _shards(
    run: Callable[..., Iterator[shards.Progress]],
    items: Iterable[Named],
    out: Path,
    shard_size: int,
    current: Callable[[VisualContext, Source], bool],
) -> Iterator[_Contexts]:
    """The contexts of each shard, written now or before; one from before must be of pictures of the same names.

    ``current`` says whether the context of a picture stays; the others of its shard are read again.
    """
    suffix = PARQUET if out.suffix.lower() == PARQUET else ".jsonl"
    names: defaultdict[int, list[str]] = defaultdict(list)
    written: dict[int, _Contexts] = {}

    def named() -> Iterator[Named]:
        for number, item in enumerate(items):
            names[number // shard_size].append(item[0])
            yield item

    def again(number: int, shard: Iterator[Named]) -> list[Item]:
        """The shard's pictures, or in their places the contexts that stay; nothing where all of them do."""
        before = _before(shards.part(out, number, suffix))
        renewed: list[Item] = []
        same = True
        for (image, source), context in zip(shard, chain(before, repeat(None)), strict=False):
            if context is None or context.image != image:
                same = False  # the shard is refused when its turn comes
            elif same:
                renewed.append((image, context if current(context, source) else source))
        stays = all(isinstance(source, VisualContext) for _, source in renewed)
        return renewed if same and len(renewed) == len(before) and not stays else []

    def write(path: Path, contexts: _Contexts) -> None:
        if not path.exists() or _before(path) != contexts:
            write_contexts(contexts, path)

    options = {"suffix": suffix, "shard_size": shard_size, "seal": written.__setitem__, "again": again}
    steps = run(named(), out, write=write, **options)
    for number, progress in enumerate(steps):
        path = shards.part(out, number, suffix)
        remedy = f"To make a damaged shard again from the store, remove it and run the same command again: rm {path}"
        try:
            contexts = list(iter_contexts(path)) if progress.skipped else written.pop(number)
        except DataError as error:
            raise DataError(f"{error}. {remedy}") from error
        expected = names.pop(number)
        if len(contexts) < len(expected):
            raise DataError(f"{path}: cut short: holds {len(contexts)} records of {len(expected)}. {remedy}")
        if [context.image for context in contexts] != expected:
            raise DataError(
                f"{path}: made of other pictures than the input now has; give the input it was begun with, "
                f"or name another folder. {remedy}"
            )
        yield contexts


def _before(shard: Path) -> _Contexts:
    """The contexts of a shard that was there before; none where it is damaged."""
    try:
        return list(iter_contexts(shard))
    except DataError:
        return []


def _lists(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
