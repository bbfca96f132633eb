"""Many items through a function into numbered shards of lines, on this machine; an interrupted run continues.

A folder holds ``part-00000.jsonl``, ``part-00001.jsonl``, ... and ``manifest.json``, which says what was asked.
A shard appears when it is whole. Run again, the shards that are there are skipped, and so are their items.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

from mner.atomic import write_json, writing
from mner.errors import DataError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: shards and items finished in all, and whether this shard stood there before."""

    shards: int
    items: int
    kept: bool


def run(
    function: Callable[[Iterable[T]], Iterable[str]],
    items: Iterable[T],
    out: Path,
    *,
    fingerprint: str,
    shard_size: int = 1000,
) -> Iterator[Progress]:
    """Write the lines that ``function`` makes of ``items`` into shards of ``out``; yields after each shard.

    Args:
        function: Takes the items of a shard and gives exactly one line for each, in order, without line ends.
        items: Read as needed, never held in full.
        out: Folder of the shards.
        fingerprint: Identifies items and options; a folder made of others is refused.
        shard_size: Items of a shard.

    Raises:
        DataError: ``out`` holds something else, or the function gave more or fewer lines than items.
        ValueError: ``shard_size`` is below 1.
    """
    if shard_size < 1:
        raise ValueError(f"shard_size: expected at least 1, got {shard_size}")
    _claim(out, {"format": 1, "fingerprint": fingerprint, "shard_size": shard_size})
    source = iter(items)
    shards = done = 0
    while True:
        path = out / f"part-{shards:05d}.jsonl"
        kept = path.exists()
        if kept:
            count = sum(1 for _ in islice(source, shard_size))
        else:
            batch = list(islice(source, shard_size))
            count = len(batch)
            if batch:
                _write(path, function(batch), count)
        if not count:
            break
        shards += 1
        done += count
        yield Progress(shards, done, kept)
        if count < shard_size:
            break
    write_json(out / "manifest.json", {**_told(out), "shards": shards, "items": done})


def _claim(out: Path, wanted: dict[str, object]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot be a folder of shards ({error}); choose another folder") from error
    if not (out / "manifest.json").exists():
        if any(path.name != "manifest.json.part" for path in out.iterdir()):  # of a run killed as it began
            raise DataError(f"{out}: holds files that are no shards of mner; choose an empty folder")
        write_json(out / "manifest.json", wanted)
        return
    told = _told(out)
    changed = [key for key, value in wanted.items() if told.get(key) != value]
    if changed:
        raise DataError(
            f"{out}: was begun with other input, model or options ({', '.join(changed)} differ); "
            "give the same ones to continue, or choose another folder"
        )


def _told(out: Path) -> dict[str, object]:
    try:
        told = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{out}/manifest.json: damaged ({error}); choose another folder") from None
    if not isinstance(told, dict):
        raise DataError(f"{out}/manifest.json: damaged (expected an object); choose another folder")
    return told


def _write(path: Path, lines: Iterable[str], expected: int) -> None:
    with writing(path) as stream:
        count = 0
        for line in lines:
            stream.write(line + "\n")
            count += 1
        if count != expected:
            raise DataError(f"{path}: {expected} items gave {count} lines; the function must give one for each")
