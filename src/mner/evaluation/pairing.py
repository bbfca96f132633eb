"""Which runs of two rows may be compared, on which views and seeds, under which signature."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Literal

from mner.errors import DataError
from mner.evaluation.records import Record, Row
from mner.evaluation.signature import parts
from mner.types import ViewName

Split = Literal["dev", "test"]


def opposite(view: ViewName, b: Row) -> ViewName:
    """The view of ``b`` that a view of another row is fairly compared with."""
    return view if view in b.trained else b.trained[0]


def paired(a: Row, b: Row) -> tuple[Row, Row, tuple[str, ...]]:
    """Both rows on the seeds that they share, and what was left out; rows that share none stay as they are."""
    notes = [f"{path}: not finished, left out" for row in (a, b) for path in row.unfinished]
    shared = set(a.seeds) & set(b.seeds)
    if not shared:
        return a, b, (*notes, "the rows share no seed: all seeds of both count")
    for row, other in ((a, b), (b, a)):
        if alone := [seed for seed in row.seeds if seed not in shared]:
            told = f"seed{'s' * (len(alone) > 1)} {', '.join(map(str, alone))}"
            notes.append(f"{told} of {row.name} left out: {other.name} has none such")
    return only(a, shared), only(b, shared), tuple(notes)


def only(row: Row, seeds: Collection[int]) -> Row:
    """The row with these seeds alone."""
    kept = [number for number, seed in enumerate(row.seeds) if seed in seeds]
    records = tuple(row.records[number] for number in kept)
    return replace(row, records=records, paths=tuple(row.paths[number] for number in kept))


def check_same(a: Row, b: Row, split: Split) -> None:
    """Refuse runs whose scores may not be subtracted.

    Raises:
        DataError: A run has no scores of the split, or two runs differ in data, scheme, match or decoding.
    """
    first: tuple[Path, dict[str, str]] | None = None
    for path, record in zip((*a.paths, *b.paths), (*a.records, *b.records), strict=True):
        if split not in record:
            raise DataError(f"{path}: no {split} scores; mner evaluate --final RUN scores test, or compare --split dev")
        told = _conditions(record, split)
        first = first or (path, told)
        differing = [f"{key} {first[1][key]} and {told[key]}" for key in told if told[key] != first[1][key]]
        if differing:
            raise DataError(
                f"{first[0]} and {path}: not comparable: {'; '.join(differing)}; "
                "train and score both on the same data in the same way"
            )


def _conditions(record: Record, split: Split) -> dict[str, str]:
    """All that must be the same before two scores may be subtracted."""
    told = parts(record[split]["T"]["signature"])
    stamps = {name: f"{name}@{one['fingerprint']}" for name, one in record["splits"].items()}
    scored = f"{split}@{told['data'].rpartition('@')[2]}"
    return {**{key: told[key] for key in ("scheme", "match", "decode")}, "data": " ".join([*stamps.values(), scored])}
