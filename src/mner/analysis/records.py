"""A row by its name or its path -> the records of its runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from mner.analysis.labels import Record
from mner.errors import DataError

KEYS = ("data", "row", "seed", "dev", "splits", "parameters", "seconds", "peak_memory_mib")


def records_of(told: str, *, results: Path) -> list[Record]:
    """The records of a row's runs, seeds in order.

    Args:
        told: A run directory, a folder of runs, a record's file, or a row as "twitter15/text" in ``results``.
        results: Folder of run records, ``<data>/<row>/<seed>.json``.

    Raises:
        DataError: There is none, or one is damaged.
    """
    path = Path(told)
    if path.is_file():
        return [read(path)]
    if (path / "record.json").is_file():
        return [read(path / "record.json")]
    files = [*path.glob("*/record.json")] or [*_files(results / told)] or [*_files(path)]
    if not files:
        rows = ", ".join(rows_in(results)) or "none"
        raise DataError(f"{told}: neither a run nor a row with records in {results}; rows there: {rows}")
    return sorted(map(read, files), key=lambda record: int(record["seed"]))


def rows_in(results: Path) -> list[str]:
    """The rows that have records, as "twitter15/text", sorted."""
    return sorted({path.parent.relative_to(results).as_posix() for path in _files(results, "*/*/")})


def read(path: Path) -> Record:
    """One record.

    Raises:
        DataError: The file is no run record.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        missing = [key for key in KEYS if key not in record]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: not a run record ({error}); copy it again from its run directory") from None
    if missing:
        raise DataError(f"{path}: not a run record, it lacks {', '.join(missing)}; copy it from its run directory")
    found: Record = record
    return found


def _files(folder: Path, below: str = "") -> Iterator[Path]:
    """Files ``<seed>.json``; what else lies there, such as a search's record, is no run."""
    return (path for path in folder.glob(f"{below}*.json") if path.stem.isdecimal())
