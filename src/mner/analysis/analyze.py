"""The name of an analysis and what to look at -> its numbers, one result a row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mner.analysis import ANALYSES
from mner.analysis.captions import Captions, captions
from mner.analysis.cases import Cases, cases
from mner.analysis.cost import Cost, cost
from mner.analysis.distance import Distances, distance
from mner.analysis.labels import Labels, labels
from mner.analysis.ocr import Ocr, artefact_statistics, ocr_gain, ocr_statistics
from mner.analysis.opened import Opened, Runs, open_runs, row_runs
from mner.analysis.records import records_of, rows_in
from mner.analysis.robustness import Robustness, robustness
from mner.analysis.slices import Slices, read_both, slices
from mner.errors import MnerError
from mner.runtime import Backend
from mner.types import VisualContext
from mner.views.split import read_posts

Result = Captions | Distances | Labels | Ocr | Cases | Robustness | Slices | Cost
"""What an analysis finds; every kind has its own shape."""

ARTEFACTS = (".jsonl", ".json")

Watch = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an analysis is to look at, and how.

    Attributes:
        rows: Rows, as the analysis takes them: runs, models, folders of runs, names of records, artefacts.
        split: "dev" or "train"; labels also "test", where the records hold scores of it.
        results: Folder of run records.
        baseline: Row to compare with: its T view.
        unaligned: The row without cross-view alignment, for cases.
        order: Sources of captions, in the order they are taken.
        most: Cases shown of each kind.
        shuffles: Draws of shuffled contexts.
        watch: Called with each path that is opened.
    """

    rows: Sequence[str]
    split: str = "dev"
    results: Path = Path("results")
    baseline: str | None = None
    unaligned: str | None = None
    order: Sequence[str] | None = None
    most: int = 12
    shuffles: int = 1
    watch: Watch = lambda path: None


OPTIONS: dict[str, tuple[str, ...]] = {
    "captions": ("order",),
    "labels": ("baseline",),
    "ocr": ("baseline",),
    "cases": ("baseline", "unaligned", "most"),
    "robustness": ("shuffles",),
    "slices": ("baseline",),
}
"""Options that only some analyses take, by analysis."""


def analyze(name: str, asked: Asked) -> list[Result]:
    """The numbers of one analysis, one result a row; of ocr and cost one for all.

    Args:
        name: One of ``ANALYSES``.
        asked: What to look at.

    Raises:
        MnerError: No analysis has that name, rows are missing or do not fit it, or an option is not of it.
        DataError: Posts, contexts or records are missing, faulty or not comparable.
    """
    if name not in ANALYSES:
        raise MnerError(f'no analysis is called "{name}"; there are {", ".join(ANALYSES)}')
    for option in sorted({option for options in OPTIONS.values() for option in options} - {*OPTIONS.get(name, ())}):
        if getattr(asked, option) != Asked.__dataclass_fields__[option].default:
            raise MnerError(f"{option}: {name} does not take it; {_takers(option)} does")
    if name == "cost" and asked.split != "dev":
        raise MnerError("split: cost does not take it; its records are of whole runs")
    if not asked.rows and name != "cost":
        raise MnerError(f"{name}: name at least one row")
    return _ANALYSES[name](asked)


def _runs(told: str, asked: Asked, backend: Backend = "auto") -> Runs:
    return open_runs(row_runs(Path(told)), split=asked.split, backend=backend, watch=asked.watch)


def _first(told: str, asked: Asked) -> Opened:
    """The first run of a row."""
    return next(iter(open_runs(row_runs(Path(told))[:1], split=asked.split, watch=asked.watch)))


def _captions(asked: Asked) -> list[Result]:
    return [captions(_runs(row, asked), order=asked.order) for row in asked.rows]


def _distance(asked: Asked) -> list[Result]:
    return [distance(_runs(row, asked, "torch")) for row in asked.rows]


def _robustness(asked: Asked) -> list[Result]:
    return [robustness(_runs(row, asked), shuffles=asked.shuffles) for row in asked.rows]


def _labels(asked: Asked) -> list[Result]:
    if asked.baseline is None:
        raise MnerError("labels: name the row to compare with (--baseline)")
    before = records_of(asked.baseline, results=asked.results)
    return [labels(before, records_of(row, results=asked.results), split=asked.split) for row in asked.rows]


def _cost(asked: Asked) -> list[Result]:
    rows = asked.rows or rows_in(asked.results)
    if not rows:
        raise MnerError(f"{asked.results}: holds no run records; train with --results {asked.results}")
    return [cost(records_of(row, results=asked.results) for row in rows)]


def _cases(asked: Asked) -> list[Result]:
    baseline = None if asked.baseline is None else _first(asked.baseline, asked)
    unaligned = None if asked.unaligned is None else _first(asked.unaligned, asked)
    return [cases(_first(row, asked), baseline=baseline, unaligned=unaligned, most=asked.most) for row in asked.rows]


def _slices(asked: Asked) -> list[Result]:
    found: list[Result] = []
    for told in asked.rows:
        read = read_both(_runs(told, asked), baseline=None if asked.baseline is None else _runs(asked.baseline, asked))
        found.append(slices(read, read_posts(read.configs[1], read.root, "train")))
    return found


def _ocr(asked: Asked) -> list[Result]:
    statistics, gains = [], []
    for told in asked.rows:
        path = Path(told)
        if path.is_file() and path.suffix in ARTEFACTS:
            statistics.append(artefact_statistics(path))
            continue
        read = read_both(_runs(told, asked), baseline=None if asked.baseline is None else _runs(asked.baseline, asked))
        known: list[VisualContext] = [one for one in read.contexts if one is not None]
        one = ocr_statistics(
            known, name=read.data, data=read.data, sources=read.configs[1].context.ocr, subwords=read.subwords
        )
        statistics.append(one)
        gains.append(ocr_gain(read))
    return [Ocr(tuple(statistics), tuple(gains))]


def _takers(option: str) -> str:
    return " or ".join(name for name, options in OPTIONS.items() if option in options)


_ANALYSES: dict[str, Callable[[Asked], list[Result]]] = {
    "captions": _captions,
    "distance": _distance,
    "labels": _labels,
    "ocr": _ocr,
    "cases": _cases,
    "robustness": _robustness,
    "slices": _slices,
    "cost": _cost,
}
