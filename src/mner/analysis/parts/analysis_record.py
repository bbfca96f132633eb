"""The results of an analysis of trained models -> a record that is committed, and back: what reports draw from."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import JsonValue, StrictStr, TypeAdapter, ValidationError

from mner import analysis, plugins
from mner.analysis.parts.loaded_run import row_runs
from mner.config import Section
from mner.errors import DataError, MnerError
from mner.files import write_json
from mner.runs.record import RunId


@dataclass(frozen=True, slots=True)
class AnalysisRecord:
    """A record of one analysis of one experiment.

    Attributes:
        analysis: Its name.
        data: The data set.
        row: The experiment.
        split: The posts that were read.
        runs: All runs that were read.
        options: Options of the analysis that were given; experiments by their names, such as "mine/text".
        result: Its numbers.
        path: Its file.
    """

    analysis: str
    data: str
    row: str
    split: str
    runs: tuple[RunId, ...]
    options: Mapping[str, Any]
    result: Any
    path: Path


def check_recordable(name: str, rows: Sequence[str], split: str) -> None:
    """Refuse what is not recorded, before it takes time.

    Raises:
        MnerError: The analysis reads records itself, or there are several rows, artefacts, another split than dev, or
            no finished run.
        DataError: One in a folder of runs lacks its record or its model, or its record is damaged.
    """
    about = analysis.about(name)
    if about.reads == "records":
        raise MnerError(f"--record: {name} reads run records, and mner report draws it from them; nothing to record")
    if "." in name:
        raise MnerError(f"--record: {name} is code outside mner, which mner report does not run; use --json")
    if about.result is None:
        raise MnerError(f"--record: {name} does not say what its results are (ABOUT.result), so they are not recorded")
    if split != "dev" or len(rows) != 1 or not Path(rows[0]).is_dir():
        raise MnerError("--record: takes one experiment, a run or a folder of runs, on dev")
    row_runs(Path(rows[0]))


def write_analysis(
    name: str,
    result: Any,
    *,
    split: str,
    opened: Mapping[str, Sequence[RunId]],
    results: Path,
    options: Section | None = None,
) -> Path:
    """Write ``results/analysis/<data>/<row>/<name>.json``; its path.

    Words of posts are left out: they belong to their authors, and a record is committed. So are folders: an experiment
    that an option names by its folder is recorded by its name.

    Args:
        name: The analysis.
        result: Its result.
        split: The posts that were read.
        opened: The runs that were read, by the place in which they were.
        results: Folder of run records.
        options: The options of the analysis; those that were given are recorded.
    """
    runs = [run for of_place in opened.values() for run in of_place]
    given = {} if options is None else options.model_dump(mode="json", exclude_unset=True)
    names = {place: run.experiment for place, of_place in opened.items() for run in of_place}
    own = next(run for run in runs if run.experiment == result.row)
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
            "options": {
                option: names.get(value, value) if isinstance(value, str) else value for option, value in given.items()
            },
            "result": asdict(without_posts(name, result)),
            "mner": version("mner"),
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        },
    )
    return path


def without_posts(name: str, result: Any) -> Any:
    """The numbers without the posts that are shown beside them."""
    for path in analysis.about(name).posts:
        result = _emptied(result, path)
    return result


def _emptied(result: Any, path: Sequence[str]) -> Any:
    field, *rest = path
    return replace(result, **{field: _emptied(getattr(result, field), rest) if rest else ()})


def read_analyses(results: Path) -> list[AnalysisRecord]:
    """The records of analyses in a folder of results, by data set, experiment and name; perhaps empty.

    Raises:
        DataError: One is damaged.
    """
    return [_read(path) for path in sorted((results / "analysis").glob("*/*/*.json"))]


def _read(path: Path) -> AnalysisRecord:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        places = tuple(record[key] for key in ("analysis", "data", "row", "split"))
        name, data, row, split = TypeAdapter(tuple[StrictStr, StrictStr, StrictStr, StrictStr]).validate_python(places)
        schema = plugins.load("mner.analysis", name, allow_dotted=False).ABOUT.result
        result = TypeAdapter(schema).validate_python(record["result"])
        runs = tuple(map(RunId.parse, record["runs"]))
        options = TypeAdapter(dict[str, JsonValue] | None).validate_python(record.get("options"))
        if options is None:
            options = _options_behind(name, result, runs)
        return AnalysisRecord(name, data, row, split, runs, options, result, path)
    except (
        *(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError),
        *(ValidationError, MnerError),
    ) as error:
        why = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: not a record of an analysis ({why}); mner analyze NAME RUNS --record") from None


def _options_behind(name: str, result: Any, runs: Sequence[RunId]) -> dict[str, Any]:
    """The options of a record of an earlier version, which does not hold them.

    Those that the result has as well are taken from there. Of the others, only experiments are known: the runs of the
    baseline were read before those of ``unaligned``.
    """
    fields = analysis.load(name).Options.model_fields
    others = dict.fromkeys(run.experiment for run in runs if run.experiment != result.row)
    options: dict[str, Any] = dict(
        zip((key for key in ("baseline", "unaligned") if key in fields), others, strict=False)
    )
    for option, field in fields.items():
        value = getattr(result, option, field.default)
        if value not in (field.default, result.row):
            options[option] = value
    return options
