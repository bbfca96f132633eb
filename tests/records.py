"""Records that tests write: searches and analyses; and what the fixture ``make_record`` is given and gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mner.types import Span

Make = Callable[..., dict[str, Any]]
"""The type of the fixture ``make_record``."""

Commit = Callable[[Mapping[str, Any]], Path]
"""The type of the fixture ``commit``."""

GOLD = [[Span(0, 1, "LOC"), Span(1, 3, "PER")], [], [Span(0, 2, "PER")], [Span(0, 1, "LOC")]]
"""All entities of the four posts of ``make_record``."""

LESS = [[Span(0, 1, "LOC")], [], [Span(0, 1, "PER")], [Span(0, 1, "LOC")]]
"""Two of them, and one with a wrong end."""

WORSE = [[Span(0, 1, "PER")], [Span(0, 1, "LOC")], [], [Span(0, 1, "LOC")]]
"""One of them, one of another type, and one that is no entity."""


def search(row: str, trials: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """The record of a finished search, the last trial the best; keywords replace keys of it."""
    return {
        "data": "tiny",
        "row": row,
        "encoder": {"name": "tiny"},
        "config": {},
        "trials": trials,
        "trials_asked": len(trials),
        "trials_done": len(trials),
        "best": len(trials),
        "judged_on": {"views": ["T", "I+T"]},
        "seconds": 1.0,
        **changes,
    }


def write_search(results: Path, record: Mapping[str, Any]) -> Path:
    """The file of a search among the results."""
    return _write(results / "tune" / record["data"] / f"{record['row']}.json", record)


def write_analysis(results: Path, name: str, result: Any, *runs: str, options: Mapping[str, Any] | None = None) -> Path:
    """The file of an analysis among the results; ``result`` names the experiment and may be a dictionary.

    Without ``options`` it is a record of an earlier version, which has none.
    """
    table = result if isinstance(result, dict) else asdict(result)
    data, row = table["row"].split("/")
    record = {"analysis": name, "data": data, "row": row, "split": "dev", "runs": runs, "result": table}
    if options is not None:
        record["options"] = options
    return _write(results / "analysis" / data / row / f"{name}.json", record)


def _write(path: Path, record: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))
    return path
