"""Many items through a function into numbered shards; an interrupted run continues.

A folder holds ``part-0000000.jsonl``, ``part-0000001.jsonl``, ... and ``manifest.json``, which identifies the input and
the options. A shard appears when it is whole. Run again, the shards that are there are skipped, and so are their items.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice
from pathlib import Path
from typing import TypeVar

from mner.errors import DataError
from mner.files import write_json, writing
from mner.folders import LOCK

T = TypeVar("T")
R = TypeVar("R")

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Progress:
    """Shards and items finished so far, and whether the last shard was there before the run."""

    shards: int
    items: int
    skipped: bool


@dataclass(slots=True)
class _Planned:
    number: int
    skipped: bool
    size: int = 0  # items taken so far
    whole: bool = False  # whether those are all


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines, given without line ends, into a file that appears when it is whole.

    Raises:
        DataError: The file cannot be written, for instance because the disk is full.
    """
    with writing(path) as stream:
        stream.writelines(line + "\n" for line in lines)


def part(out: Path, number: int, suffix: str = ".jsonl") -> Path:
    """The file of a shard.

    >>> part(Path("out"), 12).as_posix()
    'out/part-0000012.jsonl'
    """
    return out / f"part-{number:07d}{suffix}"


def parts(out: Path, suffix: str = ".jsonl") -> list[Path]:
    """The files in a folder that have the names of shards; "part-1.jsonl" is somebody else's."""
    name = re.compile(rf"part-[0-9]{{7,}}{re.escape(suffix)}")
    return [path for path in out.iterdir() if name.fullmatch(path.name)]


def in_this_process(function: Callable[[list[T]], Iterable[R]]) -> Callable[[Iterable[list[T]]], Iterator[list[R]]]:
    """A stream for ``run`` from a function that gives one result for each item of a list, in their order."""

    def stream(lists: Iterable[list[T]]) -> Iterator[list[R]]:
        for items in lists:
            results = list(function(items))
            if len(results) != len(items):
                raise DataError(f"{len(items)} items gave {len(results)} results; the function must give one for each")
            yield results

    return stream


def _keep(number: int, items: Iterator[T]) -> list[T]:
    deque(items, 0)
    return []


def run(
    stream: Callable[[Iterable[list[T]]], Iterator[list[R]]],
    items: Iterable[T],
    out: Path,
    *,
    fingerprint: str,
    write: Callable[[Path, list[R]], object],
    suffix: str = ".jsonl",
    shard_size: int = 1000,
    batch_size: int = 0,
    seal: Callable[[int, list[R]], object] = lambda number, results: None,
    again: Callable[[int, Iterator[T]], list[T]] = _keep,
    force: bool = False,
) -> Iterator[Progress]:
    """Write what ``stream`` makes of ``items`` into shards of ``out``; yields after each shard.

    Args:
        stream: Takes lists of items and gives, in their order, one list of as many results for each. It may take
            several lists before it answers the first.
        items: Read as needed; only the items of lists that ``stream`` has not answered are in memory.
        out: Folder of the shards.
        fingerprint: Identifies items and options; a folder with another one is refused.
        write: Makes a shard's file, whole or not at all.
        suffix: Of the shards' files.
        shard_size: Items of a shard.
        batch_size: Items of a list; 0: those of a shard. No list crosses a shard's border, so the same input makes
            the same lists however often it was interrupted.
        seal: Called with number and results of a shard just before its file gets its name.
        again: Called with number and items of a shard that was there before; takes them all. Returns what the shard
            must be made again of, one for each item, or nothing where it stays.
        force: Write beside files that are not mner's.

    Raises:
        DataError: ``out`` holds something else, or shards of a longer input.
        ValueError: ``shard_size`` is below 1.
    """
    if shard_size < 1:
        raise ValueError(f"shard_size: expected at least 1, got {shard_size}")
    _claim(out, {"format": 1, "fingerprint": fingerprint, "shard_size": shard_size}, suffix, force=force)
    plan: deque[_Planned] = deque()

    def lists() -> Iterator[list[T]]:
        source = iter(items)
        for number in count():
            planned = _Planned(number, part(out, number, suffix).exists())
            plan.append(planned)
            step = batch_size or shard_size
            if planned.skipped:
                renewed = again(number, _counted(islice(source, shard_size), planned))
                planned.skipped, planned.whole = not renewed, True
                yield from (renewed[start : start + step] for start in range(0, len(renewed), step))
            else:
                yield from _batches(source, planned, shard_size, step)
            if planned.size < shard_size:
                return

    shards = done = 0
    gathered: list[R] = []
    end: list[list[R]] = [[]]
    for results in chain(stream(lists()), end):  # once more at the end, when all shards are known to be whole
        gathered += results
        while plan and plan[0].whole and (plan[0].skipped or len(gathered) == plan[0].size):
            planned = plan.popleft()
            if not planned.size:  # the input ended with the shard before
                break
            if not planned.skipped:
                seal(planned.number, gathered)
                write(part(out, planned.number, suffix), gathered)
                gathered = []
            shards, done = shards + 1, done + planned.size
            yield Progress(shards, done, planned.skipped)
    _finish(out, shards, done, suffix)


def _counted(items: Iterable[T], planned: _Planned) -> Iterator[T]:
    for item in items:
        planned.size += 1
        yield item


def _batches(source: Iterator[T], planned: _Planned, shard_size: int, step: int) -> Iterator[list[T]]:
    """The items of a shard, ``step`` at a time, each taken only when needed: some kinds of item are large."""
    while not planned.whole:
        wanted = min(step, shard_size - planned.size)
        batch = list(islice(source, wanted))
        planned.size += len(batch)
        planned.whole = len(batch) < wanted or planned.size == shard_size
        if batch:
            yield batch


def make_folder(out: Path) -> None:
    """Make the folder of the shards if it is not there; a DataError where it cannot be made."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: cannot be a folder of shards ({error}); choose another folder") from error


def _finish(out: Path, shards: int, items: int, suffix: str) -> None:
    present = len(parts(out, suffix))
    if present > shards:
        raise DataError(
            f"{out}: holds {present} shards, the input now makes {shards}; give the input it was begun with, "
            f"name another folder, or remove this one and begin again: rm -r {out}"
        )
    write_json(out / MANIFEST, {**_manifest(out), "shards": shards, "items": items})


def _claim(out: Path, wanted: dict[str, object], suffix: str, *, force: bool) -> None:
    make_folder(out)
    if not (out / MANIFEST).exists():
        begun = {LOCK, f".{MANIFEST}.mner.part"}  # of this run, or of one that was killed as it began
        if not force and any(path.name not in begun for path in out.iterdir()):
            raise DataError(
                f"{out}: holds files that are not shards of mner; name another folder, or pass --force to write "
                "beside them"
            )
        if parts(out, suffix):
            raise DataError(f"{out}: holds files named like shards, and no {MANIFEST}; name another folder")
        write_json(out / MANIFEST, wanted)
        return
    manifest = _manifest(out)
    changed = [key for key, value in wanted.items() if manifest.get(key) != value]
    if changed:
        raise DataError(
            f"{out}: was begun with other input, model or options ({', '.join(changed)} differ); "
            "give the same ones to continue, or choose another folder"
        )


def _manifest(out: Path) -> dict[str, object]:
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{out}/{MANIFEST}: damaged ({error}); choose another folder") from None
    if not isinstance(manifest, dict):
        raise DataError(f"{out}/{MANIFEST}: damaged (expected an object); choose another folder")
    return manifest
