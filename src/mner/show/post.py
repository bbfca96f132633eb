"""One explanation -> its part of a page, or a page of its own: the post, its entities, its picture, what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mner.contexts.entry_text import words_of
from mner.evaluation.errors import Judged, judge
from mner.evidence import NOTICEABLE, Evidence, Explanation
from mner.several import apart
from mner.show.display import STATUS, TONE, change, colour, legend, number
from mner.show.environment import template
from mner.show.picture import Embedded, boxes, embed_all
from mner.show.terminal import cut
from mner.types import Entity, Prediction, VisualContext

if TYPE_CHECKING:
    from markupsafe import Markup

FEW = 3
"""Entities of a page, at most, that leave room below them for what was read from the picture."""


def page(
    explanation: Explanation,
    *,
    number_: int | None = None,
    index: str | None = None,
    before: str | None = None,
    after: str | None = None,
) -> str:
    """The page of one post: its text, its entities with and without the picture, and what was read.

    Args:
        explanation: The explanation.
        number_: The post's number, for a post without an id.
        index: Link to the index; None leaves it out, like the next two.
        before: Link to the page before.
        after: Link to the page after.
    """
    name = name_of(explanation.prediction, number_)
    links = {"index": index, "before": before, "after": after}
    text: str = template("page.html").render(
        title=name, post=part(explanation, name, pictures=embed_all(explanation), links=links)
    )
    return text


def part(
    explanation: Explanation,
    name: str,
    *,
    pictures: Sequence[Embedded | None],
    links: Mapping[str, str | None] | None = None,
    with_evidence: bool = True,
) -> Markup:
    """The part of a page that shows one post.

    Args:
        explanation: The explanation.
        name: Its heading; "" leaves it out.
        pictures: Its pictures, in their order; None stands for one that cannot be shown.
        links: Where index, before and after lead; None leaves out all three.
        with_evidence: Whether there is a table of its entities.
    """
    from markupsafe import Markup

    prediction = explanation.prediction
    shows = [_show(explanation, picture, place) for place, picture in enumerate(pictures) if picture is not None]
    judged = judged_of(explanation)
    text: str = template("post.html").render(
        name=name,
        status=STATUS[prediction.image_status],
        used=prediction.image_status == "used",
        reason=prediction.reason or "",
        view=prediction.view,
        runs=runs_of(prediction, explanation.evidence),
        labels=legend(entity.label for entity in (*prediction.entities, *(row.entity for row in explanation.evidence))),
        few=FEW,
        with_evidence=with_evidence,
        rows=[_row(row, judged) for row in explanation.evidence],
        missed=[
            {"text": each.entity.text, "label": each.entity.label, "colour": colour(each.entity.label)}
            for each in judged
            if each.outcome == "missed"
        ],
        pictures=shows,
        several=_several(prediction),
        readings=_readings(explanation),
        pieces=explanation.pieces,
        cut=cut(prediction),
        links=links or dict.fromkeys(("index", "before", "after")),
    )
    return Markup(text)  # noqa: S704 (the template escaped it)


def name_of(prediction: Prediction, count: int | None = None) -> str:
    """The post's id; of a post without one its number."""
    return prediction.id or (f"post {count}" if count else "post")


def judged_of(explanation: Explanation) -> tuple[Judged, ...]:
    """The entities of a prediction, and those it missed, beside the gold ones; none where these are not known."""
    return () if explanation.gold is None else judge(explanation.prediction.entities, explanation.gold)


def runs_of(prediction: Prediction, evidence: Sequence[Evidence] = ()) -> list[dict[str, Any]]:
    """The text cut at its entities; ``label`` is None outside of them, ``row`` the number of an entity's evidence."""
    rows = {(row.entity.start, row.entity.end): number for number, row in enumerate(evidence)}
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
                "row": rows.get((entity.start, entity.end)),
            }
        )
        at = entity.end
    runs.append({"text": text[at:], "label": None})
    return [run for run in runs if run["text"]]


def _row(row: Evidence, judged: Sequence[Judged]) -> dict[str, Any]:
    entity = row.entity
    bars = [] if row.with_image is None else [("with the picture", "with", row.with_image)]
    bars.append(("without it" if bars else "words alone", "without", row.without_image))
    left_out = row.without_source if len(row.without_source) > 1 else {}  # of one kind it is as without the picture
    pictures = {f"picture {number_}": score for number_, score in enumerate(row.without_picture, 1)}
    verdict, gain = ("", "") if row.with_image is None else change(row.verdict, row.with_image, row.without_image)
    judgement = next(
        (each for each in judged if each.outcome != "missed" and _mark(each.entity) == _mark(entity)), None
    )
    return {
        "text": entity.text,
        "label": entity.label,
        "label_without": row.label_without or "",
        "colour": colour(entity.label),
        "outcome": judgement.outcome if judgement else "",
        "gold": judgement.gold if judgement else None,
        "verdict": verdict,
        "tone": TONE[row.verdict],
        "gain": gain,
        "bars": [(name, kind, f"{100 * score:.1f}", number(score)) for name, kind, score in bars],
        "sources": _left_out(left_out, row.with_image) + _left_out(pictures, row.with_image),
        "places": _places(row),
    }


def _mark(entity: Entity) -> tuple[int, int, str]:
    """What makes two entities the same; their scores are computed twice, and may differ a little."""
    return entity.start, entity.end, entity.label


def _places(row: Evidence) -> list[tuple[str, str]]:
    """What shows an entity in the picture, and how that was matched; of texts without a place the text alone."""
    regions = [(region.text, f"{region.match}, {number(region.score)}") for region in row.entity.regions or ()]
    return regions or [(match.text, "") for match in row.matches]


def _left_out(scores: Mapping[str, float], with_image: float | None) -> list[tuple[str, str, bool]]:
    """What was left out, the probability without it, and whether it is what moved it most, and noticeably."""
    moves = {name: abs(score - (with_image or 0)) for name, score in scores.items()}
    most = max(moves.values(), default=0.0)
    return [(name, number(score), moves[name] == most >= NOTICEABLE) for name, score in scores.items()]


def _several(prediction: Prediction) -> list[dict[str, str]]:
    """Name, status and reason of each of several pictures."""
    return [
        {"name": each.image or "", "status": STATUS[each.status], "reason": each.reason or ""}
        for each in prediction.pictures
    ]


def _show(explanation: Explanation, picture: Embedded, place: int) -> dict[str, Any]:
    """A picture with what is drawn over it."""
    drawn, undrawn = boxes(explanation, picture, place)
    return {
        "file": picture,
        "number": place + 1 if explanation.prediction.pictures else None,
        "alt": _alt(explanation, place),
        "stroke": max(picture.width, picture.height) / 400,
        "boxes": drawn,
        "undrawn": undrawn,
    }


def _readings(explanation: Explanation) -> list[dict[str, Any]]:
    """What was read from each picture; of a post with a single one without its number."""
    context = explanation.prediction.context
    if context is None or context.empty:
        return []
    several = bool(explanation.prediction.pictures)
    return [
        {
            "number": place + 1 if several else None,
            "captions": read.captions,
            "tags": [(words_of(tag), tag.confidence, tag.source) for tag in read.tags],
            "ocr": _ocr(explanation, read, place),
            "texts": read.texts,
        }
        for place, read in apart(context).items()
    ]


def _ocr(explanation: Explanation, read: VisualContext, place: int) -> list[dict[str, Any]]:
    matches = [(match, row.entity) for row in explanation.evidence for match in row.matches]
    owner = {match.text: entity for match, entity in matches if match.picture == place}
    return [
        {
            "text": text.text,
            "confidence": text.confidence,
            "source": text.source,
            "colour": colour(owner[text.text].label) if text.text in owner else None,
        }
        for text in read.ocr
    ]


def _alt(explanation: Explanation, place: int) -> str:
    context = explanation.prediction.context
    read = None if context is None else apart(context).get(place)
    caption = read.captions[0].text if read is not None and read.captions else ""
    which = f"The post's picture {place + 1}" if explanation.prediction.pictures else "The post's picture"
    return f"{which}: {caption}" if caption else which
