"""What a benchmark leaves behind: tables on the screen and one JSON file that docs/performance.md is made from."""

from __future__ import annotations

import argparse
import datetime
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mner.files import write_json
from mner.machine import machine
from mner.training.records import versions

RESULTS = Path(__file__).resolve().parent / "results"

Cell = str | float | int | None


@dataclass(slots=True)
class Table:
    """One table: what it shows, its columns and rows, and what a reader must know to judge it."""

    title: str
    columns: Sequence[str]
    rows: list[list[Cell]] = field(default_factory=list)
    note: str = ""


def arguments(parser: argparse.ArgumentParser, argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The parsed command line, with the options that all benchmarks share."""
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON file")
    parser.add_argument("--threads", type=int, default=0, help="threads of each side; 0: all cores")
    parser.add_argument("--repetitions", type=int, default=5, help="repetitions of each side, taking turns")
    return parser.parse_args(argv)


def write(
    name: str,
    about: str,
    tables: Sequence[Table],
    *,
    settings: argparse.Namespace,
    seconds: Mapping[str, Any],
    ratios: Mapping[str, float],
    peers: Mapping[str, Any] | None = None,
) -> Path:
    """Print the tables and write ``<name>.json``; its path.

    Args:
        name: Of the benchmark.
        about: What it measures, for the reader of docs/performance.md.
        tables: For the reader.
        settings: The command line: sizes and repetitions.
        seconds: Seconds of every repetition by side, or by whatever was measured.
        ratios: By what was compared; above 1 ours is faster, unless its name says otherwise.
        peers: Versions of each peer, or why it could not be measured.
    """
    for table in tables:
        show(table)
    path = settings.out / f"{name}.json"
    write_json(
        path,
        {
            "format": 1,
            "benchmark": name,
            "about": about,
            "finished": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "machine": machine(),
            "versions": versions(),
            "peers": dict(peers or {}),
            "settings": {key: _plain(value) for key, value in vars(settings).items() if key != "out"},
            "seconds": dict(seconds),
            "ratios": {key: round(value, 4) for key, value in ratios.items()},
            "tables": [asdict(table) for table in tables],
        },
    )
    print(path, file=sys.stderr)
    return path


def show(table: Table) -> None:
    """Print a table."""
    from rich.console import Console
    from rich.table import Table as Drawn

    drawn = Drawn(*table.columns, title=table.title, title_justify="left", caption=table.note or None)
    drawn.caption_justify = "left"
    for row in table.rows:
        drawn.add_row(
            *("" if cell is None else f"{cell:,.4g}" if isinstance(cell, float) else str(cell) for cell in row)
        )
    Console().print(drawn)


def timed(work: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def in_turn(
    works: Mapping[str, Callable[[], object]], *, repetitions: int, least: float = 0.0
) -> dict[str, list[float]]:
    """Seconds of each repetition of works that take turns, after one unmeasured call of each.

    Where ``repetitions`` rounds take less than ``least`` seconds in all, more follow, up to ten times as many.
    """
    for work in works.values():
        work()
    seconds: dict[str, list[float]] = {name: [] for name in works}
    begun, rounds = time.perf_counter(), 0
    while rounds < repetitions or (time.perf_counter() - begun < least and rounds < 10 * repetitions):
        for name, work in works.items():
            seconds[name].append(timed(work))
        rounds += 1
    return seconds


def median(seconds: Sequence[float]) -> float:
    """The median, which one disturbed repetition does not move."""
    return statistics.median(seconds)


def _plain(value: Any) -> Any:
    """Paths by their last part: a record names no place of one machine."""
    return value.name if isinstance(value, Path) else value
