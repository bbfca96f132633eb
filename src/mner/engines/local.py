"""Many items through a function into numbered shards of lines, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from mner.engines import shards
from mner.engines.shards import Progress
from mner.errors import DataError

T = TypeVar("T")


def run(
    function: Callable[[Iterable[T]], Iterable[str]],
    items: Iterable[T],
    out: Path,
    *,
    fingerprint: str,
    shard_size: int = 1000,
    seal: Callable[[int, list[str]], object] = lambda number, lines: None,
    force: bool = False,
) -> Iterator[Progress]:
    """Write the lines that ``function`` makes of ``items`` into shards of ``out``; yields after each shard.

    Args:
        function: Takes the items of a shard and gives exactly one line for each, in order, without line ends.
        items: Read as needed, never held in full.
        out: Folder of the shards.
        fingerprint: Identifies items and options; a folder made of others is refused.
        shard_size: Items of a shard.
        seal: Called with number and lines of a shard just before its file gets its name.
        force: Write beside files that are not mner's.

    Raises:
        DataError: ``out`` holds something else, or shards of a longer input, or the function gave more or fewer
            lines than items.
        ValueError: ``shard_size`` is below 1.
    """

    def stream(lists: Iterable[list[T]]) -> Iterator[list[str]]:
        for batch in lists:
            lines = list(function(batch))
            if len(lines) != len(batch):
                raise DataError(
                    f"{out}: {len(batch)} items gave {len(lines)} lines; the function must give one for each"
                )
            yield lines

    return shards.run(
        stream,
        items,
        out,
        fingerprint=fingerprint,
        write=shards.write_lines,
        shard_size=shard_size,
        seal=seal,
        force=force,
    )
