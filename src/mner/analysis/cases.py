"""Posts that one model reads rightly with the picture and another wrongly without, and the reverse (Figures 4, 5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from pydantic import Field

from mner.analysis import About
from mner.analysis.parts.f1_summary import F1Summary, f1_summary
from mner.analysis.parts.inputs import Baseline, Inputs, RunSplit
from mner.analysis.parts.loaded_run import LoadedRun, Spans
from mner.analysis.parts.report import Case, Examples, Kind, Reading, Report, Table, columns
from mner.config import Section
from mner.errors import DataError
from mner.evaluation import score
from mner.evaluation.outcomes import counts
from mner.grounding.texts import Match, PictureTexts
from mner.runs.record import RunRecord, ScoredSplit
from mner.types import Post, Span, ViewName, VisualContext
from mner.views import Piece

KINDS = {
    "helped": "{without} wrong, {with_} right",
    "misled": "{without} right, {with_} wrong",
    "rescued": "{without} right, {unaligned} wrong, both views of {row} right",
}
"""What each kind of case is, in readings; a post is read rightly if its entities are exactly the gold ones."""


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of one experiment.

    Attributes:
        row: Data set and experiment.
        seed: Of the run that was read.
        posts: Posts of the split.
        used: Posts that have a context: text of the picture beside the words, or arrays of features.
        counts: Cases by kind; "rescued" only where an experiment without alignment was read.
        shown: Those to look at, by kind, those with text in the picture that names an entity first.
        readings: F1 of each reading, under its name.
    """

    row: str
    seed: int
    posts: int
    used: int
    counts: Mapping[str, int]
    shown: tuple[Case, ...]
    readings: Mapping[str, F1Summary]

    def meaning(self, kind: str) -> str:
        """What a kind of case is, in the names of the readings."""
        without, *others = self.readings
        return KINDS[kind].format(without=without, with_=others[-1], unaligned=others[-2:][0], row=self.row)


ABOUT = About(
    "posts that the picture helped or misled, and those that alignment rescued (Figures 4, 5)",
    reads="runs",
    result=Cases,
    posts=(("shown",),),
)


class Options(Section):
    """What the experiment is compared with, and how much is shown."""

    split: RunSplit = "dev"
    baseline: Baseline = None
    unaligned: Annotated[str | None, Field(description="The experiment without cross-view alignment.")] = None
    most: Annotated[int, Field(ge=1, le=10**9, description="Posts of each kind to show.")] = 12


def analyze(inputs: Inputs, options: Options) -> Report:
    """The cases of all experiments named, the first run of each."""
    baseline, unaligned = (
        None if row is None else inputs.first_run(row, options.split) for row in (options.baseline, options.unaligned)
    )
    runs = (inputs.first_run(row, options.split) for row in inputs.rows)
    return report([cases(run, baseline=baseline, unaligned=unaligned, most=options.most) for run in runs])


def turned(
    a: RunRecord, view_a: ViewName, b: RunRecord, view_b: ViewName, *, split: ScoredSplit
) -> tuple[int, int] | None:
    """Posts that run ``a`` reads wrongly and ``b`` rightly, and the reverse; None where a record has no outcomes.

    Two readings without a picture turn posts as well: compare the cases with this.
    """
    right = []
    for record, view in ((a, view_a), (b, view_b)):
        if not (outcomes := record.outcomes.get(split)):
            return None
        entities = counts(outcomes, view)
        right.append(((entities.correct == entities.predicted) & (entities.correct == entities.gold)).all(axis=1))
    before, after = right
    return int((after & ~before).sum()), int((before & ~after).sum())


class Source(NamedTuple):
    """Whose reading it is: an experiment, and the view that it decoded."""

    row: str
    view: ViewName

    def __str__(self) -> str:
        return f"{self.row} {self.view}"


@dataclass(frozen=True, slots=True)
class Readings:
    """The entities that models predict for each post of a split, and whose reading they are."""

    without: tuple[Source, Spans]
    with_: tuple[Source, Spans]
    aligned: tuple[Source, Spans] | None = None
    unaligned: tuple[Source, Spans] | None = None

    def all(self) -> Iterator[tuple[Source, Spans]]:
        """The readings, each once: the words alone, the own T view if that is another, unaligned, I+T."""
        for reading in (self.without, self.aligned, self.unaligned, self.with_):
            if reading is not None:
                yield reading


def cases(
    run: LoadedRun, *, baseline: LoadedRun | None = None, unaligned: LoadedRun | None = None, most: int = 12
) -> Cases:
    """The cases of a run.

    The picture helped where ``baseline`` (or, without one, the run's own T view) is wrong and the run's I+T view is
    right, and misled where it is the other way round. The alignment rescued a post where the words alone are read
    rightly, ``unaligned`` reads them wrongly beside the picture, and the run is right in both views.

    Args:
        run: The run.
        baseline: A run that reads the words alone.
        unaligned: A run without cross-view alignment.
        most: Cases shown of each kind.

    Raises:
        DataError: The runs have different posts, or two of them one name; or a run's contexts are not its posts' own.
    """
    for aware in (run, unaligned):
        if aware is not None:
            aware.must_be_own("cases")
    given = [each for each in (run, baseline, unaligned) if each is not None]
    configs = {each.row: each.config for each in given}
    if len(configs) < len(given):
        raise DataError(f"{run.row}: two of the experiments have the same name; compare experiments that differ")
    for other in given:
        other.must_have_posts_of(run)
    pieces = run.pieces()
    own = (Source(run.row, "T"), run.read())
    readings = Readings(
        without=own if baseline is None else (Source(baseline.row, "T"), baseline.read()),
        with_=(Source(run.row, "I+T"), run.read(pieces)),
        aligned=None if baseline is None else own,
        unaligned=None if unaligned is None else (Source(unaligned.row, "I+T"), unaligned.read(unaligned.pieces())),
    )
    pictured = run.pictured(pieces)
    everything = cases_among(run.posts, run.contexts, pieces=pieces, pictured=pictured, readings=readings)
    everything.sort(key=lambda case: not case.matches)
    by_kind = {
        kind: [case for case in everything if case.kind == kind]
        for kind in KINDS
        if kind != "rescued" or unaligned is not None
    }
    gold = [post.spans or () for post in run.posts]
    return Cases(
        row=run.row,
        seed=run.config.seed,
        posts=len(run.posts),
        used=sum(pictured),
        counts={kind: len(of_kind) for kind, of_kind in by_kind.items()},
        shown=tuple(case for of_kind in by_kind.values() for case in of_kind[:most]),
        readings={
            str(source): f1_summary(
                [score(gold, spans).micro.f1], config=configs[source.row], data=run.data, view=source.view
            )
            for source, spans in readings.all()
        },
    )


def cases_among(
    posts: Sequence[Post],
    contexts: Sequence[VisualContext | None],
    *,
    pieces: Sequence[tuple[Piece, ...]],
    pictured: Sequence[bool],
    readings: Readings,
) -> list[Case]:
    """All cases among the posts that are ``pictured``, in their order; a post may be a case of two kinds."""
    result = []
    for number, (post, context, beside, has) in enumerate(zip(posts, contexts, pieces, pictured, strict=True)):
        if not has:
            continue
        gold = frozenset(post.spans or ())
        right = {source: frozenset(spans[number]) == gold for source, spans in readings.all()}
        shown = tuple(Reading(str(source), tuple(spans[number]), right[source]) for source, spans in readings.all())
        for kind in _kinds(readings, right):
            named = tuple(_matches(post, context))
            result.append(Case(kind, post.id, post.words, post.image, tuple(post.spans or ()), shown, beside, named))
    return result


def _kinds(readings: Readings, right: Mapping[Source, bool]) -> Iterator[str]:
    without, with_ = right[readings.without[0]], right[readings.with_[0]]
    own = without if readings.aligned is None else right[readings.aligned[0]]
    if without != with_:
        yield "helped" if with_ else "misled"
    if readings.unaligned is not None and without and own and with_ and not right[readings.unaligned[0]]:
        yield "rescued"


def _matches(post: Post, context: VisualContext | None) -> Iterator[tuple[Span, Match]]:
    """Each gold entity with each OCR text that shares words with it."""
    texts = PictureTexts(() if context is None else context.ocr)
    for span in post.spans or ():
        for match in texts.matches(" ".join(post.words[span.start : span.end])):
            yield span, match


def report(results: Sequence[Cases]) -> Report:
    """The counts and F1 of each experiment, and its cases."""
    tables = []
    for result in results:
        rows = tuple((kind, result.meaning(kind), count) for kind, count in result.counts.items())
        note = (
            f"One run, seed {result.seed}. Of {result.posts} posts {result.used} have a context. "
            + "; ".join(f"{name} {f1}" for name, f1 in result.readings.items())
            + "."
        )
        tables.append(Table(result.row, columns("kind", "what that is", ("posts", "d")), rows, note))
    return Report(
        name="cases",
        title=ABOUT.title,
        about="A post is right if its entities are exactly the gold ones. Only posts with a context are looked "
        "at; cases whose picture holds text that names a gold entity come first. Two models differ without any picture "
        "as well, so compare the counts with those of other readings below.",
        results=tuple(results),
        tables=tuple(tables),
        signatures=tuple((name, f1.signature) for result in results for name, f1 in result.readings.items()),
        examples=tuple(
            Examples(
                result.row,
                tuple(Kind(kind, result.meaning(kind), count) for kind, count in result.counts.items()),
                result.shown,
            )
            for result in results
        ),
    )
