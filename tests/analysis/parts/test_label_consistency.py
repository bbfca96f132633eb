"""Labels of the same words that contradict each other."""

from __future__ import annotations

from mner.analysis.parts.label_consistency import Conflict, conflicts_table, consistency, consistency_table
from mner.types import Post, Span


def post_of(words: str, *spans: Span) -> Post:
    split = tuple(words.split())
    return Post("p", words, split, tuple((place, place + 1) for place in range(len(split))), spans)


def test_labels_at_odds_are_counted_in_the_same_surroundings_alone() -> None:
    posts = [
        post_of("watch Paris win", Span(1, 2, "PER")),
        post_of("watch paris win", Span(1, 2, "LOC")),
        post_of("watch PARIS win", Span(1, 2, "LOC")),
        post_of("in paris win"),  # other words before it
        post_of("see real madrid play", Span(1, 3, "ORG")),
        post_of("see Real Madrid play"),  # the same words, no entity
        post_of("madrid", Span(0, 1, "LOC")),
    ]
    result = consistency(posts)
    assert (result.posts, result.entities, result.surfaces, result.ambiguous) == (7, 5, 3, 1)
    assert result.outside == 2  # "in paris win", "see Real Madrid play"
    assert (result.conflicts, result.occurrences, result.minority) == (2, 5, 2)
    assert result.shown == (
        Conflict("see", "real madrid", "play", {"ORG": 1, "O": 1}),
        Conflict("watch", "paris", "win", {"LOC": 2, "PER": 1}),
    )
    assert conflicts_table(result).rows[0] == ("real madrid", "see ... play", "ORG 1, O 1")
    assert dict(consistency_table(result).rows)["their occurrences"] == 5
