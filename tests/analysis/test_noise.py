"""What all runs read alike against gold, and training labels at odds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from mner.analysis.noise import corrected, disagreements, noise
from mner.analysis.parts.label_consistency import Conflict, consistency
from mner.analysis.parts.loaded_run import LoadedRun
from mner.errors import DataError
from mner.types import Post, Span


def made(words: str, *spans: Span) -> Post:
    split = tuple(words.split())
    return Post("p", words, split, tuple((place, place + 1) for place in range(len(split))), spans)


POST = made("real madrid beat chelsea in paris", Span(0, 2, "ORG"), Span(3, 4, "ORG"), Span(5, 6, "LOC"))


@pytest.mark.parametrize(
    ("readings", "told"),
    [
        ([[Span(0, 2, "PER")]] * 2, [("type", (0, 2), (0, 2)), ("missed", (3, 4), None), ("missed", (5, 6), None)]),
        ([[Span(1, 2, "LOC"), Span(3, 4, "ORG"), Span(5, 6, "LOC")]] * 2, [("boundary", (0, 2), (1, 2))]),
        ([[*(POST.spans or ()), Span(2, 3, "PER")]] * 3, [("spurious", None, (2, 3))]),
        ([POST.spans or (), [Span(0, 2, "PER")]], []),  # one run agrees with gold, or they differ
        ([[Span(0, 2, "PER"), Span(3, 4, "ORG"), Span(5, 6, "LOC")], [Span(0, 2, "LOC"), Span(3, 4, "ORG")]], []),
    ],
)
def test_only_what_all_runs_say_counts(
    readings: Sequence[Sequence[Span]], told: list[tuple[str, tuple[int, int] | None, tuple[int, int] | None]]
) -> None:
    found = disagreements(POST, readings)
    assert [
        (
            one.kind,
            (one.gold[0].start, one.gold[0].end) if one.gold else None,
            one.agreed and (one.agreed.start, one.agreed.end),
        )
        for one in found
    ] == told


def test_gold_is_corrected_to_what_all_runs_say() -> None:
    readings = [[Span(1, 2, "LOC"), Span(5, 6, "LOC"), Span(2, 3, "PER")]] * 2
    found = disagreements(POST, readings)
    assert corrected(POST.spans or (), found) == [Span(1, 2, "LOC"), Span(2, 3, "PER"), Span(5, 6, "LOC")]


def test_labels_at_odds_are_counted_in_the_same_surroundings_alone() -> None:
    posts = [
        made("watch Paris win", Span(1, 2, "PER")),
        made("watch paris win", Span(1, 2, "LOC")),
        made("watch PARIS win", Span(1, 2, "LOC")),
        made("in paris win"),  # other words before it
        made("see real madrid play", Span(1, 3, "ORG")),
        made("see Real Madrid play"),  # the same words, no entity
        made("madrid", Span(0, 1, "LOC")),
    ]
    found = consistency(posts)
    assert (found.posts, found.entities, found.surfaces, found.ambiguous) == (7, 5, 3, 1)
    assert found.outside == 2  # "in paris win", "see Real Madrid play"
    assert (found.conflicts, found.occurrences, found.minority) == (2, 5, 2)
    assert found.shown == (
        Conflict("see", "real madrid", "play", {"ORG": 1, "O": 1}),
        Conflict("watch", "paris", "win", {"LOC": 2, "PER": 1}),
    )


def test_rows_are_read_together(opened: Callable[..., LoadedRun]) -> None:
    text = opened("text", model={"name": "text"}, loss={"views": ["T"]})
    found = noise([opened()], baseline=[text], train=lambda one: one.posts)
    # kevin, phoenix right in both; jordan missed by both; paris and madrid differ between the views; cleveland: the
    # words alone say PER, the I+T view LOC.
    assert found.counts == {"boundary": 0, "type": 0, "missed": 1, "spurious": 0}
    assert (found.readings, found.touched, found.entities) == (2, 1, 6)
    assert [(one.kind, one.id) for one in found.shown] == [("missed", "p4")]
    assert found.if_wrong.mean > found.f1.mean
    assert " view=I+T:gold=agreed " in found.if_wrong.signature
    assert (found.annotations.posts, found.annotations.conflicts) == (6, 0)


def test_other_posts_are_refused(opened: Callable[..., LoadedRun]) -> None:
    other = replace(opened("text"), data="made/dev@other")
    with pytest.raises(DataError, match="made/ita and made/text read different posts"):
        noise([opened()], baseline=[other], train=lambda one: one.posts)
