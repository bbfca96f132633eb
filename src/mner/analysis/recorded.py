"""Numbers of an analysis of trained models -> a record that is committed, and back: what reports draw from."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import StrictStr, TypeAdapter, ValidationError

from mner.analysis.captions import Captions
from mner.analysis.cases import Cases
from mner.analysis.distance import Distances
from mner.analysis.noise import Noise
from mner.analysis.ocr import Ocr
from mner.analysis.robustness import Robustness
from mner.analysis.slices import Slices
from mner.errors import DataError, MnerError
from mner.files import write_json
from mner.runs.record import RunId

KINDS: dict[str, Any] = {
    "captions": Captions,
    "distance": Distances,
    "ocr": Ocr,
    "cases": Cases,
    "robustness": Robustness,
    "slices": Slices,
    "noise": Noise,
}
"""Analyses that are recorded, those that open trained models, and what they find."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record of one analysis of one row.

    Attributes:
        analysis: Its name.
        data: The data set.
        row: The row.
        split: The posts looked at.
        runs: All runs that were read.
        result: Its numbers.
        path: Its file.
    """

    analysis: str
    data: str
    row: str
    split: str
    runs: tuple[RunId, ...]
    result: Any
    path: Path


def check_recordable(name: str, rows: Sequence[str], split: str) -> None:
    """Refuse what is not recorded, before it takes time.

    Raises:
        MnerError: The analysis reads records itself, or there are several rows, artefacts, or another split than dev.
    """
    if name not in KINDS:
        raise MnerError(f"record: {name} reads run records, and mner report draws it from them; nothing to record")
    if split != "dev" or len(rows) != 1 or not Path(rows[0]).is_dir():
        raise MnerError("record: takes one row, a run or a folder of runs, on dev")


def write_record(name: str, result: Any, *, split: str, runs: Sequence[RunId], results: Path) -> Path:
    """Write ``results/analysis/<data>/<row>/<name>.json``; its path.

    Words of posts are left out: they belong to their authors, and a record is committed.
    """
    row = result.gains[0].row if isinstance(result, Ocr) else result.row
    own = next(run for run in runs if run.experiment == row)
    path = results / "analysis" / own.data / own.name / f"{name}.json"
    write_json(
        path,
        {
            "format": 1,
            "kind": "analysis",
            "analysis": name,
            "data": own.data,
            "row": own.name,
            "split": split,
            "runs": list(dict.fromkeys(map(str, runs))),
            "result": asdict(without_posts(result)),
            "mner": version("mner"),
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        },
    )
    return path


def without_posts(result: Any) -> Any:
    """The numbers without the posts that are shown beside them."""
    if isinstance(result, Cases):
        return replace(result, shown=())
    if isinstance(result, Noise):
        return replace(result, shown=(), annotations=replace(result.annotations, shown=()))
    return result


def read_recorded(results: Path) -> list[Recorded]:
    """The records of analyses in a folder of results, by data set, row and name; none if there are none.

    Raises:
        DataError: One is damaged.
    """
    return [_read(path) for path in sorted((results / "analysis").glob("*/*/*.json"))]


def _read(path: Path) -> Recorded:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        result = TypeAdapter(KINDS[told["analysis"]]).validate_python(told["result"])
        runs = tuple(map(RunId.parse, told["runs"]))
        place = (told[key] for key in ("analysis", "data", "row", "split"))
        name, data, row, split = TypeAdapter(tuple[StrictStr, StrictStr, StrictStr, StrictStr]).validate_python(
            tuple(place)
        )
        return Recorded(name, data, row, split, runs, result, path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError) as error:
        why = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a record of an analysis ({why}); mner analyze NAME RUNS --record") from None
