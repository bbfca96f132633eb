"""Both views by what divides the posts or their entities."""

from __future__ import annotations

from collections.abc import Sequence

from mner.analysis import ANALYSES
from mner.analysis.slices import FEWEST, Slice, Slices
from mner.runs.compare import GENERATOR_SEED, RESAMPLES
from mner.show.charts import Bars
from mner.show.comparison import bounds, p_value
from mner.show.display import signed
from mner.show.exhibit import Exhibit, Table, mean_sd

COLUMNS = ("by", "part", "posts", "entities", "T", "I+T", "gain", "95 % interval", "p")
INTERVALS = (
    f"Intervals and p: paired bootstrap of the gain over the part's posts, {RESAMPLES:,} resamples, generator "
    f"{GENERATOR_SEED}, the seeds as they are; none where fewer than {FEWEST} posts hold an entity. None is corrected "
    "for the number of parts. Of two rows the seeds that both have are read."
)


def exhibit(results: Sequence[Slices]) -> Exhibit:
    """A table and a chart for each row."""
    tables = [
        Table(
            heading(one),
            COLUMNS,
            tuple(map(row, one.slices)),
            " ".join(f"Not divided by {name}: {reason}." for name, reason in one.absent.items()),
        )
        for one in results
    ]
    return Exhibit(
        name="slices",
        title=ANALYSES["slices"],
        about="An entity is seen if its words, whatever their case, are those of a gold entity of the training posts; "
        "predicted entities are told apart in the same way. Relation: scores that the artefact holds, in three parts "
        f"by rank. Captions: how many stand beside the words. {INTERVALS}",
        tables=tuple(tables),
        charts=tuple(map(gains, results)),
        signatures=tuple(pair for one in results for pair in signatures(one)),
    )


def heading(one: Slices) -> str:
    """What is compared with what."""
    return f"{one.row} I+T against " + ("T" if one.row == one.baseline else f"{one.baseline} T")


def row(part: Slice) -> tuple[str, ...]:
    """A slice as a line under ``COLUMNS``."""
    f1 = (mean_sd(part.without), mean_sd(part.with_))
    sure = ("-", "-") if part.interval is None else (bounds(part.interval), p_value(part.interval.p))
    return (part.by, part.name, str(part.posts), str(part.entities), *f1, signed(part.gain), *sure)


def gains(one: Slices) -> Bars:
    """The gain of each slice as a bar."""
    groups = tuple((f"{part.by}: {part.name}", (part.gain,)) for part in one.slices)
    return Bars(f"Gain: {heading(one)}", "F1 of I+T minus F1 of T", ("gain",), groups)


def signatures(one: Slices) -> list[tuple[str, str]]:
    """Both numbers of each slice, with their signatures."""
    return [
        pair
        for part in one.slices
        for pair in (
            (f"{one.baseline} T, {part.by}: {part.name}", part.without.signature),
            (f"{one.row} I+T, {part.by}: {part.name}", part.with_.signature),
        )
    ]
