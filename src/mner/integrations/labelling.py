"""Predictions -> pre-annotations that Label Studio, doccano and Prodigy import, for people to correct."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import tee
from typing import Any, Literal

from mner.bulk import line
from mner.tagger import MinScore, Tagger
from mner.types import Post, Prediction

Tool = Literal["label-studio", "doccano", "prodigy"]
"""A tool in which people label texts."""


def lines(
    tagger: Tagger,
    posts: Iterable[Post],
    tool: Tool,
    *,
    min_score: MinScore = 0.0,
    watch: Callable[[Prediction], None] = lambda prediction: None,
) -> Iterator[str]:
    """The lines of the file that a tool imports: a JSON array for Label Studio, JSON lines for the others.

    Args:
        tagger: The model.
        posts: The posts, which may come from a stream.
        tool: The tool.
        min_score: Least probability of an entity, or "calibrated".
        watch: Called with each prediction.
    """
    held, read = tee(posts)
    array = tool == "label-studio"
    before = "["
    for post, prediction in zip(held, tagger.pipe(read, min_score=min_score), strict=True):
        watch(prediction)
        row = line(task(post, prediction, tool, model=tagger.config.name))
        yield f"{before}{row}" if array else row
        before = ","
    if array:
        yield "]" if before == "," else "[]"


def task(post: Post, prediction: Prediction, tool: Tool, *, model: str = "mner") -> dict[str, Any]:
    """One task of a tool: the text, the picture's name and the entities.

    Args:
        post: The post, whose words Prodigy gets as its tokens.
        prediction: What was predicted for it.
        tool: The tool.
        model: The name that Label Studio shows of the model.

    >>> post = Post("Bo won", image="1.jpg")
    >>> from mner.types import Entity
    >>> task(post, Prediction("", "Bo won", (Entity(0, 2, "Bo", "PER", 0.9),), image="1.jpg"), "doccano")
    {'text': 'Bo won', 'image': '1.jpg', 'label': [[0, 2, 'PER']]}
    """
    row = prediction.to_dict()
    shared: dict[str, Any] = {
        key: row[key] for key in ("id", "text", "image", "images") if key in row and (row[key] or key == "text")
    }
    if tool == "doccano":
        return {**shared, "label": [[entity.start, entity.end, entity.label] for entity in prediction.entities]}
    if tool == "prodigy":
        return {**shared, **_prodigy(post, prediction)}
    return {"data": shared, "predictions": [_label_studio(prediction, model)]}


def _prodigy(post: Post, prediction: Prediction) -> Mapping[str, Any]:
    """The tokens and the spans, which count characters and tokens; the last token is inclusive."""
    starts = [start for start, _ in post.offsets]
    after = [*starts[1:], len(post.text)]
    return {
        "tokens": [
            {"text": word, "start": start, "end": end, "id": number, "ws": end < after[number]}
            for number, (word, (start, end)) in enumerate(zip(post.words, post.offsets, strict=True))
        ],
        "spans": [
            {
                "start": entity.start,
                "end": entity.end,
                "label": entity.label,
                "token_start": bisect_right(starts, entity.start) - 1,
                "token_end": bisect_right(starts, entity.end - 1) - 1,
                "score": round(entity.score, 6),
            }
            for entity in prediction.entities
        ],
    }


def _label_studio(prediction: Prediction, model: str) -> Mapping[str, Any]:
    """A prediction for the tags of the tool's own template: ``<Labels name="label" toName="text">``."""
    scores = [round(entity.score, 6) for entity in prediction.entities]
    return {
        "model_version": model,
        **({"score": min(scores)} if scores else {}),  # people begin with the least certain ones
        "result": [
            {
                "id": str(number),
                "from_name": "label",
                "to_name": "text",
                "type": "labels",
                "score": scores[number],
                "value": {
                    "start": entity.start,
                    "end": entity.end,
                    "text": entity.text,
                    "labels": [entity.label],
                },
            }
            for number, entity in enumerate(prediction.entities)
        ],
    }
