"""pandas: a data frame with a column of texts -> the same with their entities."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

from mner.errors import DataError, MissingExtraError
from mner.tagger import MinScore, Tagger, load

if TYPE_CHECKING:
    from pandas import DataFrame

STATUS = "image_status"
"""The column that says what became of each picture."""

_PARTS = {"text": "string", "label": "string", "start": "Int64", "end": "Int64", "score": "Float64"}


def tag_frame(
    frame: DataFrame,
    tagger: Tagger | None = None,
    *,
    text: Hashable = "text",
    image: Hashable | None = None,
    column: Hashable = "entities",
    explode: bool = False,
    min_score: MinScore = 0.0,
) -> DataFrame:
    """A copy of a data frame with the entities of each row.

    The index, the order and all columns stay. ``column`` holds a list of {"start", "end", "text", "label", "score"},
    empty where the text is missing (None or NaN). With ``image`` the column ``image_status`` says what became of each
    picture. Rows are tagged in batches, so that memory holds the predictions of a few at a time.

    Args:
        frame: The data frame; it stays as it is.
        tagger: The model; None: ``mner.load()``.
        text: The column of the texts.
        image: The column of the pictures: paths, the bytes of files, or PIL images, or a list of these where a text has
            several; missing where there is none.
        column: The new column.
        explode: One row per entity instead, as ``DataFrame.explode`` makes them, with the columns ``entity_text``,
            ``entity_label``, ``entity_start``, ``entity_end`` and ``entity_score``; missing where a row has none.
        min_score: Least probability of an entity, or "calibrated".

    Raises:
        DataError: A column is not there, would be written over, or holds something other than texts.
        MissingExtraError: pandas is not installed.

    >>> import pandas
    >>> frame = pandas.DataFrame({"text": ["Kevin Love is back in Cleveland", None]}, index=["a", "b"])
    >>> tag_frame(frame, explode=True, min_score=0.5)[["entity_text", "entity_label"]]
      entity_text entity_label
    a  Kevin Love          PER
    a   Cleveland          LOC
    b        <NA>         <NA>
    """
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise MissingExtraError(f'tag_frame needs pandas ({error}): pip install "mner[pandas]"') from error

    if not isinstance(frame, pandas.DataFrame):
        raise TypeError(f"frame: expected a pandas.DataFrame, got {type(frame).__name__}")
    new = [f"entity_{part}" for part in _PARTS] if explode else [column]
    _check(frame, [text, *([] if image is None else [image])], [*new, *([] if image is None else [STATUS])])
    entities, statuses = [], []
    for prediction in (tagger or load()).pipe(_rows(frame, text, image), min_score=min_score):
        entities.append([entity.to_dict() for entity in prediction.entities])
        statuses.append(prediction.image_status)
    tagged = frame.copy()
    if image is not None:
        tagged[STATUS] = statuses
    if not explode:
        tagged[column] = pandas.Series(entities, index=frame.index, dtype=object)
        return tagged
    rows = [(place, entity) for place, row in enumerate(entities) for entity in row or [{}]]
    exploded = tagged.iloc[[place for place, _ in rows]].copy()
    for part, kind in _PARTS.items():
        exploded[f"entity_{part}"] = pandas.array([entity.get(part) for _, entity in rows], dtype=kind)
    return exploded


def _check(frame: DataFrame, needed: list[Hashable], new: list[Hashable]) -> None:
    """Refuse a frame that lacks a column, has two of that name, or has one of the new columns."""
    for name in needed:
        count = list(frame.columns).count(name)
        if count != 1:
            have = f"{count} columns have that name" if count else f"there are {', '.join(map(str, frame.columns))}"
            raise DataError(f'column "{name}": expected one column of that name; {have}')
    for name in new:
        if name in frame.columns:
            raise DataError(
                f'column "{name}" is there already, and is not written over; rename it, or name another: column="..."'
            )


def _rows(frame: DataFrame, text: Hashable, image: Hashable | None) -> Iterator[dict[str, Any]]:
    """The posts of a frame; a missing text has no words and no picture."""
    texts, absent = frame[text], frame[text].isna()
    pictures = [None] * len(frame) if image is None else frame[image].astype(object).where(frame[image].notna(), None)
    for index, value, missing, picture in zip(frame.index, texts, absent, pictures, strict=True):
        if missing:
            yield {"text": ""}
        elif isinstance(value, str):
            yield {"text": value, "image": _picture(picture)}
        else:
            raise DataError(f'column "{text}", row {index}: expected a text, found {type(value).__name__}')


def _picture(cell: Any) -> Any:
    """The picture of a cell, or the list of several that an array holds; a text of numpy is a path."""
    return list(cell) if hasattr(cell, "tolist") and not isinstance(cell, str | bytes) else cell
