"""How consistent gold labels are: the same words between the same neighbours with different labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mner.analysis.parts.report import Cell, Table, columns
from mner.types import Post, Span

OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Words that have different labels between the same two words; "O" where they are no entity."""

    before: str
    words: str
    after: str
    labels: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Annotations:
    """How consistent some gold labels are.

    Attributes:
        posts: Number of posts.
        entities: Their gold entities.
        surfaces: Different entities by their words, whatever their case.
        ambiguous: Those of them that have several types.
        outside: Times that the words of an entity occur elsewhere without being one.
        conflicts: Words with their two neighbours that have different labels.
        occurrences: How often these occur in the posts.
        minority: Occurrences whose label is not the most frequent one of their kind: so many labels at least would
            have to change before these posts agreed with themselves.
        shown: The conflicts with the most of these.
    """

    posts: int
    entities: int
    surfaces: int
    ambiguous: int
    outside: int
    conflicts: int
    occurrences: int
    minority: int
    shown: tuple[Conflict, ...]


def consistency(posts: Iterable[Post], *, most: int = 12) -> Annotations:
    """How consistent the gold labels of posts are: the same words between the same neighbours, labelled otherwise.

    Words are compared whatever their case. Where words begin several known entities, the longest counts.
    """
    labelled = [post for post in posts if post.spans is not None]
    folded = [tuple(word.casefold() for word in post.words) for post in labelled]
    types: dict[tuple[str, ...], Counter[str]] = {}
    for post, words in zip(labelled, folded, strict=True):
        for span in post.spans or ():
            types.setdefault(words[span.start : span.end], Counter())[span.label] += 1
    lengths = sorted({len(words) for words in types}, reverse=True)
    seen: dict[tuple[str, tuple[str, ...], str], Counter[str]] = {}
    for post, words in zip(labelled, folded, strict=True):
        for start, end, label in _occurrences(words, post.spans or (), types, lengths):
            around = (words[start - 1] if start else "", words[start:end], words[end] if end < len(words) else "")
            seen.setdefault(around, Counter())[label] += 1
    odd = {around: labels for around, labels in seen.items() if len(labels) > 1}
    ranked = sorted(odd, key=lambda around: (-_minority(odd[around]), around))
    return Annotations(
        posts=len(labelled),
        entities=sum(labels.total() for labels in types.values()),
        surfaces=len(types),
        ambiguous=sum(len(labels) > 1 for labels in types.values()),
        outside=sum(labels[OUTSIDE] for labels in seen.values()),
        conflicts=len(odd),
        occurrences=sum(labels.total() for labels in odd.values()),
        minority=sum(map(_minority, odd.values())),
        shown=tuple(
            Conflict(before, " ".join(words), after, dict(odd[before, words, after].most_common()))
            for before, words, after in ranked[:most]
        ),
    )


def _occurrences(
    words: Sequence[str], spans: Sequence[Span], known: Collection[tuple[str, ...]], lengths: Sequence[int]
) -> Iterator[tuple[int, int, str]]:
    """Each gold entity, and each stretch outside of them whose words are those of an entity somewhere: its label."""
    taken = {place for span in spans for place in range(span.start, span.end)}
    yield from ((span.start, span.end, span.label) for span in spans)
    start = 0
    while start < len(words):
        fitting = (
            start + length
            for length in lengths
            if start + length <= len(words)
            and tuple(words[start : start + length]) in known
            and taken.isdisjoint(range(start, start + length))
        )
        end = next(fitting, None)
        if end is not None:
            yield start, end, OUTSIDE
        start = end or start + 1


def _minority(labels: Counter[str]) -> int:
    return labels.total() - max(labels.values())


def consistency_table(labels: Annotations) -> Table:
    """The numbers as a table."""
    rows: tuple[tuple[str, int], ...] = (
        ("posts", labels.posts),
        ("entities", labels.entities),
        ("different entities by their words", labels.surfaces),
        ("of these with several types", labels.ambiguous),
        ("times the same words are no entity elsewhere", labels.outside),
        ("words with both neighbours that have different labels", labels.conflicts),
        ("their occurrences", labels.occurrences),
        ("of these not labelled as most of their kind", labels.minority),
    )
    return Table("Consistency of the training labels", columns("what", ("number", ",d")), rows)


def conflicts_table(labels: Annotations) -> Table:
    """The conflicts that are shown."""
    headings = columns("words", "between", "labels")
    return Table("Training labels that contradict each other", headings, tuple(map(_conflict, labels.shown)))


def _conflict(conflict: Conflict) -> tuple[Cell, ...]:
    labels = ", ".join(f"{label} {count}" for label, count in conflict.labels.items())
    return (conflict.words, f"{conflict.before or '(start)'} ... {conflict.after or '(end)'}", labels)
