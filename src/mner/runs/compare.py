"""Two experiments -> how they differ: mean and deviation over seeds, t-test, paired bootstrap over posts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mner.evaluation.mean import Mean
from mner.evaluation.signature import line
from mner.evaluation.significance import Interval, TTest, bootstrap, t_test
from mner.runs.counting import labels_of, post_counts
from mner.runs.experiments import Experiment
from mner.runs.pairing import check_same, opposite, paired
from mner.runs.record import ScoredSplit
from mner.types import ViewName

RESAMPLES = 2_000
GENERATOR_SEED = 1


@dataclass(frozen=True, slots=True)
class Line:
    """One label's comparison, or "micro" over all labels: F1 of each seed as percentages, and the tests.

    ``t_test`` is None with fewer than two seeds, ``interval`` where a record holds no outcomes of posts.
    """

    label: str
    a: tuple[float, ...]
    b: tuple[float, ...]
    t_test: TTest | None
    interval: Interval | None

    @property
    def difference(self) -> float:
        """Mean of ``a`` minus mean of ``b``, in points."""
        return statistics.fmean(self.a) - statistics.fmean(self.b)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Experiment ``a`` under one view against ``b`` under one view, on one split.

    Attributes:
        split: dev or test.
        a: Name of the first.
        b: Name of the second.
        view_a: The view of ``a`` that is decoded.
        view_b: The view of ``b`` that is decoded.
        seeds_a: Seeds of ``a`` that count.
        seeds_b: Seeds of ``b`` that count; the same numbers wherever the two share any.
        lines: "micro" first, then each label.
        signatures: Of a's scores, of b's, and of their difference.
        notes: What a reader must know: seeds left out, a view that was not trained, missing outcomes.
    """

    split: ScoredSplit
    a: str
    b: str
    view_a: ViewName
    view_b: ViewName
    seeds_a: tuple[int, ...]
    seeds_b: tuple[int, ...]
    lines: tuple[Line, ...]
    signatures: tuple[str, str, str]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as a JSON object; each line with its difference, means and sample deviations."""
        table = asdict(self)
        for each, entry in zip(self.lines, table["lines"], strict=True):
            entry |= {"difference": each.difference, "mean": {}, "sd": {}}
            for side, values in (("a", each.a), ("b", each.b)):
                mean = Mean.of(values)
                entry["mean"][side], entry["sd"][side] = mean.mean, mean.sd
        return table


def compare(
    a: Experiment,
    b: Experiment,
    *,
    split: ScoredSplit | None = None,
    view: ViewName | None = None,
    against: ViewName | None = None,
    resamples: int = RESAMPLES,
    seed: int = GENERATOR_SEED,
) -> list[Comparison]:
    """The comparisons of two experiments, one for each view that ``a`` was trained on.

    A view is compared with the same view of ``b`` if that was trained on it, else with the one that ``b`` was
    trained on: a gain over an untrained view means nothing. Experiments are compared on the seeds that both have; those
    that share none, on all of each.

    Args:
        a: The experiment under question.
        b: The one that it is measured against.
        split: Which scores; None takes test where all runs have it, else dev.
        view: This view of ``a`` alone, trained or not.
        against: This view of ``b``, trained or not.
        resamples: Resamples of the bootstrap over posts.
        seed: Of the bootstrap's generator.

    Raises:
        DataError: The two saw different data, or their scores have another scheme, match or decoding; a run has no
            scores of the split; or outcomes and scores of a record disagree.

    >>> from mner.runs import read_experiment
    >>> text, ita = read_experiment("results/mine/text"), read_experiment("results/mine/ita")
    >>> [(each.view_a, each.view_b, f"{each.lines[0].difference:+.1f}") for each in compare(ita, text)]
    [('T', 'T', '+0.0'), ('I+T', 'T', '+25.0')]
    """
    a, b, notes = paired(a, b)
    if split is None:
        split = "test" if all(record.test is not None for record in (*a.records, *b.records)) else "dev"
    check_same(a, b, split)
    comparisons = []
    for ours in (view,) if view else a.trained:
        theirs = against or opposite(ours, b)
        untrained = [
            f"view {side_view} of {side.name} was not trained"
            for side, side_view in ((a, ours), (b, theirs))
            if side_view not in side.trained
        ]
        warned = (*notes, *untrained)
        comparisons.append(_compared(a, b, split, ours, theirs, resamples=resamples, seed=seed, notes=warned))
    return comparisons


def _compared(
    a: Experiment,
    b: Experiment,
    split: ScoredSplit,
    view_a: ViewName,
    view_b: ViewName,
    *,
    resamples: int,
    seed: int,
    notes: tuple[str, ...],
) -> Comparison:
    labels = sorted({label for side in (a, b) for record in side.records for label in labels_of(record, split)})
    tables = [post_counts(side, split, view, labels) for side, view in ((a, view_a), (b, view_b))]
    intervals: Sequence[Interval | None] = [None] * (len(labels) + 1)
    if tables[0] is not None and tables[1] is not None:
        intervals = bootstrap(tables[0], tables[1], resamples=resamples, seed=seed)
    else:
        lacking = [
            f"{side.name}/{record.seed}" for side in (a, b) for record in side.records if not record.outcomes.get(split)
        ]
        notes = (*notes, f"no bootstrap: records without outcomes of {split} posts: {', '.join(lacking)}")
    lines = []
    for label, interval in zip(["micro", *labels], intervals, strict=True):
        ours, theirs = a.f1(split, view_a, label), b.f1(split, view_b, label)
        lines.append(Line(label, tuple(ours), tuple(theirs), t_test(ours, theirs), interval))
    sides = str(a.signature(split, view_a)), str(b.signature(split, view_b))
    difference = _difference_signature(lines[0], a, b, split, (view_a, view_b), resamples=resamples, seed=seed)
    return Comparison(
        split, a.name, b.name, view_a, view_b, a.seeds, b.seeds, tuple(lines), (*sides, difference), notes
    )


def _difference_signature(
    micro: Line,
    a: Experiment,
    b: Experiment,
    split: ScoredSplit,
    views: tuple[ViewName, ViewName],
    *,
    resamples: int,
    seed: int,
) -> str:
    conditions = a.signature(split, views[0]).parts()
    parts = {"delta": f"{micro.difference:+.2f}"}
    if micro.interval is not None:
        parts |= {"ci95": f"[{micro.interval.low:+.2f},{micro.interval.high:+.2f}]"}
        parts |= {"p_bootstrap": f"{micro.interval.p:.4f}", "resamples": str(resamples), "generator": str(seed)}
    if micro.t_test is not None:
        parts |= {"p_t": f"{micro.t_test.p:.4f}", "t": f"{micro.t_test.t:.2f}", "df": str(micro.t_test.df)}
    parts |= {"a": f"{a.name}/{views[0]}", "b": f"{b.name}/{views[1]}"}
    same = a.seeds == b.seeds
    parts |= {"seeds": _commas(a.seeds) if same else f"{_commas(a.seeds)}:{_commas(b.seeds)}"}
    return line({**parts, **{name: conditions[name] for name in ("scheme", "match", "decode", "data", "mner")}})


def _commas(seeds: Sequence[int]) -> str:
    return ",".join(map(str, seeds))
