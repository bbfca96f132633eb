"""Run records -> docs/results.md; every figure with its signature, nothing typed by hand."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mner.errors import DataError
from mner.evaluation import signature

Record = Mapping[str, Any]
VIEWS = ("T", "I+T")


def report(results: Path) -> str:
    """The text of docs/results.md, made from the run records of a folder alone.

    Raises:
        DataError: There are no records, one is damaged, or runs of one row saw different data.
    """
    rows = read_records(results)
    lines = [
        "# Results",
        "",
        "Written by `mner report` from the run records in `results/`; do not edit.",
        "Exact-match micro F1 over words, in percent. Dev scores were used for choosing. Test was scored once for each",
        "frozen run; `results/test-uses.jsonl` counts each use.",
    ]
    for data_name in dict.fromkeys(data_name for data_name, _ in rows):
        lines += ["", f"## {data_name}", "", *_table(data_name, rows)]
        lines += ["", "### By label, test", "", *_labels(data_name, rows)] if _tested(data_name, rows) else []
        lines += ["", "### Signatures", "", *_signatures(data_name, rows)]
        lines += ["", "### Runs", "", *_runs(data_name, rows)]
    return "\n".join(lines) + "\n"


def read_records(results: Path) -> dict[tuple[str, str], list[Record]]:
    """The records of each (data set, row), seeds in order.

    Raises:
        DataError: There are none, one is damaged, or the seeds of one row saw different data or labels.
    """
    rows: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for path in sorted(results.glob("*/*/*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record.get("kind") == "search":
                continue
            rows[record["data"], record["row"]].append(record)
            record["dev"], record["splits"]["dev"]["fingerprint"]
        except (ValueError, KeyError) as error:
            raise DataError(f"{path}: not a run record ({error}); copy it again from its run directory") from None
    if not rows:
        raise DataError(f"{results}: holds no run records (<data>/<row>/<seed>.json); train with --results {results}")
    for (data_name, row), records in rows.items():
        records.sort(key=lambda record: record["seed"])
        stamps = {tuple(split["fingerprint"] for split in record["splits"].values()) for record in records}
        if len(stamps) > 1:
            told = "; ".join(f"train@{train} dev@{dev}" for train, dev in sorted(stamps))
            raise DataError(f"{results}/{data_name}/{row}: its seeds saw different data: {told}")
    return dict(rows)


def _table(data_name: str, rows: Mapping[tuple[str, str], Sequence[Record]]) -> Iterator[str]:
    yield "| row | encoder | seeds | dev T | dev I+T | test T | test I+T | minutes | MiB |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for (name, row), records in rows.items():
        if name != data_name:
            continue
        scores = [_mean_sd(_f1(records, split, view)) for split in ("dev", "test") for view in VIEWS]
        minutes = statistics.fmean(record["seconds"] for record in records) / 60
        memory = max(record["peak_memory_mib"] for record in records)
        encoder = records[0]["encoder"]["name"]
        yield f"| {row} | {encoder} | {len(records)} | {' | '.join(scores)} | {minutes:.1f} | {memory:.0f} |"


def _labels(data_name: str, rows: Mapping[tuple[str, str], Sequence[Record]]) -> Iterator[str]:
    tested = [(row, records) for (name, row), records in rows.items() if name == data_name and _has_test(records)]
    labels = sorted({label for _, records in tested for label in records[0]["test"]["T"]["labels"]})
    yield f"| row | view | {' | '.join(f'{label} P/R/F1' for label in labels)} |"
    yield f"|---|---|{'---|' * len(labels)}"
    for row, records in tested:
        for view in VIEWS:
            cells = [
                "/".join(
                    f"{statistics.fmean(r['test'][view]['labels'].get(label, {}).get(part, 0.0) for r in records):.1f}"
                    for part in ("precision", "recall", "f1")
                )
                for label in labels
            ]
            yield f"| {row} | {view} | {' | '.join(cells)} |"


def _signatures(data_name: str, rows: Mapping[tuple[str, str], Sequence[Record]]) -> Iterator[str]:
    for (name, row), records in rows.items():
        if name != data_name:
            continue
        for split in ("dev", "test"):
            for view in VIEWS:
                f1 = _f1(records, split, view)
                if len(f1) == len(records):
                    yield f"- {row}, {split}: `{_joint(records, split, view, f1)}`"


def _joint(records: Sequence[Record], split: str, view: str, f1: Sequence[float]) -> str:
    """One signature for all seeds: the parts of the first run's, with mean, deviation and number of seeds."""
    parts = dict(part.split("=", 1) for part in records[0][split][view]["signature"].split())
    return signature(
        f1=f1,
        view=view,
        data=parts["data"],
        decode=parts["decode"],
        scheme=parts["scheme"],
        match=parts["match"],
        version=parts["mner"],
    )


def _runs(data_name: str, rows: Mapping[tuple[str, str], Sequence[Record]]) -> Iterator[str]:
    yield "| row | seed | config | model | best epoch | precision | CPU | flags | finished |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for (name, row), records in rows.items():
        if name != data_name:
            continue
        for one in records:
            yield (
                f"| {row} | {one['seed']} | {one['config_fingerprint']} | {one['model']} | "
                f"{one['best_epoch']} of {one['config']['training']['epochs']} | {one['precision']} | "
                f"{one['machine']['cpu']} | {' '.join(one['machine']['flags'])} | {one['finished']} |"
            )


def _f1(records: Sequence[Record], split: str, view: str) -> list[float]:
    return [record[split][view]["micro"]["f1"] for record in records if split in record]


def _has_test(records: Sequence[Record]) -> bool:
    return all("test" in record for record in records)


def _tested(data_name: str, rows: Mapping[tuple[str, str], Sequence[Record]]) -> bool:
    return any(_has_test(records) for (name, _), records in rows.items() if name == data_name)


def _mean_sd(values: Sequence[float]) -> str:
    if not values:
        return "-"
    mean = f"{statistics.fmean(values):.2f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.2f}"
