"""Gold labels that may be wrong: what all runs of two rows read alike and otherwise, and annotations at odds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mner.analysis.measured import Measured, measured
from mner.analysis.opened import Opened, Runs, Spans
from mner.errors import DataError
from mner.evaluation import score
from mner.types import Post, Span, ViewName

Kind = Literal["boundary", "type", "missed", "spurious"]
KINDS: dict[Kind, str] = {
    "boundary": "all find an entity with other ends than a gold one that it shares words with",
    "type": "all give a gold entity's words another type",
    "missed": "none finds anything on a gold entity's words",
    "spurious": "all find an entity where gold has none",
}
"""How all readings, agreed with one another, differ from gold."""

OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One entity on which all readings agree against gold: what gold has there, and what they find."""

    kind: Kind
    id: str
    words: tuple[str, ...]
    gold: tuple[Span, ...]
    found: Span | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Words that bear different labels between the same two words; "O" where they are no entity."""

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
        outside: Times that the words of an entity stand elsewhere without being one.
        conflicts: Words with their two neighbours that bear different labels.
        occurrences: How often these stand in the posts.
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


@dataclass(frozen=True, slots=True)
class Noise:
    """One row and a baseline on one split.

    Attributes:
        row: Data set and row, its I+T view read if it was trained on it.
        baseline: The other row, its T view read if it was trained on it.
        posts: Posts of the split.
        entities: Their gold entities.
        readings: Runs of both rows.
        counts: Disagreements by kind.
        touched: Posts with one.
        f1: Of the row.
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
    f1: Measured
    if_wrong: Measured
    annotations: Annotations
    shown: tuple[Disagreement, ...]


def noise(runs: Runs, *, baseline: Runs, train: Callable[[Opened], Iterable[Post]], most: int = 12) -> Noise:
    """What all runs of two rows read alike, and not as gold has it.

    Args:
        runs: Runs of the row.
        baseline: Runs of the other row.
        train: Gives the training posts of a run, whose labels are compared with one another.
        most: Disagreements kept of each kind, and conflicts in all.

    Raises:
        DataError: The rows have different posts.
    """
    one, ours = _read(runs)
    other, theirs = _read(baseline)
    if other.data != one.data:
        raise DataError(f"{one.row} and {other.row}: different posts, {one.data} and {other.data}")
    gold = [post.spans or () for post in one.posts]
    readings = [*ours, *theirs]
    by_post = [disagreements(post, [run[number] for run in readings]) for number, post in enumerate(one.posts)]
    better = [corrected(spans, some) for spans, some in zip(gold, by_post, strict=True)]
    found = [each for some in by_post for each in some]
    view: ViewName = "I+T" if "I+T" in one.trained else "T"
    return Noise(
        row=one.row,
        baseline=other.row,
        posts=len(one.posts),
        entities=sum(map(len, gold)),
        readings=len(readings),
        counts={kind: sum(each.kind == kind for each in found) for kind in KINDS},
        touched=sum(map(bool, by_post)),
        f1=measured([score(gold, run).micro.f1 for run in ours], config=one.config, data=one.data, view=view),
        if_wrong=measured(
            [score(better, run).micro.f1 for run in ours], config=one.config, data=one.data, view=f"{view}:gold=agreed"
        ),
        annotations=consistency(train(one), most=most),
        shown=tuple(each for kind in KINDS for each in [each for each in found if each.kind == kind][:most]),
    )


def disagreements(post: Post, readings: Sequence[Sequence[Span]]) -> list[Disagreement]:
    """The entities of a post on which all readings agree with one another and not with gold."""
    gold = set(post.spans or ())
    everywhere = set.intersection(*map(set, readings))
    anywhere = set.union(*map(set, readings))
    told = []
    for span in sorted(everywhere - gold):
        met = tuple(sorted(one for one in gold if _meet(one, span)))
        same = any((one.start, one.end) == (span.start, span.end) for one in met)
        kind: Kind = "type" if same else "boundary" if met else "spurious"
        told.append(Disagreement(kind, post.id, post.words, met, span))
    for one in sorted(gold):
        if not any(_meet(one, span) for span in anywhere):
            told.append(Disagreement("missed", post.id, post.words, (one,), None))
    return told


def corrected(gold: Sequence[Span], found: Iterable[Disagreement]) -> list[Span]:
    """Gold entities as all readings agree to have them."""
    kept = set(gold)
    for one in found:
        kept.difference_update(one.gold)
    return sorted(kept.union(one.found for one in found if one.found is not None))


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


def _meet(a: Span, b: Span) -> bool:
    return a.start < b.end and b.start < a.end


def _read(runs: Runs) -> tuple[Opened, list[Spans]]:
    """The last run of a row, and what each found."""
    found: list[Spans] = []
    one: Opened | None = None
    for one in runs:
        found.append(one.read(one.pieces() if "I+T" in one.trained else None))
    if one is None:
        raise ValueError("no run")
    return one, found
