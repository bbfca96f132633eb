"""Explanations -> pages that stand alone: one file a post, picture inside, nothing loaded from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mner.contexts.entry_text import words_of
from mner.evidence import NOTICEABLE, Evidence, Explanation
from mner.files import write_text
from mner.overwrite import GENERATOR
from mner.show.display import STATUS, TONE, change, colour, legend, number
from mner.show.environment import template
from mner.show.picture import boxes, embed
from mner.show.terminal import cut
from mner.types import Prediction

if TYPE_CHECKING:
    from markupsafe import Markup

FEW = 3
"""Entities of a page, at most, that leave room below them for what was read from the picture."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the index; ``thumbnail`` is a data URI."""

    file: str
    name: str
    status: str
    used: bool
    runs: list[dict[str, Any]]
    verdicts: dict[str, int]
    thumbnail: str | None


def write_pages(explanations: Iterable[Explanation], folder: str | Path, *, title: str = "mner") -> list[Path]:
    """The files written: ``index.html`` and after it one page a post, in order.

    Posts are taken one by one, so memory holds one picture at a time. Each file appears only when it is whole; the
    index comes last. Pages of an earlier run into the same folder that this one did not replace are then removed.

    Args:
        explanations: What ``Tagger.explain`` returns.
        folder: Where the pages go; made if it is not there.
        title: Heading of the index.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    listed: list[Listed] = []
    remaining = iter(explanations)
    one = next(remaining, None)
    while one is not None:
        following = next(remaining, None)
        count = len(listed) + 1
        around = {"before": _file(count - 1) if count > 1 else None, "after": _file(count + 1) if following else None}
        path = folder / _file(count)
        write_text(path, page(one, number_=count, index="index.html", **around))
        written.append(path)
        listed.append(_listed(one, path.name, count))
        one = following
    index = folder / "index.html"
    write_text(
        index, template("index.html").render(title=title, posts=listed, labels=_labels(listed), totals=_totals(listed))
    )
    _remove_stale(folder, len(listed))
    return [index, *written]


def write_page(explanations: Iterable[Explanation], path: str | Path, *, title: str = "mner") -> Path:
    """The file written: one page with all posts, one below the other.

    Args:
        explanations: What ``Tagger.explain`` returns.
        path: The page.
        title: Its title, where there are several posts.
    """
    posts = [
        (_name(explained.prediction, number), _post(explained, number))
        for number, explained in enumerate(explanations, 1)
    ]
    write_text(Path(path), _whole(posts[0][0] if len(posts) == 1 else title, [post for _, post in posts]))
    return Path(path)


def page(
    one: Explanation,
    *,
    number_: int | None = None,
    index: str | None = None,
    before: str | None = None,
    after: str | None = None,
) -> str:
    """The page of one post: its text, its entities with and without the picture, and what was read.

    Args:
        one: The explanation.
        number_: The post's number, for a post without an id.
        index: Link to the index; None leaves it out, like the next two.
        before: Link to the page before.
        after: Link to the page after.
    """
    links = {"index": index, "before": before, "after": after}
    return _whole(_name(one.prediction, number_), [_post(one, number_, links)])


def _whole(title: str, posts: Sequence[Markup]) -> str:
    text: str = template("page.html").render(title=title, posts=posts)
    return text


def _post(one: Explanation, number_: int | None, links: Mapping[str, str | None] | None = None) -> Markup:
    """The part of a page that shows one post."""
    from markupsafe import Markup

    prediction = one.prediction
    picture = embed(one.picture)
    drawn, undrawn = boxes(one, picture) if picture else ([], 0)
    kinds = list(dict.fromkeys(piece.kind for piece in one.pieces))
    context = prediction.context
    text: str = template("post.html").render(
        name=_name(prediction, number_),
        status=STATUS[prediction.image_status],
        used=prediction.image_status == "used",
        reason=prediction.reason or "",
        view=prediction.view,
        runs=_runs(prediction),
        labels=legend(row.entity.label for row in one.evidence),
        few=FEW,
        rows=[_row(row, kinds) for row in one.evidence],
        picture=picture,
        alt=_alt(one),
        stroke=max(picture.width, picture.height) / 400 if picture else 1,
        boxes=drawn,
        undrawn=undrawn,
        captions=context.captions if context else (),
        tags=[(words_of(tag), tag.confidence, tag.source) for tag in context.tags] if context else [],
        ocr=_ocr(one),
        texts=context.texts if context else (),
        pieces=one.pieces,
        cut=cut(prediction),
        links=links or dict.fromkeys(("index", "before", "after")),
    )
    return Markup(text)  # noqa: S704 (the template escaped it)


def _row(row: Evidence, kinds: Sequence[str]) -> dict[str, Any]:
    entity = row.entity
    bars = [] if row.with_image is None else [("with the picture", "with", row.with_image)]
    bars.append(("without it" if bars else "words alone", "without", row.without_image))
    left_out = row.without_source if len(kinds) > 1 else {}  # of one kind alone it is the same as without the picture
    most = max(left_out.values(), key=lambda score: abs(score - (row.with_image or 0)), default=0.0)
    moved = abs(most - (row.with_image or 0)) >= NOTICEABLE
    verdict, gain = ("", "") if row.with_image is None else change(row.verdict, row.with_image, row.without_image)
    return {
        "text": entity.text,
        "label": entity.label,
        "label_without": row.label_without or "",
        "colour": colour(entity.label),
        "verdict": verdict,
        "tone": TONE[row.verdict],
        "gain": gain,
        "bars": [(name, kind, f"{100 * score:.1f}", number(score)) for name, kind, score in bars],
        "sources": [(kind, number(score), moved and score == most) for kind, score in left_out.items()],
        "matches": [match.text for match in row.matches],
    }


def _runs(prediction: Prediction) -> list[dict[str, Any]]:
    """The text cut at its entities; ``label`` is None outside of them."""
    runs: list[dict[str, Any]] = []
    text, at = prediction.text, 0
    for entity in prediction.entities:
        runs.append({"text": text[at : entity.start], "label": None})
        runs.append(
            {
                "text": text[entity.start : entity.end],
                "label": entity.label,
                "colour": colour(entity.label),
                "score": number(entity.score),
            }
        )
        at = entity.end
    runs.append({"text": text[at:], "label": None})
    return [run for run in runs if run["text"]]


def _ocr(one: Explanation) -> list[dict[str, Any]]:
    if one.prediction.context is None:
        return []
    owner = {match.text: row.entity for row in one.evidence for match in row.matches}
    return [
        {
            "text": text.text,
            "confidence": text.confidence,
            "source": text.source,
            "colour": colour(owner[text.text].label) if text.text in owner else None,
        }
        for text in one.prediction.context.ocr
    ]


def _alt(one: Explanation) -> str:
    context = one.prediction.context
    caption = context.captions[0].text if context is not None and context.captions else ""
    return f"The post's picture: {caption}" if caption else "The post's picture"


def _listed(one: Explanation, file: str, count: int) -> Listed:
    thumbnail = embed(one.picture, longest=144, quality=70)
    return Listed(
        file=file,
        name=_name(one.prediction, count),
        status=STATUS[one.prediction.image_status],
        used=one.prediction.image_status == "used",
        runs=_runs(one.prediction),
        verdicts=dict(Counter(row.verdict for row in one.evidence if row.verdict not in {"same", "no picture"})),
        thumbnail=thumbnail.uri if thumbnail else None,
    )


def _labels(listed: Iterable[Listed]) -> list[tuple[str, str, int]]:
    return legend(run["label"] for post in listed for run in post.runs if run["label"] is not None)


def _totals(listed: list[Listed]) -> dict[str, int]:
    totals: Counter[str] = Counter()
    for one in listed:
        totals.update(one.verdicts)
    return {verdict: totals[verdict] for verdict in TONE if totals[verdict]}


def _name(prediction: Prediction, count: int | None) -> str:
    return prediction.id or (f"post {count}" if count else "post")


def _remove_stale(folder: Path, count: int) -> None:
    """Remove the pages behind the last one, up to the first name that no page of ours has."""
    while is_page(stale := folder / _file(count + 1)):
        stale.unlink()
        count += 1


def is_page(path: Path) -> bool:
    """Whether a file is a page that mner wrote."""
    try:
        with path.open("rb") as stream:
            return GENERATOR in stream.read(500)
    except OSError:
        return False


def _file(count: int) -> str:
    return f"{count:05d}.html"
