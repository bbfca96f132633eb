"""Figures 4 and 5: posts to look at."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.cases import Case, Cases
from mner.show.exhibit import Exhibit, Table, mean_sd
from mner.types import Span


def exhibit(results: Sequence[Cases]) -> Exhibit:
    """The counts and F1 of each row, and its cases; a page shows these with their pictures."""
    tables = []
    for one in results:
        counts = [(kind, one.told(kind), f"{one.counts[kind]}") for kind in one.counts]
        told = (
            f"One run, seed {one.seed}. Of {one.posts} posts {one.used} have a context. "
            + "; ".join(f"{name} {mean_sd(f1)}" for name, f1 in one.readings.items())
            + "."
        )
        tables.append(Table(one.row, ("kind", "what that is", "posts"), tuple(counts), told))
        if one.shown:
            names = [reading.name for reading in one.shown[0].readings]
            lines = tuple((case.kind, case.id, *_entities(case)) for case in one.shown)
            tables.append(Table("Cases", ("kind", "post", "gold", *names), lines))
    return Exhibit(
        name="cases",
        title=ANALYSES["cases"],
        about="A post is right if its entities are exactly the gold ones. Only posts with a context are looked "
        "at; cases whose picture holds text that names a gold entity come first. Two models differ without any picture "
        "as well, so compare the counts with those of other readings below.",
        tables=tuple(tables),
        signatures=tuple((name, f1.signature) for one in results for name, f1 in one.readings.items()),
        cases=tuple(results),
    )


def _entities(case: Case) -> list[str]:
    return [told(case.words, spans) for spans in (case.gold, *(reading.spans for reading in case.readings))]


def told(words: Sequence[str], spans: Sequence[Span]) -> str:
    """Entities as text: their words and labels.

    >>> told(["Kevin", "Love", "won"], [Span(0, 2, "PER")])
    'Kevin Love PER'
    """
    return "; ".join(f"{' '.join(words[span.start : span.end])} {span.label}" for span in sorted(spans)) or "none"
