"""Where the picture helps: T against I+T by seen and unseen entities, text-image relation, number of captions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mner.analysis import About
from mner.analysis.parts.both_views import (
    INTERVALS,
    BothViews,
    Slices,
    by_entities,
    by_posts,
    gains_chart,
    gains_signatures,
    gains_table,
    read_both,
)
from mner.analysis.parts.inputs import Baseline, Inputs, RunSplit
from mner.analysis.parts.report import Report
from mner.config import Section
from mner.types import Post, Span, VisualContext
from mner.views.split import read_posts

RELATION = "relation"
"""Key of an artefact's record that holds how well text and picture belong together: a number, or several by scorer."""
PARTS = 3

ABOUT = About(
    "both views by seen and unseen entities, text-image relation, number of captions", reads="runs", result=Slices
)


class Options(Section):
    """What the I+T view is compared with, and where."""

    split: RunSplit = "dev"
    baseline: Baseline = None


def analyze(inputs: Inputs, options: Options) -> Report:
    """All experiments named."""
    results = []
    for row in inputs.rows:
        baseline = None if options.baseline is None else inputs.runs(options.baseline, options.split)
        read = read_both(inputs.runs(row, options.split), baseline=baseline)
        results.append(slices(read, read_posts(read.configs[1], read.root, "train")))
    return report(results)


def slices(read: BothViews, train: Iterable[Post]) -> Slices:
    """T against I+T by all that divides these posts.

    The gold entities of ``train``, the training posts, are the seen ones.
    """
    known = {surface(post, span) for post in train for span in post.spans or ()}
    parts = [*by_entities(read, lambda post, span: "seen" if surface(post, span) in known else "unseen", by="entity")]
    if (kind := read.configs[1].context.substitute) != "none":
        why = f'context.substitute = "{kind}": the contexts are not those of the posts\' own pictures'
        return Slices(read.row, read.baseline, tuple(parts), {RELATION: why, "captions": why})
    absent: dict[str, str] = {}
    scores = relations(read.contexts)
    if not scores:
        absent[RELATION] = f'no context has the key "{RELATION}"'
    for scorer, values in scores.items():
        groups = thirds(values)
        if groups is None:
            absent[scorer] = f"fewer than {PARTS} different scores"
        else:
            parts += by_posts(read, groups, by=scorer)
    counts = [sum(piece.kind == "captions" for piece in beside) for beside in read.pieces]
    parts += by_posts(read, [str(count) for count in counts], by="captions")
    return Slices(read.row, read.baseline, tuple(parts), absent)


def surface(post: Post, span: Span) -> str:
    """An entity's words as they are compared with those of training: in small letters, one blank between.

    >>> surface(Post("1", "Real Madrid", ("Real", "Madrid"), ((0, 4), (5, 11))), Span(0, 2, "ORG"))
    'real madrid'
    """
    return " ".join(post.words[span.start : span.end]).casefold()


def relations(contexts: Sequence[VisualContext | None]) -> dict[str, list[float | None]]:
    """The text-image relation of each post by scorer; None where a post has none. Empty where no context has any."""
    by_post = [{} if context is None else _relation(context) for context in contexts]
    names = sorted({name for scores in by_post for name in scores})
    return {name: [scores.get(name) for scores in by_post] for name in names}


def _relation(context: VisualContext) -> dict[str, float]:
    relation = context.extra.get(RELATION)
    by_scorer = relation if isinstance(relation, Mapping) else {RELATION: relation}
    return {
        str(name): float(value)
        for name, value in by_scorer.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def thirds(values: Sequence[float | None]) -> list[str | None] | None:
    """The part of each value by rank: "1 of 3: 0.1 to 0.4" and so on; equal values share one. None for too few.

    >>> thirds([0.9, None, 0.1, 0.5])
    ['3 of 3: 0.9 to 0.9', None, '1 of 3: 0.1 to 0.1', '2 of 3: 0.5 to 0.5']
    """
    known = sorted(value for value in values if value is not None)
    if len(set(known)) < PARTS:
        return None
    bounds = [known[len(known) * part // PARTS] for part in range(1, PARTS)]
    numbers = [None if value is None else sum(value >= bound for bound in bounds) for value in values]
    names: dict[int, str] = {}
    for part in {number for number in numbers if number is not None}:
        inside = [value for value, number in zip(values, numbers, strict=True) if number == part and value is not None]
        names[part] = f"{part + 1} of {PARTS}: {min(inside):.3g} to {max(inside):.3g}"
    return [None if number is None else names[number] for number in numbers]


def report(results: Sequence[Slices]) -> Report:
    """A table and a chart for each experiment."""
    return Report(
        name="slices",
        title=ABOUT.title,
        about="An entity is seen if its words, whatever their case, are those of a gold entity of the training posts; "
        "predicted entities are divided in the same way. Relation: scores that the artefact holds, in three parts "
        f"by rank. Captions: how many stand beside the words. {INTERVALS}",
        results=tuple(results),
        tables=tuple(map(gains_table, results)),
        charts=tuple(map(gains_chart, results)),
        signatures=tuple(pair for result in results for pair in gains_signatures(result)),
    )
