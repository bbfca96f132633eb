"""A goal that was missed -> what was tried, and what the run records say of its limits, each figure of a record."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from lab.contexts import is_of, whole
from lab.picture_share import against_text
from mner.analysis.learning import belong, learning
from mner.analysis.noise import Noise
from mner.analysis.oracle import oracle
from mner.analysis.parts.analysis_record import AnalysisRecord
from mner.errors import DataError
from mner.evaluation.significance import Interval
from mner.runs import Experiment
from mner.runs.compare import Comparison
from mner.runs.pairing import scored
from mner.runs.record import ScoredSplit
from mner.show.appendix import absent
from mner.show.baseline_gains import tried
from mner.show.comparison import bounds, mean_sd
from mner.show.display import signed
from mner.types import ViewName

Rows = Mapping[tuple[str, str], Experiment]
ABSENT = "not looked at: no record"
CHOICES = {"views": "the two views", "rows": "its {} view and the words alone", "seeds": "two seeds of its {} view"}


def limits(
    row: Experiment, view: ViewName, split: ScoredSplit, rows: Rows, recorded: Sequence[AnalysisRecord], *, least: int
) -> Iterator[tuple[str, str]]:
    """What was looked at, and what it tells, for a row whose figure misses its goal.

    Args:
        row: The row that was judged.
        view: The view.
        split: The split.
        rows: All rows on record.
        recorded: All analyses on record.
        least: A row counts as tried with so many seeds.
    """
    of_data = whole(rows, row.data)
    yield "tried", _tried(row, view, split, of_data, least)
    if gains := _against_text(row, split, of_data):
        yield "against the words alone", _gains(gains)
        yield "what the split can tell", _resolution(gains)
    yield "another encoder", _encoders(row, view, split, of_data)
    yield "learning curve", _curve(row, view, rows)
    yield "oracle", _oracle(row, split, of_data)
    yield "labels", _labels(row, recorded, rows)


def _tried(row: Experiment, view: ViewName, split: ScoredSplit, rows: Mapping[str, Experiment], least: int) -> str:
    """All rows with the encoder that trained the view, from the least to the most."""
    means = sorted(
        (statistics.fmean(f1), other.name)
        for other in rows.values()
        if other.encoder == row.encoder and view in other.trained and len(f1 := other.f1(split, view)) >= least
    )
    if len(means) < 2:
        return f"this row alone has {least} seeds of {split} on this encoder"
    (low, first), (high, last) = means[0], means[-1]
    return (
        f"{len(means)} rows with {least} seeds or more, in the {view} view on {split} from {low:.2f} ({first}) to "
        f"{high:.2f} ({last})"
    )


def _against_text(
    row: Experiment, split: ScoredSplit, rows: Mapping[str, Experiment]
) -> list[tuple[Comparison, Interval]]:
    """The row's trained views against the words alone, where an interval is known; none where it is these."""
    text = against_text(row, rows)
    comparisons = [comparison for view in row.trained for comparison in tried(row, text, split, [], view=view)]
    return [
        (comparison, interval) for comparison in comparisons if (interval := comparison.lines[0].interval) is not None
    ]


def _gains(gains: Sequence[tuple[Comparison, Interval]]) -> str:
    """What each view gains over the words alone."""
    views = [
        f"{comparison.view_a} {signed(comparison.lines[0].difference)} ({bounds(interval)})"
        for comparison, interval in gains
    ]
    first = gains[0][0].lines[0]
    spread = " and ".join(f"{statistics.stdev(side):.2f}" for side in (first.a, first.b) if len(side) > 1)
    return f"{gains[0][0].split}: {', '.join(views)}; seeds deviate by {spread or 'an unknown amount'}"


def _resolution(gains: Sequence[tuple[Comparison, Interval]]) -> str:
    """How large a gain must be before the bootstrap over the split's posts distinguishes it from zero."""
    half = max((interval.high - interval.low) / 2 for _, interval in gains)
    return (
        f"{gains[0][0].split}: the intervals reach up to {half:.2f} points to either side, and a gain below that is "
        "not distinguishable from zero"
    )


def _encoders(row: Experiment, view: ViewName, split: ScoredSplit, rows: Mapping[str, Experiment]) -> str:
    """The same row on the other encoders."""
    parameters = row.records[0].parameters
    others = [
        f"{other.encoder} {mean_sd(f1)} ({other.name}, {other.records[0].parameters / 1e6:.0f} M)"
        for other in rows.values()
        if other.encoder != row.encoder and is_of(other, row.identity.experiment) and (f1 := other.f1(split, view))
    ]
    if not others:
        return ABSENT
    return f"with {parameters / 1e6:.0f} M parameters {mean_sd(row.f1(split, view))}; {'; '.join(others)}"


def _curve(row: Experiment, view: ViewName, rows: Rows) -> str:
    """What more posts brought."""
    chosen = [other for other in rows.values() if belong(other, row)]
    try:
        curves = learning(chosen, split="dev").curves if len(chosen) > 1 else ()
    except DataError as error:
        return str(error)
    points = next((curve.points for curve in curves if curve.view == view), ())
    if len(points) < 2:
        return ABSENT
    scores = ", ".join(f"{other.f1.mean:.2f} with {other.posts:,} posts" for other in points)
    *_, before, last = points
    step = f"the last {last.posts / before.posts:.3g}-fold of posts brought {signed(last.f1.mean - before.f1.mean)}"
    return f"dev: {scores}; {step}"


def _oracle(row: Experiment, split: ScoredSplit, rows: Mapping[str, Experiment]) -> str:
    """What a choice, post by post, could bring at most."""
    text = against_text(row, rows)
    baseline = None if text is None else scored(text, split)
    if baseline is not None and not baseline.records:
        baseline = None
    try:
        best = oracle(scored(row, split), baseline=baseline, split=split)
    except DataError as error:
        return str(error)
    first = {choice.what: choice for choice in reversed(best.choices)}
    choices = "; ".join(
        f"between {choices.format(first[what].view)} {first[what].best.mean:.2f} ({signed(first[what].gain)})"
        for what, choices in CHOICES.items()
        if what in first
    )
    return f"if gold chose for each post of {split}: {choices}"


def _labels(row: Experiment, recorded: Sequence[AnalysisRecord], rows: Rows) -> str:
    """What faulty gold labels could cost."""
    for record in recorded:
        if (
            record.analysis == "noise"
            and (record.data, record.row) == (row.data, row.name)
            and isinstance(record.result, Noise)
        ):
            noise: Noise = record.result
            view = "I+T" if "I+T" in row.trained else "T"
            seeds = len(noise.f1.f1)
            changed = "".join(f"; {runs}" for runs in absent(record, rows.values()))
            return (
                f"{record.split}, {view} view, {seeds} seed{'s' * (seeds != 1)}: all {noise.readings} runs of it and "
                f"of the words alone agree with one another and not with gold on {noise.touched} of {noise.posts:,} "
                f"posts; if gold had what they agree on, F1 would be {noise.if_wrong.mean:.2f}, not "
                f"{noise.f1.mean:.2f}. That is the most that such labels cost: some of these are errors of all "
                f"runs{changed}"
            )
    return ABSENT
