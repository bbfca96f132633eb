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
from mner.analysis.learning import Learning, learning
from mner.analysis.noise import Noise, noise
from mner.analysis.ocr import Ocr, artefact_statistics, ocr_gain, ocr_statistics
from mner.analysis.opened import Opened, Runs, open_runs, row_runs
from mner.analysis.oracle import Oracle, oracle
from mner.analysis.robustness import Robustness, robustness
from mner.analysis.slices import Slices, read_both, slices
from mner.errors import MnerError
from mner.runs import Experiment, read_experiment, read_experiments
from mner.runs.record import RunId, ScoredSplit
from mner.runtime import Backend
from mner.types import Post, VisualContext
from mner.views.split import read_posts

Result = Captions | Distances | Labels | Ocr | Cases | Robustness | Slices | Oracle | Learning | Noise | Cost
"""What an analysis finds; every kind has its own shape."""

FROM_RECORDS = ("labels", "oracle", "learning", "cost")
"""Analyses that read run records; the others open trained models."""

ARTEFACTS = (".jsonl", ".json", ".parquet")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an analysis is to look at, and how.

    Attributes:
        rows: Rows, as the analysis takes them: runs, models, folders of runs, names of records, artefacts.
        split: "dev" or "train"; of those that read records "dev" or "test", where they hold scores of it.
        results: Folder of run records.
        baseline: Row to compare with: its T view.
        unaligned: The row without cross-view alignment, for cases.
        order: Sources of captions, in the order they are taken.
        most: Cases, or disagreements, shown of each kind.
        shuffles: Draws of shuffled contexts.
        allow_plugins: Run code outside mner that a run's configuration names.
        watch: Called with each path that is to be opened.
        seen: Called with each run that was opened, as ``Opened.run`` names it.
    """

    rows: Sequence[str]
    split: str = "dev"
    results: Path = Path("results")
    baseline: str | None = None
    unaligned: str | None = None
    order: Sequence[str] | None = None
    most: int = 12
    shuffles: int = 1
    allow_plugins: bool = False
    watch: Callable[[str], None] = lambda path: None
    seen: Callable[[RunId], None] = lambda run: None


OPTIONS: dict[str, tuple[str, ...]] = {
    "captions": ("order",),
    "labels": ("baseline",),
    "ocr": ("baseline",),
    "cases": ("baseline", "unaligned", "most"),
    "robustness": ("shuffles",),
    "slices": ("baseline",),
    "oracle": ("baseline",),
    "noise": ("baseline", "most"),
}
"""Options that only some analyses take, by analysis."""


def analyze(name: str, asked: Asked) -> list[Result]:
    """The numbers of one analysis, one result a row; of ocr, learning and cost one for all.

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


def _runs(told: str, asked: Asked, backend: Backend = "auto", *, most: int | None = None) -> Runs:
    """The runs of a row, ``most`` of them at most."""
    paths, allowed = row_runs(Path(told))[:most], asked.allow_plugins
    for one in open_runs(paths, split=asked.split, backend=backend, allow_plugins=allowed, watch=asked.watch):
        asked.seen(one.run)
        yield one


def _baseline(asked: Asked) -> Runs | None:
    return None if asked.baseline is None else _runs(asked.baseline, asked)


def _first(told: str, asked: Asked) -> Opened:
    """The first run of a row."""
    return next(iter(_runs(told, asked, most=1)))


def _record(told: str, asked: Asked) -> Experiment:
    return read_experiment(told, results=asked.results)


def _scored(asked: Asked) -> ScoredSplit:
    """The split whose recorded scores are asked for."""
    if asked.split not in ("dev", "test"):
        raise MnerError(f'split "{asked.split}": expected dev or test, the splits that run records hold scores of')
    return "dev" if asked.split == "dev" else "test"


def _captions(asked: Asked) -> list[Result]:
    return [captions(_runs(row, asked), order=asked.order) for row in asked.rows]


def _distance(asked: Asked) -> list[Result]:
    return [distance(_runs(row, asked, "torch")) for row in asked.rows]


def _robustness(asked: Asked) -> list[Result]:
    return [robustness(_runs(row, asked), shuffles=asked.shuffles) for row in asked.rows]


def _labels(asked: Asked) -> list[Result]:
    if asked.baseline is None:
        raise MnerError("labels compares a row with another; name that one with --baseline ROW")
    before, split = _record(asked.baseline, asked), _scored(asked)
    return [labels(before, _record(row, asked), split=split) for row in asked.rows]


def _oracle(asked: Asked) -> list[Result]:
    before = None if asked.baseline is None else _record(asked.baseline, asked)
    return [oracle(_record(row, asked), baseline=before, split=_scored(asked)) for row in asked.rows]


def _learning(asked: Asked) -> list[Result]:
    return [learning([_record(row, asked) for row in asked.rows], split=_scored(asked))]


def _noise(asked: Asked) -> list[Result]:
    if asked.baseline is None:
        raise MnerError("noise compares the runs of two rows; name the second one with --baseline ROW")
    other, most = asked.baseline, asked.most
    return [noise(_runs(told, asked), baseline=_runs(other, asked), train=_train, most=most) for told in asked.rows]


def _train(one: Opened) -> list[Post]:
    return read_posts(one.config, one.root, "train")


def _cost(asked: Asked) -> list[Result]:
    rows = [_record(row, asked) for row in asked.rows] or [*read_experiments(asked.results).values()]
    return [cost(rows)]


def _cases(asked: Asked) -> list[Result]:
    baseline = None if asked.baseline is None else _first(asked.baseline, asked)
    unaligned = None if asked.unaligned is None else _first(asked.unaligned, asked)
    return [cases(_first(row, asked), baseline=baseline, unaligned=unaligned, most=asked.most) for row in asked.rows]


def _slices(asked: Asked) -> list[Result]:
    found: list[Result] = []
    for told in asked.rows:
        read = read_both(_runs(told, asked), baseline=_baseline(asked))
        found.append(slices(read, read_posts(read.configs[1], read.root, "train")))
    return found


def _ocr(asked: Asked) -> list[Result]:
    statistics, gains = [], []
    for told in asked.rows:
        path = Path(told)
        if path.exists() and path.suffix in ARTEFACTS:  # a file, or a folder of shards
            statistics.append(artefact_statistics(path))
            continue
        read = read_both(_runs(told, asked), baseline=_baseline(asked), asks="ocr")
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
    "oracle": _oracle,
    "learning": _learning,
    "noise": _noise,
    "cost": _cost,
}
