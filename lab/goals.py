"""What this project set out to measure on Twitter-15 and Twitter-17, beside what the run records say of it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lab.contexts import is_of, remark, whole
from lab.limits import limits
from lab.picture_share import BASELINE, CONTROLS, WHOLE, against_text, shares
from lab.speed_goals import verdict
from mner.analysis.parts.analysis_record import AnalysisRecord
from mner.runs import Experiment
from mner.runs.compare import Comparison
from mner.runs.record import ScoredSplit
from mner.runs.searches import Search
from mner.show.baseline_gains import alike, tried
from mner.show.comparison import bounds, mean_sd, p_value, sure
from mner.show.display import signed
from mner.show.tables import Part, Section, TextTable
from mner.show.tuning import trials_behind
from mner.types import ViewName

T15, T17 = "twitter15", "twitter17"
MINILM, E5, MPNET = "embedded:minilm", "embedded:e5", "embedded:mpnet"
RANDOM = "ita-random"
MANY, SOME = 5, 3
"""Seeds of both rows that a goal takes before it is judged: MiniLM on Twitter-15, and all else."""

MISSED = verdict(0.0, 1.0, least=True)
REASONS = ("goal", "looked at", "what it tells")

Rows = Mapping[tuple[str, str], Experiment]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One figure.

    Attributes:
        on: The rows and views it is of.
        text: The figure with its tests.
        figure: The figure.
        seeds: Runs behind it; of two rows those of the row that has fewer.
        sure: Whether both tests hold a difference for sure; True where none is asked for.
        lacking: What it lacks to be judged; "" where nothing.
        notes: What must be known of it.
        signature: Its signature.
        row: The row it is of, of two the first.
        view: The view of that row.
        split: The split.
    """

    on: str
    text: str
    figure: float
    seeds: int
    sure: bool = True
    lacking: str = ""
    notes: tuple[str, ...] = ()
    signature: str = ""
    row: Experiment | None = None
    view: ViewName = "T"
    split: ScoredSplit = "test"


@dataclass(frozen=True, slots=True)
class Target:
    """A figure that was set out for before it was measured.

    Attributes:
        what: In words.
        read: From rows and searches to one outcome for each encoder that has the rows.
        bound: The figure must reach it, a difference of bound 0 exceed it; None where it is only reported.
        stretch: A further goal, or None.
        difference: Both tests must hold the figure for sure.
        seeds: It is judged of so many seeds or more.
    """

    what: str
    read: Callable[[Rows, Sequence[Search]], list[Outcome]]
    bound: float | None
    stretch: float | None = None
    difference: bool = True
    seeds: int = SOME


def gain(
    data: str, split: str, view: ViewName, *, row: str = WHOLE, tuned: bool = False
) -> Callable[..., list[Outcome]]:
    """Reads the difference between a row and the words alone on MiniLM.

    With ``tuned`` both must have the best settings of searches with the same number of trials. Of several pairs one
    that is tuned alike comes first, then the one with more seeds, then a tuned one.
    """

    def read(rows: Rows, searches: Sequence[Search]) -> list[Outcome]:
        of_data = whole(rows, data)
        pairs: list[tuple[bool, Comparison]] = []
        for experiment in of_data.values():
            base = against_text(experiment, of_data)
            if (
                experiment.encoder != MINILM
                or not is_of(experiment, row)
                or base is None
                or not alike(experiment, base)
            ):
                continue
            counts = (trials_behind(experiment, searches), trials_behind(base, searches))
            comparisons = tried(experiment, base, "test" if split == "test" else "dev", [], view=view)
            pairs += [(counts[0] == counts[1] > 0, each) for each in comparisons]
        if not pairs:
            return []
        same_trials, best = max(pairs, key=lambda pair: (pair[0], _seeds(pair[1]), of_data[pair[1].a].identity.tuned))
        lacking = "" if same_trials or not tuned else "not tuned alike"
        return [_compared(best, lacking=lacking, row=of_data[best.a])]

    return read


def score(encoder: str, view: ViewName, *, row: str | None = None, least: int = SOME) -> Callable[..., list[Outcome]]:
    """Reads the mean on Twitter-15's test split: of a row on an encoder, or of all rows that trained the view.

    Of several rows the one that is best on dev counts: the best on test would be somewhat too high. Rows with fewer
    than ``least`` seeds take no part where others have as many: one seed's luck on dev is no better row. Nor do rows
    on contexts of another kind.
    """

    def read(rows: Rows, searches: Sequence[Search]) -> list[Outcome]:
        of_data = whole(rows, T15)
        fitting = [
            each
            for each in of_data.values()
            if each.encoder == encoder and view in each.trained and each.f1("test", view)
            if row is None or is_of(each, row)
        ]
        others = [each.name for each in fitting if remark(each)]
        fitting = [each for each in fitting if not remark(each)]
        if not fitting:
            return []
        chosen = [each for each in fitting if len(each.f1("test", view)) >= least] or fitting
        best = max(chosen, key=lambda each: statistics.fmean(each.f1("dev", view)))
        f1 = best.f1("test", view)
        text = f"{mean_sd(f1)}, {len(f1)} seed{'s' * (len(f1) > 1)}"
        notes = [f"the best of {len(chosen)} rows on dev"] if len(chosen) > 1 else []
        if few := [each.name for each in fitting if each not in chosen]:
            notes.append(f"left out for fewer than {least} seeds: {', '.join(few)}")
        if others:
            notes.append(f"left out for contexts of another kind: {', '.join(others)}")
        return [
            Outcome(
                f"{best.name} {view}",
                text,
                statistics.fmean(f1),
                len(f1),
                notes=(*notes,),
                signature=str(best.signature("test", view)),
                row=best,
                view=view,
            )
        ]

    return read


def picture(rows: Rows, searches: Sequence[Search]) -> list[Outcome]:
    """The picture's share in the I+T view on Twitter-15's test split."""
    named = (BASELINE, WHOLE, *CONTROLS)
    of_data = {name: comparison for name, comparison in whole(rows, T15).items() if comparison.encoder == MINILM}
    chosen = {
        name: comparison for name, comparison in of_data.items() if any(is_of(comparison, each) for each in named)
    }
    comparisons, notes = shares(chosen, ("test",))
    seen_notes = tuple(dict.fromkeys(notes))
    return [_compared(comparison, notes=seen_notes) for comparison in comparisons if comparison.view_a == "I+T"]


TARGETS = (
    Target(
        "GA + CVA, I+T view, over equally tuned text, Twitter-15 test",
        gain(T15, "test", "I+T", tuned=True),
        1.0,
        1.2,
        seeds=MANY,
    ),
    Target(
        "GA + CVA, T view, over equally tuned text, Twitter-15 test",
        gain(T15, "test", "T", tuned=True),
        0.0,
        0.8,
        seeds=MANY,
    ),
    Target("GA + CVA, I+T view, over text, Twitter-17 dev", gain(T17, "dev", "I+T"), 0.6),
    Target(f"GA + CVA on {MPNET}, I+T view, Twitter-15 test", score(MPNET, "I+T", row=WHOLE), 78.03, difference=False),
    Target(f"best T view on {MINILM}, Twitter-15 test", score(MINILM, "T"), 76.0, difference=False),
    Target(f"best T view on {E5}, Twitter-15 test", score(E5, "T"), 76.0, difference=False),
    Target(
        "another picture's contexts (Random) over text, Twitter-15 test", gain(T15, "test", "I+T", row=RANDOM), None
    ),
    Target(
        "the picture's share: GA + CVA over the best without the post's own picture, Twitter-15 test", picture, None
    ),
)


def targets(rows: Rows, searches: Sequence[Search], recorded: Sequence[AnalysisRecord]) -> Iterator[Section]:
    """One section with the goals, met and missed, and what limits these; none where no row is on their data sets."""
    if not any(data in (T15, T17) for data, _ in rows):
        return
    lines, notes, signatures, missed = [], [], [], []
    for target in TARGETS:
        outcomes = target.read(rows, searches)
        goal = _goal(target)
        stretch = signed(target.stretch)
        if not outcomes:
            lines.append((target.what, "-", goal, stretch, "-", "not measured"))
        for outcome in outcomes:
            lines.append((target.what, outcome.on, goal, stretch, outcome.text, judged := _verdict(target, outcome)))
            if judged == MISSED and outcome.row is not None:
                reasons = limits(outcome.row, outcome.view, outcome.split, rows, recorded, least=SOME)
                missed += [(target.what, *pair) for pair in reasons]
            notes += [f"{outcome.on}: {note}" for note in outcome.notes]
            signatures.append((f"{target.what}: {outcome.on}", outcome.signature))
    heads = ("what", "on", "goal", "stretch", "measured", "verdict")
    about = (
        "The bounds were set before any row was tuned, when one untuned seed of two rows had been scored; how many "
        f"seeds a goal takes, later. All are of {MINILM} unless another encoder is named. A difference counts as a "
        "gain only if both tests hold: p of Student's t-test over seeds below 0.05, and the 95 % interval of the "
        "paired bootstrap over posts above 0. These tests are against 0; the bound is compared with the difference. "
        "Tuned alike: both rows have the best settings of a search of their own with the same number of trials. "
        "Nothing is judged before both rows have the seeds that stand beside the goal. Without a bound a figure is "
        "reported, not judged."
    )
    table = TextTable(heads, tuple(lines), texts=len(heads))
    parts = [Part("", about, table, notes=tuple(dict.fromkeys(notes)), signatures=tuple(signatures))]
    if missed:
        why = "What was tried, and what the limit seems to be; the signatures stand beside the tables these come from."
        parts.append(
            Part("Behind the goals that were missed", why, TextTable(REASONS, tuple(missed), texts=len(REASONS)))
        )
    yield Section("Goals", tuple(parts))


def _seeds(comparison: Comparison) -> int:
    """Runs behind a comparison: those of the row that has fewer."""
    return min(len(comparison.seeds_a), len(comparison.seeds_b))


def _compared(
    comparison: Comparison, *, lacking: str = "", notes: Sequence[str] = (), row: Experiment | None = None
) -> Outcome:
    line, seeds = comparison.lines[0], _seeds(comparison)
    tests = [signed(line.difference)]
    tests += [] if line.interval is None else [f"interval {bounds(line.interval)}"]
    tests += [] if line.t_test is None else [f"t-test p {p_value(line.t_test.p)}"]
    if not lacking and (line.interval is None or line.t_test is None):
        lacking = "both tests take two seeds and outcomes of posts"
    rows = f"{comparison.a} {comparison.view_a} minus {comparison.b} {comparison.view_b}"
    return Outcome(
        on=rows,
        text=f"{', '.join(tests)}, {seeds} seed{'s' * (seeds > 1)}",
        figure=line.difference,
        seeds=seeds,
        sure=sure(line),
        lacking=lacking,
        notes=(*notes, *comparison.notes),
        signature=comparison.signatures[2],
        row=row,
        view=comparison.view_a,
        split=comparison.split,
    )


def _goal(target: Target) -> str:
    if target.bound is None:
        return "none"
    if not target.difference:
        return f"at least {target.bound:.2f}, {target.seeds} seeds"
    return f"{f'at least {signed(target.bound)}' if target.bound else 'above 0'}, both tests, {target.seeds} seeds"


def _verdict(target: Target, outcome: Outcome) -> str:
    if target.bound is None:
        return "reported"
    if outcome.lacking:
        return f"not measured: {outcome.lacking}"
    if outcome.seeds < target.seeds:
        return f"not judged: {outcome.seeds} of {target.seeds} seeds"
    if not outcome.sure:
        return MISSED
    judged = verdict(outcome.figure, target.bound, least=True)
    reached = target.stretch is not None and outcome.figure >= target.stretch
    return f"{judged}, stretch too" if judged == "met" and reached else judged
