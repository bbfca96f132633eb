"""Gold labels that all runs of two rows contradict, and training labels that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.noise import KINDS, Annotations, Conflict, Disagreement, Noise
from mner.show.charts import Bars
from mner.show.exhibit import Exhibit, Table, mean_sd
from mner.show.exhibits.cases import told


def exhibit(results: Sequence[Noise]) -> Exhibit:
    """Counts by kind, what they cost at most, the consistency of the training labels, and examples of both."""
    tables: list[Table] = []
    for one in results:
        counts = tuple((kind, KINDS[kind], str(one.counts[kind])) for kind in one.counts)
        note = (
            f"{one.readings} runs of {one.row} and {one.baseline}; {one.touched} of {one.posts} posts, which hold "
            f"{one.entities} entities. F1 of {one.row} {mean_sd(one.f1)}; if gold had what all runs agree on "
            f"{mean_sd(one.if_wrong)}, which is the most that labels of this kind can cost: some are errors of all "
            "runs."
        )
        tables.append(Table(f"All runs against gold: {one.row}", ("kind", "what happened", "entities"), counts, note))
        tables.append(_consistency(one.annotations))
        if one.shown:
            lines = tuple((each.kind, each.id, *_both(each)) for each in one.shown)
            tables.append(Table("Examples", ("kind", "post", "gold", "all runs", "words"), lines))
        if one.annotations.shown:
            odd = tuple(map(_conflict, one.annotations.shown))
            tables.append(Table("Training labels that contradict each other", ("words", "between", "labels"), odd))
    return Exhibit(
        name="noise",
        title=ANALYSES["noise"],
        about="An entity counts where every run of both rows finds the same, and gold has something else. Training "
        "labels contradict each other where the same words between the same two words have different labels, O for "
        "none. Both hint at faulty labels, neither proves one.",
        tables=tuple(tables),
        charts=tuple(
            Bars(
                f"All runs against gold: {one.row}",
                "entities",
                ("entities",),
                tuple((kind, (float(count),)) for kind, count in one.counts.items()),
            )
            for one in results
        ),
        signatures=tuple(
            pair
            for one in results
            for pair in ((one.row, one.f1.signature), (f"{one.row}, gold as agreed", one.if_wrong.signature))
        ),
    )


def _consistency(one: Annotations) -> Table:
    return Table(
        "Consistency of the training labels",
        ("what", "number"),
        (
            ("posts", f"{one.posts:,}"),
            ("entities", f"{one.entities:,}"),
            ("different entities by their words", f"{one.surfaces:,}"),
            ("of these with several types", f"{one.ambiguous:,}"),
            ("times the same words are no entity elsewhere", f"{one.outside:,}"),
            ("words with both neighbours that have different labels", f"{one.conflicts:,}"),
            ("their occurrences", f"{one.occurrences:,}"),
            ("of these not labelled as most of their kind", f"{one.minority:,}"),
        ),
    )


def _both(one: Disagreement) -> tuple[str, str, str]:
    found = () if one.found is None else (one.found,)
    return told(one.words, one.gold), told(one.words, found), " ".join(one.words)


def _conflict(one: Conflict) -> tuple[str, str, str]:
    labels = ", ".join(f"{label} {count}" for label, count in one.labels.items())
    return one.words, f"{one.before or '(start)'} ... {one.after or '(end)'}", labels
