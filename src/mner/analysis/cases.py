"""Posts that a row reads rightly with the picture and another wrongly without, and the reverse (Figures 4 and 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from mner.analysis.measured import Measured, measured
from mner.analysis.opened import Opened, Spans
from mner.errors import DataError
from mner.evaluation import score
from mner.evaluation.outcomes import counts
from mner.evidence import Match, matches
from mner.runs.record import RunRecord, ScoredSplit
from mner.types import Post, Span, ViewName, VisualContext
from mner.views import Piece

Kind = Literal["helped", "misled", "rescued"]
KINDS: dict[Kind, str] = {
    "helped": "{without} wrong, {with_} right",
    "misled": "{without} right, {with_} wrong",
    "rescued": "{without} right, {unaligned} wrong, both views of {row} right",
}
"""What each kind of case is, in readings; a post is read rightly if its entities are exactly the gold ones."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one model found in one view of a post."""

    name: str
    spans: tuple[Span, ...]
    right: bool


@dataclass(frozen=True, slots=True)
class Case:
    """One post.

    Attributes:
        kind: What the picture or the alignment did.
        id: The post's id.
        words: Its words.
        image: Its picture's name.
        gold: Gold entities.
        readings: What each model found, the words alone first.
        pieces: What stood beside the words.
        matches: Texts in the picture that share words with a gold entity (Figure 5), with that entity.
    """

    kind: Kind
    id: str
    words: tuple[str, ...]
    image: str | None
    gold: tuple[Span, ...]
    readings: tuple[Reading, ...]
    pieces: tuple[Piece, ...]
    matches: tuple[tuple[Span, Match], ...] = ()


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of one row.

    Attributes:
        row: Data set and row.
        seed: Of the row's run that was read.
        posts: Posts of the split.
        used: Posts that have a context.
        counts: Cases found by kind; "rescued" only where a row without alignment was read.
        shown: Those kept, by kind, those with text in the picture that names an entity first.
        readings: F1 of each reading, under its name.
    """

    row: str
    seed: int
    posts: int
    used: int
    counts: Mapping[Kind, int]
    shown: tuple[Case, ...]
    readings: Mapping[str, Measured]

    def told(self, kind: Kind) -> str:
        """What a kind of case is, in the names of the readings."""
        without, *others = self.readings
        return KINDS[kind].format(without=without, with_=others[-1], unaligned=others[-2:][0], row=self.row)


def turned(
    a: RunRecord, view_a: ViewName, b: RunRecord, view_b: ViewName, *, split: ScoredSplit
) -> tuple[int, int] | None:
    """Posts that run ``a`` reads wrongly and ``b`` rightly, and the reverse; None where a run kept no outcomes.

    Two readings without a picture turn posts as well: this is what to hold the cases against.
    """
    right = []
    for record, view in ((a, view_a), (b, view_b)):
        if not (outcomes := record.outcomes.get(split)):
            return None
        found = counts(outcomes, view)
        right.append(((found.correct == found.predicted) & (found.correct == found.gold)).all(axis=1))
    before, after = right
    return int((after & ~before).sum()), int((before & ~after).sum())


class Source(NamedTuple):
    """Whose reading it is: a row, and the view that it decoded."""

    row: str
    view: ViewName

    def __str__(self) -> str:
        return f"{self.row} {self.view}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the models found in the posts of a split: entities of each post, and whose reading they are."""

    without: tuple[Source, Spans]
    with_: tuple[Source, Spans]
    aligned: tuple[Source, Spans] | None = None
    unaligned: tuple[Source, Spans] | None = None

    def all(self) -> Iterator[tuple[Source, Spans]]:
        """The readings, each once: the words alone, the row's T view if that is another, unaligned, I+T."""
        for one in (self.without, self.aligned, self.unaligned, self.with_):
            if one is not None:
                yield one


def cases(row: Opened, *, baseline: Opened | None = None, unaligned: Opened | None = None, most: int = 12) -> Cases:
    """The cases of a row.

    The picture helped where ``baseline`` (or, without one, the row's own T view) is wrong and the row's I+T view is
    right, and misled where it is the other way round. The alignment rescued a post where the words alone are read
    rightly, ``unaligned`` reads them wrongly beside the picture, and the row is right in both views.

    Args:
        row: The row, one run.
        baseline: A text-only row.
        unaligned: The row without cross-view alignment.
        most: Cases kept of each kind.

    Raises:
        DataError: The rows have different posts, or two of them one name; or a row's contexts are not its posts' own.
    """
    for one in (row, unaligned):
        if one is not None:
            one.must_be_own("cases")
    given = [one for one in (row, baseline, unaligned) if one is not None]
    configs = {one.row: one.config for one in given}
    if len(configs) < len(given):
        raise DataError(f"{row.row}: two of the rows have one name; compare rows that differ")
    for other in given:
        if other.data != row.data:
            raise DataError(f"{row.row} and {other.row}: different posts, {row.data} and {other.data}")
    pieces = row.pieces()
    own = (Source(row.row, "T"), row.read())
    seen = Seen(
        without=own if baseline is None else (Source(baseline.row, "T"), baseline.read()),
        with_=(Source(row.row, "I+T"), row.read(pieces)),
        aligned=None if baseline is None else own,
        unaligned=None if unaligned is None else (Source(unaligned.row, "I+T"), unaligned.read(unaligned.pieces())),
    )
    found = find(row.posts, row.contexts, pieces=pieces, seen=seen)
    found.sort(key=lambda case: (list(KINDS).index(case.kind), not case.matches))
    kinds: list[Kind] = ["helped", "misled", *(["rescued"] if unaligned is not None else [])]  # type: ignore[list-item]
    gold = [post.spans or () for post in row.posts]
    return Cases(
        row=row.row,
        seed=row.config.seed,
        posts=len(row.posts),
        used=sum(map(bool, pieces)),
        counts={kind: sum(case.kind == kind for case in found) for kind in kinds},
        shown=tuple(case for kind in kinds for case in [case for case in found if case.kind == kind][:most]),
        readings={
            str(source): measured(
                [score(gold, spans).micro.f1], config=configs[source.row], data=row.data, view=source.view
            )
            for source, spans in seen.all()
        },
    )


def find(
    posts: Sequence[Post],
    contexts: Sequence[VisualContext | None],
    *,
    pieces: Sequence[tuple[Piece, ...]],
    seen: Seen,
) -> list[Case]:
    """All cases among the posts that have a context, in their order; a post may be a case of two kinds."""
    found = []
    for number, (post, context, beside) in enumerate(zip(posts, contexts, pieces, strict=True)):
        if not beside:
            continue
        gold = frozenset(post.spans or ())
        right = {source: frozenset(spans[number]) == gold for source, spans in seen.all()}
        readings = tuple(Reading(str(source), tuple(spans[number]), right[source]) for source, spans in seen.all())
        for kind in _kinds(seen, right):
            named = tuple(_matches(post, context))
            found.append(Case(kind, post.id, post.words, post.image, tuple(post.spans or ()), readings, beside, named))
    return found


def _kinds(seen: Seen, right: Mapping[Source, bool]) -> Iterator[Kind]:
    without, with_ = right[seen.without[0]], right[seen.with_[0]]
    own = without if seen.aligned is None else right[seen.aligned[0]]
    if without != with_:
        yield "helped" if with_ else "misled"
    if seen.unaligned is not None and without and own and with_ and not right[seen.unaligned[0]]:
        yield "rescued"


def _matches(post: Post, context: VisualContext | None) -> Iterator[tuple[Span, Match]]:
    """Each gold entity with each OCR text that shares words with it."""
    for span in post.spans or ():
        for match in matches(post.words[span.start : span.end], () if context is None else context.ocr):
            yield span, match
