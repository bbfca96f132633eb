"""Gold labels that may be wrong: what all runs of two experiments contradict, and labels that contradict each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from mner.analysis import About
from mner.analysis.parts.f1_summary import F1Summary, f1_summary
from mner.analysis.parts.inputs import Inputs, NeededBaseline, RunSplit
from mner.analysis.parts.label_consistency import Annotations, conflicts_table, consistency, consistency_table
from mner.analysis.parts.loaded_run import LoadedRun, Runs, Spans
from mner.analysis.parts.report import Bars, Cell, Report, Table, columns, entities
from mner.config import Section
from mner.evaluation import score
from mner.types import Post, Span, ViewName
from mner.views.split import read_posts

Kind = Literal["boundary", "type", "missed", "spurious"]
KINDS: dict[Kind, str] = {
    "boundary": "all find an entity with other ends than a gold one that it shares words with",
    "type": "all give a gold entity's words another type",
    "missed": "none finds anything on a gold entity's words",
    "spurious": "all find an entity where gold has none",
}
"""How all readings, agreed with one another, differ from gold."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One entity on which all readings agree against gold: what gold has there, and what they agree on."""

    kind: Kind
    id: str
    words: tuple[str, ...]
    gold: tuple[Span, ...]
    agreed: Span | None


@dataclass(frozen=True, slots=True)
class Noise:
    """One experiment and a baseline on one split.

    Attributes:
        row: Data set and experiment, its I+T view read if it was trained on it.
        baseline: The other experiment, likewise.
        posts: Posts of the split.
        entities: Their gold entities.
        readings: Runs of both.
        counts: Disagreements by kind.
        touched: Posts with one.
        f1: Of the experiment.
        if_wrong: The same if gold had what all readings agree on. Some of these are errors of all models, so this is
            the most that labels of this kind can cost.
        annotations: How consistent the training posts are.
        shown: Disagreements to look at.
    """

    row: str
    baseline: str
    posts: int
    entities: int
    readings: int
    counts: Mapping[Kind, int]
    touched: int
    f1: F1Summary
    if_wrong: F1Summary
    annotations: Annotations
    shown: tuple[Disagreement, ...]


ABOUT = About(
    "gold labels that all runs of two experiments contradict, and training labels that contradict each other",
    reads="runs",
    result=Noise,
    posts=(("shown",), ("annotations", "shown")),
)


class Options(Section):
    """What the runs are compared with, and how much is shown."""

    baseline: NeededBaseline
    split: RunSplit = "dev"
    most: Annotated[int, Field(ge=1, le=10**9, description="Posts of each kind to show.")] = 12


def analyze(inputs: Inputs, options: Options) -> Report:
    """All experiments named, each with the baseline."""
    results = []
    for row in inputs.rows:
        baseline = inputs.runs(options.baseline, options.split)
        results.append(noise(inputs.runs(row, options.split), baseline=baseline, train=_train, most=options.most))
    return report(results)


def _train(run: LoadedRun) -> list[Post]:
    return read_posts(run.config, run.root, "train")


def noise(runs: Runs, *, baseline: Runs, train: Callable[[LoadedRun], Iterable[Post]], most: int = 12) -> Noise:
    """What all runs of two experiments read alike, and gold does not.

    Args:
        runs: Runs of the experiment.
        baseline: Runs of the other experiment.
        train: Gives the training posts of a run, whose labels are compared with one another.
        most: Disagreements shown of each kind, and conflicts in all.

    Raises:
        DataError: The two have different posts.
    """
    run, ours = _read(runs)
    other, theirs = _read(baseline)
    other.must_have_posts_of(run)
    gold = [post.spans or () for post in run.posts]
    readings = [*ours, *theirs]
    by_post = [disagreements(post, [spans[number] for spans in readings]) for number, post in enumerate(run.posts)]
    better = [corrected(spans, of_post) for spans, of_post in zip(gold, by_post, strict=True)]
    by_kind: dict[Kind, list[Disagreement]] = {kind: [] for kind in KINDS}
    for each in (each for of_post in by_post for each in of_post):
        by_kind[each.kind].append(each)
    view: ViewName = "I+T" if "I+T" in run.trained else "T"
    return Noise(
        row=run.row,
        baseline=other.row,
        posts=len(run.posts),
        entities=sum(map(len, gold)),
        readings=len(readings),
        counts={kind: len(of_kind) for kind, of_kind in by_kind.items()},
        touched=sum(map(bool, by_post)),
        f1=f1_summary([score(gold, spans).micro.f1 for spans in ours], config=run.config, data=run.data, view=view),
        if_wrong=f1_summary(
            [score(better, spans).micro.f1 for spans in ours],
            config=run.config,
            data=run.data,
            view=f"{view}:gold=agreed",
        ),
        annotations=consistency(train(run), most=most),
        shown=tuple(each for of_kind in by_kind.values() for each in of_kind[:most]),
    )


def disagreements(post: Post, readings: Sequence[Sequence[Span]]) -> list[Disagreement]:
    """The entities of a post on which all readings agree with one another and not with gold."""
    gold = set(post.spans or ())
    everywhere = set.intersection(*map(set, readings))
    anywhere = set.union(*map(set, readings))
    result = []
    for span in sorted(everywhere - gold):
        met = tuple(sorted(entity for entity in gold if _meet(entity, span)))
        same = any((entity.start, entity.end) == (span.start, span.end) for entity in met)
        kind: Kind = "type" if same else "boundary" if met else "spurious"
        result.append(Disagreement(kind, post.id, post.words, met, span))
    for entity in sorted(gold):
        if not any(_meet(entity, span) for span in anywhere):
            result.append(Disagreement("missed", post.id, post.words, (entity,), None))
    return result


def corrected(gold: Sequence[Span], disagreements: Iterable[Disagreement]) -> list[Span]:
    """Gold entities as all readings agree to have them."""
    spans = set(gold)
    for each in disagreements:
        spans.difference_update(each.gold)
    return sorted(spans.union(each.agreed for each in disagreements if each.agreed is not None))


def _meet(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end


def _read(runs: Runs) -> tuple[LoadedRun, list[Spans]]:
    """The last run, and the entities that each predicts."""
    readings: list[Spans] = []
    for run in runs:
        readings.append(run.read(run.pieces() if "I+T" in run.trained else None))
    return run, readings


def report(results: Sequence[Noise]) -> Report:
    """Counts by kind, what they cost at most, the consistency of the training labels, and examples of both."""
    tables: list[Table] = []
    for result in results:
        note = (
            f"{result.readings} runs of {result.row} and {result.baseline}; {result.touched} of {result.posts} posts, "
            f"which hold {result.entities} entities. F1 of {result.row} {result.f1}; if gold had what all runs agree "
            f"on {result.if_wrong}, which is the most that labels of this kind can cost: some are errors of all runs."
        )
        rows = tuple((kind, KINDS[kind], count) for kind, count in result.counts.items())
        headings = columns("kind", "what happened", ("entities", "d"))
        tables.append(Table(f"All runs against gold: {result.row}", headings, rows, note))
        tables.append(consistency_table(result.annotations))
        if result.shown:
            tables.append(Table("Examples", EXAMPLES, tuple(map(_example, result.shown))))
        if result.annotations.shown:
            tables.append(conflicts_table(result.annotations))
    return Report(
        name="noise",
        title=ABOUT.title,
        about="An entity counts where every run of both experiments finds the same, and gold has something else. "
        "Training labels contradict each other where the same words between the same two words have different labels, "
        "O for none. Both hint at faulty labels, neither proves one.",
        results=tuple(results),
        tables=tuple(tables),
        charts=tuple(
            Bars(
                f"All runs against gold: {result.row}",
                "entities",
                ("entities",),
                tuple((kind, (float(count),)) for kind, count in result.counts.items()),
            )
            for result in results
        ),
        signatures=tuple(
            pair
            for result in results
            for pair in (
                (result.row, result.f1.signature),
                (f"{result.row}, gold as agreed", result.if_wrong.signature),
            )
        ),
    )


EXAMPLES = columns("kind", "post", "gold", "all runs", "words")


def _example(each: Disagreement) -> tuple[Cell, ...]:
    agreed = () if each.agreed is None else (each.agreed,)
    return (each.kind, each.id, entities(each.words, each.gold), entities(each.words, agreed), " ".join(each.words))
