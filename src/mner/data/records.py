"""A JSON record of a post, as mner or a labelling tool writes it <-> a post."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mner.data import gold
from mner.data.alignment import Offsets, align, joined, whole
from mner.data.gold import WORDS
from mner.data.lines import clipped
from mner.errors import DataError
from mner.safe_text import excerpt
from mner.tags import Labels, from_spans
from mner.types import Post
from mner.words import split

OWN = {"id", "text", "words", "offsets", "entities", "image", "images"}
"""Keys that mner writes; all others of a record are the user's."""

CANCELLED = "was_cancelled"
"""Key of a Label Studio task that was skipped by all who labelled it."""


def parse(text: str) -> Any:
    """The value of a JSON text. A key that occurs twice in one object is refused; NaN, which JSON lacks, is null.

    Raises:
        DataError: The text is not JSON; the message has no place.
    """
    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=finite)
    except (ValueError, RecursionError) as error:
        raise DataError(f'not JSON: {error} ("{clipped(text)}")') from None


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these keys and values; of two values under one key neither is certain."""
    table = dict(pairs)
    if len(table) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f'the key "{twice}" occurs twice in one object')
    return table


def finite(name: str) -> None:
    """None for NaN, which stands for a missing value where tables were written as JSON; infinities are refused."""
    if name != "NaN":
        raise ValueError(f"{name} is not a JSON value; write null")


def post_of(record: Any, *, number: int, where: str = "", labels: Labels = "repair") -> Post:
    """The post of one record; ``number`` is the id of a record without one.

    Raises:
        DataError: The record is not a post; the message has no place.
    """
    row = _flat(record, labels=bool(labels))
    text, words, offsets, taken = _words(row)
    images = images_of(row)
    written = row.get("id")
    if written is not None and (not isinstance(written, str | int) or isinstance(written, bool)):
        raise DataError(f'"id": expected a string, found {excerpt(written)}')
    others = gold.without_labels(row, words=len(words))
    extra = {key: value for key, value in others.items() if key not in OWN | taken}
    spans = None
    if labels and not excluded(extra):
        spans = gold.spans_of(row, text=text, offsets=offsets, labels=labels)
    named = (images[0] if images else None, where, extra, tuple(images[1:]))
    return Post(str(number if written is None else written), text, words, offsets, spans, *named)


def images_of(row: Mapping[str, Any]) -> list[str]:
    """The pictures that a record names: its "image", or all of its "images", of which "image" may repeat the first.

    Raises:
        DataError: They are not names, or "image" names another one.

    >>> images_of({"image": "1.jpg"}), images_of({"images": ["1.jpg", "2.jpg"]}), images_of({"image": None})
    (['1.jpg'], ['1.jpg', '2.jpg'], [])
    """
    image, images = row.get("image"), row.get("images")
    if image is not None and not isinstance(image, str):
        raise DataError(
            f'"image": expected a file name or null, found {excerpt(image)}; several: "images": ["1.jpg", "2.jpg"]'
        )
    if images is None:
        return [image] if image else []
    if not isinstance(images, list) or not all(isinstance(name, str) and name for name in images):
        raise DataError(f'"images": expected a list of file names, such as ["1.jpg", "2.jpg"], found {excerpt(images)}')
    if image and image not in images[:1]:
        raise DataError(f'"image" names {excerpt(image)}, which is not the first of "images"; leave "image" out')
    return images


def excluded(extra: Mapping[str, Any]) -> str:
    """Why the annotator of a post set it aside, "" if nobody did.

    >>> excluded({"answer": "reject"})
    'answer "reject"'
    """
    if extra.get("answer") in ("reject", "ignore"):  # Prodigy
        return f'answer "{extra["answer"]}"'
    return "skipped in Label Studio" if extra.get(CANCELLED) is True else ""


def to_row(post: Post) -> dict[str, Any]:
    """The JSON object of a post; words and offsets only where the text alone does not give them.

    Raises:
        DataError: Spans overlap or leave the words.
    """
    post = whole(post)
    row: dict[str, Any] = {"id": post.id, "text": post.text}
    misread = any(isinstance(post.extra.get(key), list) for key in WORDS)
    if misread or split(post.text) != (post.words, post.offsets):
        row["words"] = list(post.words)
        if align(post.text, post.words) != post.offsets:
            row["offsets"] = [list(pair) for pair in post.offsets]
    if post.spans is not None:
        try:
            from_spans(post.spans, len(post.words))
        except DataError as error:
            raise DataError(f'{post.where or "post"}: "{post.id}": {error}') from None
        row["entities"] = [
            {"start": post.offsets[span.start][0], "end": post.offsets[span.end - 1][1], "label": span.label}
            for span in post.spans
        ]
    if post.more_images:
        row["images"] = list(post.images)
    elif post.image:
        row["image"] = post.image
    others = gold.without_labels(post.extra, words=len(post.words))
    return {**row, **{key: value for key, value in others.items() if key not in OWN}}


def _flat(record: Any, *, labels: bool) -> dict[str, Any]:
    """The record as one object: spaCy's pairs ``["text", {...}]`` and tasks of Label Studio are made flat."""
    if isinstance(record, list) and len(record) == 2 and isinstance(record[0], str) and isinstance(record[1], dict):
        return {**record[1], "text": record[0]}
    if not isinstance(record, dict):
        value = f'{type(record).__name__} ("{clipped(json.dumps(record))}")'
        raise DataError(f'expected an object with "text" or "words", found {value}')
    if isinstance(record.get("data"), dict) and not any(key in record for key in ("text", *WORDS)):
        return _task(record, labels=labels)
    return record


def _task(task: Mapping[str, Any], *, labels: bool) -> dict[str, Any]:
    """A task of Label Studio as one object. What a model proposed (predictions) and drafts are not labels.

    The post's own id, among the task's data, goes before the task's number.
    """
    data = dict(task["data"])
    if "text" not in data and len(texts := [key for key, value in data.items() if _sentence(value)]) == 1:
        data["text"] = data.pop(texts[0])
    left = {"data", "annotations", "completions", "predictions", "drafts"}
    row = {**{key: value for key, value in task.items() if key not in left}, **data}
    own = data.get("id")
    if own == "" or isinstance(own, bool) or not isinstance(own, str | int):
        row["id"] = task.get("id")
    rounds = task.get("annotations", task.get("completions"))
    if rounds is None or not labels:
        return row
    if not isinstance(rounds, list) or not all(
        isinstance(x, dict) and isinstance(x.get("result"), list) for x in rounds
    ):
        raise DataError('"annotations": expected a list of {"result": [...]}, as Label Studio exports them')
    valid = [x for x in rounds if not x.get(CANCELLED)]
    if rounds and not valid:
        return {**row, CANCELLED: True}
    valid = [x for x in valid if x.get("ground_truth")] or valid
    readings = [[_region(region) for region in x["result"] if _labels_text(region)] for x in valid]
    if readings:
        keyed = [sorted(map(json.dumps, reading)) for reading in readings]
        if any(reading != keyed[0] for reading in keyed):
            raise DataError(
                f'"annotations": {len(valid)} people labelled this task and they differ; mark one annotation as '
                "ground truth in Label Studio, or delete the others"
            )
        row["entities"] = readings[0]
    return row


def _sentence(value: Any) -> bool:
    """Whether a value of a task may be its text: a string, but not the address of a file."""
    return isinstance(value, str) and not value.startswith(("/", "http://", "https://", "s3://", "gs://", "data:"))


def _labels_text(region: Any) -> bool:
    """Whether a region labels a part of the text, rather than a part of a picture or the whole."""
    value = region.get("value") if isinstance(region, dict) else None
    return isinstance(value, dict) and "start" in value and any(key.endswith("labels") for key in value)


def _region(region: Mapping[str, Any]) -> dict[str, Any]:
    value = region["value"]
    labels = next(value[key] for key in sorted(value) if key.endswith("labels"))
    return {**{key: value[key] for key in ("start", "end", "text") if key in value}, "labels": labels}


def _words(row: Mapping[str, Any]) -> tuple[str, tuple[str, ...], Offsets, set[str]]:
    """The text, its words and their places, and the keys that gave them."""
    name, key = _words_key(row), "text"
    if name is None and row.get("text") is None and isinstance(row.get("data"), str):  # doccano
        key = "data"
    text = row.get(key)
    if text is not None and not isinstance(text, str):
        raise DataError(f'"{key}": expected a string, found {excerpt(text)}')
    if text is None and name is None:
        raise DataError(f'expected "text" or "words", found the keys {", ".join(sorted(row)) or "none"}')
    if name is None:
        return (text or "", *split(text or ""), {key})
    words, taken = row[name], {key, name}
    if text is not None and (offsets := _tokens(words, text)) is not None:
        return text, tuple(text[start:end] for start, end in offsets), offsets, taken
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise DataError(f'"{name}": expected a list of strings, none of them empty')
    if text is None:
        text, offsets = joined(words)
        return text, tuple(words), offsets, taken
    places = row.get("offsets")
    offsets = align(text, words) if places is None else _places(places, text, words)
    if offsets is None:
        raise DataError(
            "the words do not occur in the text in this order, or in more than one way; "
            f'give "{name}" without "text", or "offsets"'
        )
    return text, tuple(words), offsets, taken


def _words_key(row: Mapping[str, Any]) -> str | None:
    """The key of the words; beside a text, a tool's tokens are words only if they have places or labels count them."""
    if row.get("words") is not None:
        return "words"
    name = next((name for name in WORDS if isinstance(row.get(name), list)), None)
    if name is None or not isinstance(row.get("text"), str):
        return name
    return name if gold.by_word(row) or _tokens(row[name], row["text"]) is not None else None


def _tokens(tokens: Any, text: Any) -> Offsets | None:
    """The places of Prodigy's or spaCy's tokens, but for white space; None unless they are all of the text's words."""
    offsets, at = [], 0
    for token in tokens if isinstance(tokens, list) else ():
        start, end = (token.get("start"), token.get("end")) if isinstance(token, dict) else (None, None)
        if type(start) is not int or type(end) is not int or not at <= start < end <= len(text):
            return None
        if text[at:start].strip():
            return None
        if not text[start:end].isspace():
            offsets.append((start, end))
        at = end
    return tuple(offsets) if offsets and not text[at:].strip() else None


def _places(places: Any, text: str, words: Sequence[str]) -> Offsets:
    pairs = [pair for pair in places if isinstance(pair, list)] if isinstance(places, list) else []
    if len(pairs) != len(words) or any(list(map(type, pair)) != [int, int] for pair in pairs):
        raise DataError('"offsets": expected [start, end] for each word')
    end = 0
    for word, (start, stop) in zip(words, pairs, strict=True):
        if not end <= start < stop <= len(text) or text[start:stop] != word:
            raise DataError(f'"offsets": "{word}" is not at {start}-{stop}; offsets count characters')
        end = stop
    return tuple((start, stop) for start, stop in pairs)
