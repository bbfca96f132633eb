"""Pictures -> a folder of their features: numbered shards and an index; an interrupted build continues."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from mner.config import validated
from mner.contexts.artefact import write_contexts
from mner.engines import shards
from mner.errors import DataError, ImageError, MnerError, PluginError
from mner.folders import held
from mner.types import VisualContext
from mner.vision.backends import find_plugin, fingerprint
from mner.vision.extract import fitted
from mner.vision.features._shard import INDEX, SPAN, SUFFIX, Arrays, Shard, again, write_shard, written
from mner.vision.images import Named, Picture, Unopened, decode, fetch, status_of
from mner.vision.prefetch import prefetch

BATCH = 8
"""Pictures of one call, where an extractor has no option ``batch``."""

SHARD = 256
"""Pictures of one shard: at 49 x 2048 numbers each, 50 MB."""

_Fetched = tuple[VisualContext, Unopened | None]


class FeatureExtractor(Protocol):
    """What an extractor's class offers; it is made as ``FeatureExtractor(options, threads=n)``."""

    def __call__(self, pictures: Sequence[Picture | None], *, images: Sequence[str]) -> Sequence[Arrays | None]:
        """The arrays of each picture; None where the extractor has nothing of it.

        Args:
            pictures: Upright RGB, not over ``extract.LONGEST_SIDE`` pixels, with the width and height of their files.
                None stands for a picture that cannot be used, which only a file with ``named`` in its ``ABOUT`` gets.
            images: Their names.
        """
        ...


def build(
    items: Iterable[Named],
    out: Path,
    *,
    extractor: str = "resnet",
    options: Mapping[str, Any] = MappingProxyType({}),
    shard_size: int = SHARD,
    threads: int = 0,
    force: bool = False,
    watch: Callable[[VisualContext], None] = lambda context: None,
) -> Mapping[str, int]:
    """Write the features of pictures into a folder; returns the number of pictures by status.

    A picture that cannot be used, or that the extractor has no features of, is listed in the index with the reason. A
    killed build continues where it stopped when it is called again: whole shards stay.

    Args:
        items: Name and place of each picture, as ``mner.data.listing.pictures`` gives them.
        out: The folder.
        extractor: File of ``mner.vision.features``, or a dotted name.
        options: The extractor's options.
        shard_size: Pictures of one shard: what a kill loses at most, and what is held in memory.
        threads: Most CPU threads of the extractor; 0 leaves that to it.
        force: Write beside files that are not mner's.
        watch: Called with the context of each picture.

    Raises:
        ConfigError: An option cannot be used.
        DataError: The folder cannot be written or is of other pictures, options or another extractor; a shard is
            damaged; or the extractor gives arrays that cannot be used, which names the picture.
        ModelError: The extractor's model is not here.
        PluginError: There is no such extractor, or it fails, which names the pictures.
    """
    plugin = find_plugin("features", extractor)
    chosen = validated(plugin.options, options, where=f"extractor {extractor}")
    identity = {"extractor": extractor, "fingerprint": fingerprint([(plugin, chosen)])}
    extract: FeatureExtractor = plugin.make(chosen, threads=threads)
    keys: defaultdict[int, list[tuple[str, str | None]]] = defaultdict(list)
    widths: dict[str, int] = {}

    def fetched() -> Iterator[_Fetched]:
        for number, (image, source) in enumerate(items):
            row, file = _fetched(image, source)
            keys[number // shard_size].append((image, row.sha256))
            yield row, file

    def stream(lists: Iterable[list[_Fetched]]) -> Iterator[list[tuple[VisualContext, Arrays]]]:
        for opened in prefetch(lambda batch: [_opened(*fetched) for fetched in batch], lists, most=2):
            yield _extracted(extract, opened, by_name=plugin.about.named, widths=widths)

    def write(path: Path, rows: list[tuple[VisualContext, Arrays]]) -> None:
        (out / INDEX).unlink(missing_ok=True)  # it says what the shards hold, which now changes
        write_shard(path, rows, **identity)

    def rows() -> Iterator[VisualContext]:
        progress = shards.run(
            stream,
            fetched(),
            out,
            fingerprint=identity["fingerprint"],
            write=write,
            suffix=SUFFIX,
            shard_size=shard_size,
            batch_size=getattr(chosen, "batch", BATCH),
            force=force,
        )
        for number, _ in enumerate(progress):
            path = shards.part(out, number, SUFFIX)
            shard = Shard(path, fingerprint=identity["fingerprint"], widths=widths)
            widths.update(shard.widths)
            if [(row.image, row.sha256) for row in shard.rows] != keys.pop(number):
                raise DataError(f"{path}: made of other pictures than the input now has. {again(path)}")
            for row in shard.rows:
                span = row.extra.get(SPAN)
                listed = {} if span is None else {SPAN: {"shard": number, "regions": span[1] - span[0]}}
                statuses[row.status] += 1
                watch(row)
                yield replace(row, extra=listed)

    statuses: Counter[str] = Counter()
    with held(out):
        listed = rows()
        first = next(listed, None)  # the folder is claimed before anything is written into it
        write_contexts(listed if first is None else chain([first], listed), out / INDEX)
    return dict(statuses)


def _fetched(image: str, source: Any) -> _Fetched:
    """The context of a picture without features, and its file where it can be read."""
    try:
        file = fetch(source)
    except ImageError as error:
        return VisualContext(image, status=status_of(error), reason=error.reason), None
    return VisualContext(image, sha256=file.sha256), file


def _opened(row: VisualContext, file: Unopened | None) -> tuple[VisualContext, Picture | None]:
    """The same, with the pixels where they can be decoded."""
    try:
        picture = None if file is None else decode(file)
    except ImageError as error:
        return replace(row, status=status_of(error), reason=error.reason), None
    return row, None if picture is None else replace(picture, pixels=fitted(picture.pixels))


def _extracted(
    extract: FeatureExtractor,
    opened: Sequence[tuple[VisualContext, Picture | None]],
    *,
    by_name: bool,
    widths: dict[str, int],
) -> list[tuple[VisualContext, Arrays]]:
    """The contexts of pictures with their arrays; ``widths`` gets those of the first picture."""
    usable = [place for place, (_, picture) in enumerate(opened) if by_name or picture is not None]
    given = [opened[place] for place in usable]
    try:
        answers = extract([picture for _, picture in given], images=[row.image for row, _ in given]) if given else ()
        arrays_at = dict(zip(usable, answers, strict=True))
    except MnerError:
        raise
    except Exception as error:  # an extractor may be anybody's code
        names = ", ".join(row.image for row, _ in given)
        raise PluginError(
            f"the extractor failed on {names}: {type(error).__name__}: {error}; if memory ran out, try --set batch=1"
        ) from error
    rows: list[tuple[VisualContext, Arrays]] = []
    for place, (row, picture) in enumerate(opened):
        arrays = arrays_at.get(place)
        if arrays is not None:
            rows.append((replace(row, status="ok", reason=None), _halved(row.image, arrays, widths)))
        elif picture is not None:
            rows.append((replace(row, status="skipped", reason="the extractor has no features of it"), {}))
        else:
            rows.append((row, {}))
    return rows


def _halved(image: str, arrays: Arrays, widths: dict[str, int]) -> Arrays:
    """The arrays in half precision, checked."""
    shapes = {name: array.shape for name, array in arrays.items()}
    if len({shape[:1] for shape in shapes.values()}) != 1 or any(len(s) != 2 or not all(s) for s in shapes.values()):
        raise DataError(f"{image}: expected arrays (region, width) of equally many regions, found {shapes}")
    own = {name: shape[1] for name, shape in shapes.items()}
    if own != widths:
        if widths:
            raise DataError(
                f"{image}: has {written(own)}, the pictures before it {written(widths)}; all features of a folder have "
                "the same width: take those of one model, or leave the picture out"
            )
        widths.update(own)
    with np.errstate(over="ignore"):
        halves = {name: np.asarray(array).astype(np.float16) for name, array in arrays.items()}
    for name, half in halves.items():
        if not np.isfinite(half).all():
            raise DataError(
                f"{image}: {name} holds NaN, infinity or a number beyond 65504; mend these features, or leave the "
                "picture out"
            )
    return halves
