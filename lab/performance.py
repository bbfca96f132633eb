"""Benchmark records -> docs/performance.md; every figure with the machine it was measured on, nothing typed by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lab.speed_goals import goals
from mner.errors import DataError

Record = Mapping[str, Any]
KEYS = ("benchmark", "about", "finished", "machine", "versions", "peers", "settings", "seconds", "ratios", "tables")


def performance(results: Path) -> str:
    """The text of docs/performance.md, made from the benchmark records of a folder alone.

    Raises:
        DataError: There are no records, or one is damaged.
    """
    records = read_benchmarks(results)
    lines = [
        "# Performance",
        "",
        "Written by `python -m lab.report` from the records in `benchmarks/results/`; do not edit.",
        "`benchmarks/run.sh MODEL` measures again. Compare ratios, not seconds: both sides of a ratio were measured in",
        "one run, on one machine, taking turns.",
        "",
        "## Goals",
        "",
        *goals(records),
    ]
    for record in records:
        lines += ["", f"## {str(record['benchmark']).replace('_', ' ').capitalize()}", "", *_record(record)]
    return "\n".join(lines) + "\n"


def read_benchmarks(results: Path) -> list[Record]:
    """The records ``<name>.json`` of a folder, by name.

    Raises:
        DataError: There are none, or one is damaged.
    """
    records = []
    for path in sorted(results.glob("*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            missing = [key for key in KEYS if key not in record]
        except (ValueError, TypeError) as error:
            raise DataError(
                f"{path}: not a benchmark record ({error}); measure again: benchmarks/run.sh MODEL"
            ) from None
        if missing:
            raise DataError(f"{path}: a benchmark record without {', '.join(missing)}; measure again")
        records.append(record)
    if not records:
        raise DataError(f"{results}: holds no benchmark records; measure: benchmarks/run.sh MODEL")
    return records


def _record(record: Record) -> Iterator[str]:
    yield " ".join(str(record["about"]).split())
    for table in record["tables"]:
        yield from ("", f"### {table['title']}", "")
        yield f"| {' | '.join(_cell(column) for column in table['columns'])} |"
        yield "|---" * len(table["columns"]) + "|"
        for row in table["rows"]:
            yield f"| {' | '.join(_cell(value) for value in row)} |"
        if table.get("note"):
            yield from ("", table["note"])
    machine = record["machine"]
    yield ""
    yield (
        f"Measured {record['finished']} on {machine['cpu']} ({' '.join(machine['flags']) or 'no flags known'}), "
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}; {_listed(record['versions'])}."
    )
    for name, about in record["peers"].items():
        absent = about.get("unavailable")
        chosen = f", batch size {about['batch_size']}" if "batch_size" in about else ""
        yield f"{name}: {absent if absent else _listed(about.get('versions', {})) + chosen}."
    yield f"Settings: {_listed(record['settings'])}."


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {_plain(value)}" for key, value in values.items() if value is not None)


def _plain(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cell(value: Any) -> str:
    r"""A cell of a table: numbers to four digits, nothing for None.

    >>> _cell(1234.5678), _cell(0.0125), _cell(None), _cell("a|b")
    ('1,235', '0.0125', '', 'a\\|b')
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value).replace("|", "\\|")
