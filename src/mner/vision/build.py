"""Pictures in a folder, or of a file of posts -> the artefact of their visual contexts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from mner import data
from mner.config import VisionConfig
from mner.data.pictures import SUFFIXES, picture_path
from mner.errors import DataError
from mner.types import VisualContext
from mner.vision.artefact import key, write_contexts
from mner.vision.extract import Extractor
from mner.vision.store import Store


def pictures(source: Path, *, images: Path | None = None) -> list[tuple[str, Path]]:
    """Name and path of each picture: those in a folder and below it, sorted, or those that posts name, once each.

    Args:
        source: A folder, one picture, or a file of posts. Links to folders are not followed.
        images: Folder of the posts' pictures; None takes the folder of the file.

    Raises:
        DataError: There is no such file or folder, or it names no picture.
    """
    if source.is_dir():
        found = [
            (path.relative_to(source).as_posix(), path)
            for folder, _, files in os.walk(source)
            for path in (Path(folder) / file for file in files)
            if path.suffix.lower() in SUFFIXES
        ]
        if not found:
            raise DataError(f"{source}: holds no picture ({', '.join(SUFFIXES)})")
        return sorted(found)
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; name a folder of pictures, a picture, or a file of posts")
    if source.suffix.lower() in SUFFIXES:
        return [(source.name, source)]
    folder = images if images is not None else source.parent
    named = dict.fromkeys(key(post.image) for post in data.read(source) if post.image is not None)
    if not named:
        raise DataError(f"{source}: none of its posts names a picture")
    return [(image, picture_path(folder, image)) for image in named]


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
        items: Name and path of each picture, as ``pictures`` gives them.
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
