"""The most that a choice between two readings could bring: F1 if the better one were known for each post."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from mner.analysis import About
from mner.analysis.parts.f1_summary import F1Summary, summary_of
from mner.analysis.parts.inputs import Baseline, Inputs, RecordSplit
from mner.analysis.parts.report import Bars, Report, Table, columns
from mner.config import Section
from mner.errors import DataError
from mner.runs import Experiment
from mner.runs.counting import labels_of, post_counts
from mner.runs.pairing import check_same, opposite, paired
from mner.runs.record import ScoredSplit
from mner.types import ViewName

ABOUT = About(
    "F1 if the better of two readings were known for each post: what a choice could bring at most", reads="records"
)


class Options(Section):
    """What is chosen between."""

    baseline: Baseline = None
    split: RecordSplit = "dev"


@dataclass(frozen=True, slots=True)
class Choice:
    """Two readings of the same posts, and the best mixture of them.

    Attributes:
        what: What differs between the two: the view, the experiment, or the seed alone, which is the control.
        a: The first reading: experiment and view.
        b: The second.
        view: The view of the first.
        f1: Of both, means over the pairs of runs.
        best: F1 if for each post the reading were taken that makes the whole F1 largest. It takes the gold labels
            to know which; no model reaches it.
        gain: The oracle's F1 minus that of the better reading of a pair of runs, mean over the pairs.
        differ: Percent of posts of which the readings do not make the same counts.
    """

    what: str
    a: str
    b: str
    view: ViewName
    f1: tuple[float, float]
    best: F1Summary
    gain: float
    differ: float


@dataclass(frozen=True, slots=True)
class Oracle:
    """The choices of one experiment on one split, and what was left out."""

    row: str
    split: str
    choices: tuple[Choice, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What an experiment's runs predict in one view; ``counts`` (post, run, 3): entities correct, predicted, gold."""

    experiment: Experiment
    view: ViewName
    split: ScoredSplit
    counts: np.ndarray

    @property
    def name(self) -> str:
        """Experiment and view."""
        return f"{self.experiment.full_name} {self.view}"


def analyze(inputs: Inputs, options: Options) -> Report:
    """The choices of all experiments named."""
    baseline = None if options.baseline is None else inputs.record(options.baseline)
    return report([oracle(inputs.record(row), baseline=baseline, split=options.split) for row in inputs.rows])


def oracle(experiment: Experiment, *, baseline: Experiment | None = None, split: ScoredSplit = "dev") -> Oracle:
    """The best choice between two views, between an experiment and a baseline, and, as controls, between two seeds.

    Two runs of one experiment differ too, and choosing between them gains as well: what the picture could bring is
    what a choice gains beyond its control.

    Args:
        experiment: The experiment in question; the first view compared is the I+T view if it was trained on it.
        baseline: An experiment to choose against, in its own trained view; seeds are paired by number.
        split: dev or test.

    Raises:
        DataError: Records lack outcomes of the split, or the two may not be compared.
    """
    notes: tuple[str, ...] = ()
    if baseline is not None:
        experiment, baseline, notes = paired(experiment, baseline)
        check_same(experiment, baseline, split)
    view: ViewName = "I+T" if "I+T" in experiment.trained else "T"
    ours = _reading(experiment, view, split)
    choices = []
    if len(experiment.trained) > 1:
        choices.append(_choice("views", ours, _reading(experiment, "T", split), _pairs(experiment, experiment)))
    sides = [ours]
    if baseline is not None:
        theirs = _reading(baseline, opposite("T", baseline), split)
        choices.append(_choice("rows", ours, theirs, _pairs(experiment, baseline)))
        sides.append(theirs)
    choices += [
        _choice("seeds", side, side, list(combinations(range(len(side.experiment.seeds)), 2)))
        for side in sides
        if len(side.experiment.seeds) > 1
    ]
    if not choices:
        raise DataError(
            f"{experiment.full_name}: one run of one view leaves nothing to choose between; name a --baseline"
        )
    return Oracle(experiment.full_name, split, tuple(choices), notes)


def best_f1(a: np.ndarray, b: np.ndarray) -> float:
    """The largest F1, in percent, of all that take each post from one of two readings.

    F1 is a ratio of sums; for a given value f a post is best taken from the reading with the larger 2 * correct -
    f * predicted, and f rises until it stays (Dinkelbach, 1967).

    Args:
        a: (post, 3) entities correct, predicted and gold.
        b: The same of the other reading.

    >>> best_f1(np.array([[1, 1, 1], [0, 1, 1]]), np.array([[0, 0, 1], [1, 1, 1]]))
    100.0
    """
    f1 = 0.0
    while True:
        first = 2 * a[:, 0] - f1 * a[:, 1] >= 2 * b[:, 0] - f1 * b[:, 1]
        correct, predicted, gold = np.where(first[:, None], a, b).sum(axis=0)
        now = float(2 * correct / max(predicted + gold, 1))
        if now <= f1:
            return 100 * f1
        f1 = now


def _reading(experiment: Experiment, view: ViewName, split: ScoredSplit) -> Reading:
    labels = sorted({label for record in experiment.records for label in labels_of(record, split)})
    counts = post_counts(experiment, split, view, labels)
    if counts is None:
        raise DataError(
            f"{experiment.full_name}: not every record keeps what became of each {split} post; mner evaluate RUN "
            "--final adds it"
        )
    return Reading(experiment, view, split, counts[:, :, 0])


def _pairs(a: Experiment, b: Experiment) -> list[tuple[int, int]]:
    """Runs of the same seed; where the experiments share none, each with each."""
    if a.seeds == b.seeds:
        return [(number, number) for number in range(len(a.seeds))]
    return list(product(range(len(a.seeds)), range(len(b.seeds))))


def _choice(what: str, a: Reading, b: Reading, pairs: Sequence[tuple[int, int]]) -> Choice:
    runs = [(a.counts[:, first], b.counts[:, second]) for first, second in pairs]
    best = [best_f1(*both) for both in runs]
    f1 = [(_f1(ours), _f1(theirs)) for ours, theirs in runs]
    mixture = f"oracle({a.experiment.name}/{a.view}|{b.experiment.name}/{b.view})"
    signature = (
        a.experiment.records[0].signature(a.split, a.view).over(best, view=mixture, seeds=len(a.experiment.seeds))
    )
    return Choice(
        what,
        a.name,
        b.name,
        a.view,
        (statistics.fmean(ours for ours, _ in f1), statistics.fmean(theirs for _, theirs in f1)),
        summary_of(signature),
        statistics.fmean(mixed - max(pair) for mixed, pair in zip(best, f1, strict=True)),
        100 * statistics.fmean(float((both[0] != both[1]).any(axis=1).mean()) for both in runs),
    )


def _f1(counts: np.ndarray) -> float:
    correct, predicted, gold = counts.sum(axis=0)
    return float(200 * correct / max(predicted + gold, 1))


COLUMNS = columns(
    "between",
    "reading a",
    "reading b",
    "F1 of a",
    "F1 of b",
    "oracle",
    ("gain", "+.2f"),
    ("% of posts differ", ".1f"),
)


def report(results: Sequence[Oracle]) -> Report:
    """A table and a chart for each experiment."""
    tables, charts = [], []
    for result in results:
        title = f"{result.row}, {result.split}"
        rows = tuple(
            (choice.what, choice.a, choice.b, *choice.f1, choice.best, choice.gain, choice.differ)
            for choice in result.choices
        )
        tables.append(Table(title, COLUMNS, rows, "; ".join(result.notes)))
        bars = tuple((_name(choice), (choice.gain,)) for choice in result.choices)
        charts.append(
            Bars(f"Gain of the oracle: {title}", "F1 of the oracle minus F1 of the better reading", ("gain",), bars)
        )
    return Report(
        name="oracle",
        title=ABOUT.title,
        about="An oracle that knows the gold labels takes for each post the one of two readings that serves the "
        "whole F1; no model reaches it. Two seeds of one experiment differ as well and are the control: what the "
        "picture could bring is what a choice gains beyond that. Gain: over the better reading of each pair of "
        "runs.",
        results=tuple(results),
        tables=tuple(tables),
        charts=tuple(charts),
        signatures=tuple((_name(choice), choice.best.signature) for result in results for choice in result.choices),
    )


def _name(choice: Choice) -> str:
    return f"{choice.what}: {choice.a}, {choice.b}"
