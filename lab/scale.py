"""The record of a benchmark -> docs/scale.md: what many pictures take in machines, hours and storage."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORES = 64
"""Cores of the machine that the plan counts in."""

LINK = 1.25e9
"""Bytes a second of its network: 10 Gbit/s."""

SHARD = 1000
"""Rows of a shard."""

SIZES = {1_000_000: 1, 100_000_000: 20, 1_000_000_000: 100}
"""Pictures, and the machines that the plan gives them."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What one picture costs.

    Attributes:
        work: Core-seconds of reading it: decoding and all models.
        row: Seconds that the process that writes spends on its row.
        picture: Bytes of its file.
        line: Bytes of its row in the artefact.
        store: Bytes that it adds to a store.
    """

    work: float
    row: float
    picture: float
    line: float
    store: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a number of pictures takes.

    Attributes:
        core_hours: Of all cores together.
        hours: Until it is done.
        rows: A second, from all machines together.
        runs: Parts that the input is split into, each with a process that writes, so that none holds the workers up.
        busy: Share of its time that such a process works.
        link: Share of a machine's network that reading pictures takes.
        first: What saturates first as machines are added.
        limit: Machines at which it does.
    """

    core_hours: float
    hours: float
    rows: float
    runs: int
    busy: float
    link: float
    first: str
    limit: int


def costs(record: Mapping[str, Any]) -> Costs:
    """The unit costs that the record of ``benchmarks/context_build.py`` holds."""
    units = record["seconds"]["units"]
    work = sum(value for part, value in units["seconds"].items() if part != "row")
    sizes = units["bytes"]
    return Costs(work, units["seconds"]["row"], sizes["picture"], sizes["row of the artefact"], sizes["store"])


def plan(cost: Costs, pictures: int, machines: int) -> Plan:
    """What so many pictures take on so many machines.

    >>> found = plan(Costs(0.64, 0.0001, 200_000, 2_000, 3_000), 1_000_000, 1)
    >>> round(found.core_hours), round(found.hours, 1), found.first, found.limit
    (178, 2.8, 'the process that writes', 100)
    """
    rate = machines * CORES / cost.work
    busy, link = rate * cost.row, CORES / cost.work * cost.picture / LINK
    # A machine's network does not fill up as machines are added: it is full at once, or never.
    first = "each machine's network" if link > 1 else "the process that writes"
    return Plan(
        pictures * cost.work / 3600,
        pictures / rate / 3600,
        rate,
        math.ceil(busy),
        busy / math.ceil(busy),
        link,
        first,
        1 if link > 1 else int(cost.work / (CORES * cost.row)),
    )


def page(record: Mapping[str, Any]) -> str:
    """The text of docs/scale.md."""
    cost = costs(record)
    text = Path(__file__).with_name("scale.template.md").read_text(encoding="utf-8")
    machine = record["machine"]
    measured = (
        f"{record['settings']['pictures']} drawn pictures, {record['finished']}, one core of {machine['cpu']}, "
        f"mner {record['versions']['mner']}"
    )
    filled = {
        "MEASURED": measured,
        "UNITS": "\n".join(_units(record)),
        "PLAN": "\n".join(_table(cost)),
        "LIMIT": f"{plan(cost, 10**6, 1).limit:,}",
        "CORES": str(CORES),
        "FIRST": plan(cost, 10**6, 1).first,
        "RATE": f"{1 / cost.work:.1f}",
    }
    for name, value in filled.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _units(record: Mapping[str, Any]) -> Iterator[str]:
    units = record["seconds"]["units"]
    yield from ("| one picture | cost |", "|---|---|")
    for part, value in units["seconds"].items():
        named = "its row, in the process that writes" if part == "row" else part
        yield f"| {named} | {value * 1000:.3g} ms |"
    for what, value in units["bytes"].items():
        yield f"| {what} | {value / 1000:.3g} kB |"


def _table(cost: Costs) -> Iterator[str]:
    plans = {count: plan(cost, count, machines) for count, machines in SIZES.items()}
    rows = {
        f"machines of {CORES} cores": [f"{machines:,}" for machines in SIZES.values()],
        "core-hours": [f"{each.core_hours:,.0f}" for each in plans.values()],
        "hours": [f"{each.hours:,.1f}" for each in plans.values()],
        "pictures a second, all runs": [f"{each.rows:,.0f}" for each in plans.values()],
        "network of a machine in use": [f"{each.link:.1%}" for each in plans.values()],
        "runs, each with a part of the pictures": [f"{each.runs:,}" for each in plans.values()],
        "writing process of a run in use": [f"{each.busy:.1%}" for each in plans.values()],
        "pictures": [_bytes(count * cost.picture) for count in plans],
        "artefact": [_bytes(count * cost.line) for count in plans],
        f"shards of {SHARD:,} rows": [f"{count // SHARD:,} of {_bytes(SHARD * cost.line)}" for count in plans],
        "store on each machine": [_bytes(count * cost.store / machines) for count, machines in SIZES.items()],
    }
    yield "| pictures | " + " | ".join(f"{count:,}" for count in SIZES) + " |"
    yield "|---" * (len(SIZES) + 1) + "|"
    for name, values in rows.items():
        yield f"| {name} | {' | '.join(values)} |"


def _bytes(count: float) -> str:
    """Bytes in the unit that suits.

    >>> _bytes(2_500_000_000_000), _bytes(3_400_000)
    ('2.5 TB', '3.4 MB')
    """
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:,.3g} {unit}"
    return f"{count / 1000:,.3g} kB"
