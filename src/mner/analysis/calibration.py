"""Whether the probabilities of entities are true: the share of right ones among those of like probability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mner.analysis import About
from mner.analysis.parts.f1_summary import f1_summary
from mner.analysis.parts.inputs import Inputs, RunSplit
from mner.analysis.parts.loaded_run import Runs
from mner.analysis.parts.report import Cell, Lines, Point, Report, Table, columns
from mner.config import Section
from mner.decode import ScoredSpan
from mner.evaluation import score
from mner.evaluation.calibration import BINS, Calibration, Graded, by_label, calibration, grade
from mner.types import Span, ViewName


@dataclass(frozen=True, slots=True)
class ViewCalibration:
    """The entities that one view finds, those of all runs together; ``signature`` is that of its F1."""

    view: ViewName
    whole: Calibration
    labels: Mapping[str, Calibration]
    signature: str


@dataclass(frozen=True, slots=True)
class Calibrations:
    """One experiment."""

    row: str
    runs: int
    views: tuple[ViewCalibration, ...]


ABOUT = About("calibration: are entities as often right as their probability says", reads="runs", result=Calibrations)


class Options(Section):
    """Where it is measured."""

    split: RunSplit = "dev"


def analyze(inputs: Inputs, options: Options) -> Report:
    """All experiments named."""
    return report([calibrations(inputs.runs(row, options.split)) for row in inputs.rows])


def calibrations(runs: Runs) -> Calibrations:
    """The calibration of an experiment in each view that it was trained on."""
    graded_runs: dict[ViewName, list[tuple[Graded, float]]] = {}
    for run in runs:
        gold = [post.spans or () for post in run.posts]
        for view in run.trained:
            entities = run.scored(run.pieces() if view == "I+T" else None)
            graded_runs.setdefault(view, []).append((grade(gold, entities), _f1(gold, entities)))
    config, data, name, count = run.config, run.data, run.row, max(map(len, graded_runs.values()))
    views = []
    for view, of_view in graded_runs.items():
        graded = _together([each for each, _ in of_view])
        whole = calibration(graded)
        if whole is not None:
            signature = f1_summary([f1 for _, f1 in of_view], config=config, data=data, view=view).signature
            views.append(ViewCalibration(view, whole, by_label(graded), signature))
    return Calibrations(name, count, tuple(views))


def _f1(gold: Sequence[Sequence[Span]], entities: Sequence[Sequence[ScoredSpan]]) -> float:
    return score(gold, [[entity.span for entity in post] for post in entities]).micro.f1


def _together(graded: Sequence[Graded]) -> Graded:
    """The entities of several runs on the same posts."""
    parts = ([getattr(each, name) for each in graded] for name in ("post", "label", "score", "correct"))
    post, label, scores, correct = (np.concatenate(part) for part in parts)
    return Graded(post, label, scores, correct, graded[0].posts)


COLUMNS = columns(
    "entities", ("number", ",d"), ("mean score %", ".2f"), ("right %", ".2f"), ("ECE", ".2f"), ("Brier", ".4f")
)
BIN_COLUMNS = columns("bin", ("entities", ",d"), ("mean score %", ".2f"), ("right %", ".2f"), ("gap", "+.2f"))


def report(results: Sequence[Calibrations]) -> Report:
    """A table, a reliability table and a chart for each experiment and view."""
    return Report(
        name="calibration",
        title=ABOUT.title,
        about="Entities that were found, each with its probability; right ones agree with a gold entity in words and "
        "label. ECE: mean gap between score and share of right ones, in points, over bins of equally many entities "
        f"({BINS}, fewer where one would hold less than 10). Brier: mean squared error. Several runs are read as one.",
        results=tuple(results),
        tables=tuple(table for result in results for table in _tables(result)),
        charts=tuple(_chart(result, of_view) for result in results for of_view in result.views),
        signatures=tuple((f"{result.row} {each.view}", each.signature) for result in results for each in result.views),
    )


def _tables(result: Calibrations) -> Iterator[Table]:
    for of_view in result.views:
        title = f"{result.row} {of_view.view}"
        named = [*of_view.labels.items(), ("all", of_view.whole)]
        yield Table(title, COLUMNS, tuple(_cells(name, each) for name, each in named))
        bins = tuple(
            (str(number), each.entities, 100 * each.score, 100 * each.correct, 100 * (each.correct - each.score))
            for number, each in enumerate(of_view.whole.bins, 1)
        )
        yield Table(f"{title}: reliability", BIN_COLUMNS, bins, "Gap: right minus score; below 0 it is too sure.")


def _cells(name: str, each: Calibration) -> tuple[Cell, ...]:
    return (name, each.entities, 100 * each.score, 100 * each.correct, each.ece, each.brier)


def _chart(result: Calibrations, of_view: ViewCalibration) -> Lines:
    """Share of right ones over score, beside the line on which both are equal."""
    true = tuple(Point(x, x, f"{x:.0f} %") for x in (0.0, 100.0))
    lines = [("as it should be", true), ("all", _points(of_view.whole))]
    lines += [(label, _points(each)) for label, each in of_view.labels.items() if len(each.bins) > 1]
    title = f"Reliability: {result.row} {of_view.view}"
    return Lines(title, "mean score of a bin, %", "right ones in it, %", tuple(lines), zero=True)


def _points(each: Calibration) -> tuple[Point, ...]:
    return tuple(
        Point(100 * part.score, 100 * part.correct, f"{100 * part.correct:.1f} % of {part.entities} right")
        for part in each.bins
    )
