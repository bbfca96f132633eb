"""Precision, recall and F1 of each label against a baseline (Table 5), and a test of the paper's claim about them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from mner.analysis import About
from mner.analysis.parts.inputs import Inputs, NeededBaseline, RecordSplit
from mner.analysis.parts.report import Bars, Cell, Report, Table, columns
from mner.config import Section
from mner.runs import Experiment
from mner.runs.pairing import check_same, paired
from mner.runs.record import NO_ENTITIES, ScoredSplit
from mner.types import ViewName

VIEWS: tuple[ViewName, ...] = ("T", "I+T")
THRESHOLD = 0.5
"""Relative F1 gain, in percent, above which the paper's claim is about a label."""

ABOUT = About("precision, recall and F1 by label of an experiment against a baseline (Table 5)", reads="records")


class Options(Section):
    """What the scores are compared with."""

    baseline: NeededBaseline
    split: RecordSplit = "dev"


@dataclass(frozen=True, slots=True)
class Triple:
    """Precision, recall and F1 of one label, or their gains; in percent, None where there is no such ratio."""

    precision: float | None
    recall: float | None
    f1: float | None

    @property
    def all(self) -> tuple[float | None, ...]:
        """All three."""
        return (self.precision, self.recall, self.f1)


@dataclass(frozen=True, slots=True)
class LabelGain:
    """One label in one view of the experiment, against the baseline's T view; means over runs.

    Attributes:
        label: The label, or "micro" for all.
        view: The experiment's view.
        baseline: Scores of the baseline.
        row: Scores of the experiment.
        points: ``row`` minus ``baseline``.
        relative: The same in percent of the baseline; None where that is 0.
        holds: Whether precision gained more than recall, relatively; None where the claim is not about the label.
    """

    label: str
    view: ViewName
    baseline: Triple
    row: Triple
    points: Triple
    relative: Triple
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Claim:
    """The claim in one view: of ``labels`` that gained enough it holds for ``held``.

    ``p`` is the chance that a coin would be right as often or more often (one-sided sign test); None without labels.
    """

    view: ViewName
    labels: int
    held: int
    p: float | None


@dataclass(frozen=True, slots=True)
class Labels:
    """Two experiments by label, with the signatures of their numbers; ``notes`` say what is left out."""

    baseline: str
    row: str
    split: str
    threshold: float
    gains: tuple[LabelGain, ...]
    claims: tuple[Claim, ...]
    signatures: tuple[str, ...]
    notes: tuple[str, ...] = ()


def analyze(inputs: Inputs, options: Options) -> Report:
    """All experiments named, each against the baseline."""
    baseline = inputs.record(options.baseline)
    return report([labels(baseline, inputs.record(row), split=options.split) for row in inputs.rows])


def labels(baseline: Experiment, experiment: Experiment, *, split: ScoredSplit = "dev") -> Labels:
    """Scores by label of an experiment against a baseline, from their run records.

    The claim (ITA, Table 5): where a label's relative F1 gain exceeds ``THRESHOLD`` percent, its relative precision
    gain exceeds its relative recall gain. Both are read on the seeds that both have; where they share none, on all.

    Args:
        baseline: The experiment whose T view is compared with.
        experiment: The experiment in question, both views.
        split: "dev", or "test" where the records hold scores of it.

    Raises:
        DataError: A record holds no scores of the split, or the two may not be compared (``check_same``).
    """
    experiment, baseline, notes = paired(experiment, baseline)
    check_same(baseline, experiment, split)
    scores = [record.scores(split) or {} for record in (*baseline.records, *experiment.records)]
    names = sorted({label for each in scores for label in each["T"].labels})
    gains = [
        _gain(label, view, _mean(baseline, split, "T", label), _mean(experiment, split, view, label))
        for view in VIEWS
        for label in (*names, "micro")
    ]
    signatures = (str(baseline.signature(split, "T")), *(str(experiment.signature(split, view)) for view in VIEWS))
    claims = tuple(_claim(view, [gain for gain in gains if gain.view == view]) for view in VIEWS)
    return Labels(baseline.full_name, experiment.full_name, split, THRESHOLD, tuple(gains), claims, signatures, notes)


def sign_test(held: int, of: int) -> float:
    """The chance that a fair coin falls on one side ``held`` times or more out of ``of``.

    >>> sign_test(3, 4)
    0.3125
    """
    return float(sum(math.comb(of, count) for count in range(held, of + 1)) / 2**of)


def _gain(label: str, view: ViewName, before: Triple, after: Triple) -> LabelGain:
    three = ("precision", "recall", "f1")
    pairs = [(getattr(before, part), getattr(after, part)) for part in three]
    relative = Triple(*(100 * (new - old) / old if old else None for old, new in pairs))
    holds: bool | None = None
    if label != "micro" and relative.f1 is not None and relative.f1 > THRESHOLD:
        holds = (relative.precision or 0.0) > (relative.recall or 0.0)
    return LabelGain(label, view, before, after, Triple(*(new - old for old, new in pairs)), relative, holds)


def _claim(view: ViewName, gains: Sequence[LabelGain]) -> Claim:
    holds = [gain.holds for gain in gains if gain.holds is not None]
    return Claim(view, len(holds), sum(holds), sign_test(sum(holds), len(holds)) if holds else None)


def _mean(experiment: Experiment, split: ScoredSplit, view: ViewName, label: str) -> Triple:
    views = [scores[view] for record in experiment.records if (scores := record.scores(split)) is not None]
    of_label = [each.micro if label == "micro" else each.labels.get(label, NO_ENTITIES) for each in views]
    return Triple(
        *(statistics.fmean(getattr(each, part) for each in of_label) for part in ("precision", "recall", "f1"))
    )


COLUMNS = columns(
    "label",
    "baseline P/R/F1",
    "experiment P/R/F1",
    ("P %", "+.2f"),
    ("R %", "+.2f"),
    ("F1 %", "+.2f"),
    ("F1 points", "+.2f"),
    "claim",
)


def report(results: Sequence[Labels]) -> Report:
    """A table and a chart for each experiment and view."""
    tables, charts = [], []
    signatures: dict[tuple[str, str], None] = {}
    for result in results:
        names = (f"{result.baseline} T", f"{result.row} T", f"{result.row} I+T")
        signatures |= dict.fromkeys(zip(names, result.signatures, strict=True))
        for claim in result.claims:
            gains = [gain for gain in result.gains if gain.view == claim.view]
            title = f"{result.row} {claim.view} against {result.baseline} T, {result.split}"
            tables.append(Table(title, COLUMNS, tuple(map(_cells, gains)), _note(claim, result)))
            charts.append(
                Bars(
                    f"Relative gain: {title}",
                    "% of the baseline",
                    ("precision", "recall", "F1"),
                    tuple((gain.label, gain.relative.all) for gain in gains),
                )
            )
    return Report(
        name="labels",
        title=ABOUT.title,
        about="Means over the seeds that both experiments have. Gains in percent of the baseline's T view. The claim "
        "tested: where a label's relative F1 gain exceeds the threshold, its relative precision gain exceeds its "
        "relative recall gain.",
        results=tuple(results),
        tables=tuple(tables),
        charts=tuple(charts),
        signatures=tuple(signatures),
    )


def _cells(gain: LabelGain) -> tuple[Cell, ...]:
    holds = "" if gain.holds is None else "holds" if gain.holds else "fails"
    return (gain.label, gain.baseline.all, gain.row.all, *gain.relative.all, gain.points.f1, holds)


def _note(claim: Claim, result: Labels) -> str:
    notes = "; ".join(result.notes)
    return f"{_verdict(claim, result.threshold)} {notes[:1].upper()}{notes[1:]}{'.' if notes else ''}".rstrip()


def _verdict(claim: Claim, threshold: float) -> str:
    if claim.p is None:
        return f"The claim applies to no label: no relative F1 gain exceeds {threshold:g} %."
    return (
        f"The claim holds for {claim.held} of the {claim.labels} labels whose relative F1 gain exceeds {threshold:g} "
        f"%; a coin toss for each label does as well with p = {claim.p:.3f}."
    )
