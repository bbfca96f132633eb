"""A file of predictions beside the posts it is about -> each post's entities, and the boxes that show them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mner.bounded import text_lines
from mner.data.lines import clipped, printable
from mner.data.records import excluded, parse
from mner.errors import DataError, why_not
from mner.types import Box, Post, Prediction, Span

Characters = tuple[Span, tuple[Box, ...]]
"""An entity by the characters of its post, not by words, and its boxes in the post's first picture, the best first."""

_EXPECTED = 'Expected {"text": ..., "entities": [...]} a line, as mner predict writes; a model is named by its folder'


def of_prediction(prediction: Prediction) -> list[Characters]:
    """The entities of a prediction with their boxes.

    >>> from mner.types import Entity
    >>> of_prediction(Prediction("1", "Kevin won", (Entity(0, 5, "Kevin", "PER", 0.9),)))
    [(Span(start=0, end=5, label='PER'), ())]
    """
    return [
        (
            Span(entity.start, entity.end, entity.label),
            tuple(region.box for region in entity.regions or () if region.picture == 0),
        )
        for entity in prediction.entities
    ]


def of_gold(post: Post, boxes: Sequence[Sequence[Box]] | None = None) -> list[Characters]:
    """The gold entities of a post, each with its boxes.

    >>> of_gold(Post("Kevin Love won", spans=(Span(0, 2, "PER"),)))
    [(Span(start=0, end=10, label='PER'), ())]
    """
    spans = post.spans or ()
    return [
        (Span(post.offsets[span.start][0], post.offsets[span.end - 1][1], span.label), tuple(shown))
        for span, shown in zip(spans, boxes or [()] * len(spans), strict=True)
    ]


def read_predictions(path: str | Path, posts: Sequence[Post]) -> tuple[list[list[Characters]], str]:
    """The entities of each post that counts, from a file of predictions, and the view: "I+T" if any was read in it.

    The file holds a JSON object a line, as ``mner predict`` writes them, in the order of the posts: ``text`` and
    ``entities``, each with ``start``, ``end`` and ``label``, and perhaps ``regions``, each with a ``box``. Other keys
    are not read, so that the predictions of any system can be written in this form. Posts that their annotator
    rejected or skipped do not count; the file holds predictions of all of them, or of none.

    Raises:
        DataError: The file is missing, a line is no prediction, or it is about another text than the post.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: {why_not(path, 'file')}. {_EXPECTED}")
    try:
        lines = list(text_lines(path))
    except DataError as error:
        raise DataError(f"{error}. {_EXPECTED}") from None
    entities = []
    view = "T"
    counted = [post for post in posts if not excluded(post.extra)]
    if len(lines) == len(counted):
        posts = counted
    for (where, line), post in zip(lines, posts, strict=False):
        try:
            row = _row(line)
            if row.get("text") != post.text:
                raise DataError(
                    f'predicts "{clipped(str(row.get("text")))}", but {post.where or "the post"} is '
                    f'"{clipped(post.text)}". Predict the posts of this file, in its order'
                )
            if excluded(post.extra):
                continue
            entities.append([_entity(entity) for entity in row["entities"]])
        except DataError as error:
            raise DataError(f"{where}: {printable(str(error))}") from None
        view = "I+T" if row.get("view") == "I+T" else view
    if len(lines) != len(posts):
        raise DataError(f"{path}: {len(lines)} predictions for {len(posts)} posts. Predict all posts of one file")
    return entities, view


def _row(line: str) -> dict[str, Any]:
    try:
        row = parse(line)
    except DataError as error:
        raise DataError(f"{error}. {_EXPECTED}") from None
    if not isinstance(row, dict) or not isinstance(row.get("entities"), list):
        raise DataError(f"found {clipped(line)}. {_EXPECTED}")
    return row


def _entity(entity: Any) -> Characters:
    fields = entity if isinstance(entity, dict) else {}
    start, end, label = fields.get("start"), fields.get("end"), fields.get("label")
    regions = fields.get("regions") or []
    if type(start) is not int or type(end) is not int or not isinstance(label, str) or not isinstance(regions, list):
        raise DataError(
            f'"entities": expected {{"start", "end", "label", "regions"}}, found {clipped(repr(entity), 80)}'
        )
    return Span(start, end, label), tuple(_box(region) for region in regions if not _elsewhere(region))


def _elsewhere(region: Any) -> bool:
    """Whether a region lies in another picture than the post's first."""
    return isinstance(region, dict) and region.get("picture") not in (None, 0)


def _box(region: Any) -> Box:
    box = region.get("box") if isinstance(region, dict) else None
    if not isinstance(box, list) or len(box) != 4 or not all(type(side) in (int, float) for side in box):
        raise DataError(f'"regions": expected {{"box": [left, top, right, bottom]}}, found {clipped(repr(region), 80)}')
    left, top, right, bottom = box
    return left, top, right, bottom
