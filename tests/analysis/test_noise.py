"""What all runs read alike against gold, and training labels at odds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from mner.analysis.noise import corrected, disagreements, noise
from mner.analysis.parts.loaded_run import LoadedRun
from mner.errors import DataError
from mner.types import Post, Span


def post_of(words: str, *spans: Span) -> Post:
    split = tuple(words.split())
    return Post("p", words, split, tuple((place, place + 1) for place in range(len(split))), spans)


POST = post_of("real madrid beat chelsea in paris", Span(0, 2, "ORG"), Span(3, 4, "ORG"), Span(5, 6, "LOC"))


@pytest.mark.parametrize(
    ("readings", "shown"),
    [
        ([[Span(0, 2, "PER")]] * 2, [("type", (0, 2), (0, 2)), ("missed", (3, 4), None), ("missed", (5, 6), None)]),
        ([[Span(1, 2, "LOC"), Span(3, 4, "ORG"), Span(5, 6, "LOC")]] * 2, [("boundary", (0, 2), (1, 2))]),
        ([[*(POST.spans or ()), Span(2, 3, "PER")]] * 3, [("spurious", None, (2, 3))]),
        ([POST.spans or (), [Span(0, 2, "PER")]], []),  # one run agrees with gold, or they differ
        ([[Span(0, 2, "PER"), Span(3, 4, "ORG"), Span(5, 6, "LOC")], [Span(0, 2, "LOC"), Span(3, 4, "ORG")]], []),
    ],
)
def test_only_what_all_runs_say_counts(
    readings: Sequence[Sequence[Span]], shown: list[tuple[str, tuple[int, int] | None, tuple[int, int] | None]]
) -> None:
    result = disagreements(POST, readings)
    assert [
        (
            each.kind,
            (each.gold[0].start, each.gold[0].end) if each.gold else None,
            each.agreed and (each.agreed.start, each.agreed.end),
        )
        for each in result
    ] == shown


def test_gold_is_corrected_to_what_all_runs_say() -> None:
    readings = [[Span(1, 2, "LOC"), Span(5, 6, "LOC"), Span(2, 3, "PER")]] * 2
    result = disagreements(POST, readings)
    assert corrected(POST.spans or (), result) == [Span(1, 2, "LOC"), Span(2, 3, "PER"), Span(5, 6, "LOC")]


def test_rows_are_read_together(opened: Callable[..., LoadedRun]) -> None:
    text = opened("text", model={"name": "text"}, loss={"views": ["T"]})
    result = noise([opened()], baseline=[text], train=lambda each: each.posts)
    # kevin, phoenix right in both; jordan missed by both; paris and madrid differ between the views; cleveland: the
    # words alone say PER, the I+T view LOC.
    assert result.counts == {"boundary": 0, "type": 0, "missed": 1, "spurious": 0}
    assert (result.readings, result.touched, result.entities) == (2, 1, 6)
    assert [(each.kind, each.id) for each in result.shown] == [("missed", "p4")]
    assert result.if_wrong.mean > result.f1.mean
    assert " view=I+T:gold=agreed " in result.if_wrong.signature
    assert (result.annotations.posts, result.annotations.conflicts) == (6, 0)


def test_other_posts_are_refused(opened: Callable[..., LoadedRun]) -> None:
    other = replace(opened("text"), data="made/dev@other")
    with pytest.raises(DataError, match="made/ita and made/text read different posts"):
        noise([opened()], baseline=[other], train=lambda each: each.posts)
