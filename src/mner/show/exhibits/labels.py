"""Table 5: scores by label against a baseline."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.labels import Claim, LabelGain, Labels, Triple
from mner.show.charts import Bars
from mner.show.display import signed
from mner.show.exhibit import Exhibit, Table

COLUMNS = ("label", "baseline P/R/F1", "row P/R/F1", "P %", "R %", "F1 %", "F1 points", "claim")


def exhibit(results: Sequence[Labels]) -> Exhibit:
    """A table and a chart for each row and view."""
    tables, charts = [], []
    for one in results:
        for claim in one.claims:
            gains = [gain for gain in one.gains if gain.view == claim.view]
            title = f"{one.row} {claim.view} against {one.baseline} T, {one.split}"
            tables.append(Table(title, COLUMNS, tuple(map(_row, gains)), _note(claim, one)))
            charts.append(
                Bars(
                    f"Relative gain: {title}",
                    "% of the baseline",
                    ("precision", "recall", "F1"),
                    tuple((gain.label, _three(gain.relative)) for gain in gains),
                )
            )
    names = [(f"{one.baseline} T", f"{one.row} T", f"{one.row} I+T") for one in results]
    signatures = [
        pair for one, called in zip(results, names, strict=True) for pair in zip(called, one.signatures, strict=True)
    ]
    return Exhibit(
        name="labels",
        title=ANALYSES["labels"],
        about="Means over the seeds that both rows have. Gains in percent of the baseline's T view. The claim tested: "
        "where a label's relative F1 gain exceeds the threshold, its relative precision gain exceeds its relative "
        "recall gain.",
        tables=tuple(tables),
        charts=tuple(charts),
        signatures=tuple(dict.fromkeys(signatures)),
    )


def _row(gain: LabelGain) -> tuple[str, ...]:
    relative = [signed(value) for value in _three(gain.relative)]
    holds = "" if gain.holds is None else "holds" if gain.holds else "fails"
    return (gain.label, _scores(gain.baseline), _scores(gain.row), *relative, signed(gain.points.f1), holds)


def _note(claim: Claim, one: Labels) -> str:
    notes = "; ".join(one.notes)
    return f"{_told(claim, one.threshold)} {notes[:1].upper()}{notes[1:]}{'.' if notes else ''}".rstrip()


def _told(claim: Claim, threshold: float) -> str:
    if claim.p is None:
        return f"The claim applies to no label: no relative F1 gain exceeds {threshold:g} %."
    return (
        f"The claim holds for {claim.held} of the {claim.labels} labels whose relative F1 gain exceeds {threshold:g} "
        f"%; a coin toss for each label does as well with p = {claim.p:.3f}."
    )


def _scores(three: Triple) -> str:
    return "/".join("-" if value is None else f"{value:.2f}" for value in _three(three))


def _three(three: Triple) -> tuple[float | None, ...]:
    return (three.precision, three.recall, three.f1)
