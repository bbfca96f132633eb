"""The labels of a JSON record, under whatever key a labelling tool writes them -> spans of words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from mner.data.alignment import Offsets, word_span
from mner.data.lines import clipped
from mner.errors import DataError
from mner.tags import Reading, Scheme, check_type, to_spans
from mner.types import Span

KEYS = ("entities", "label", "labels", "spans", "ents", "annotations", "ner", "ner_tags", "tags")
"""Keys that hold labels: mner's and doccano's, Label Studio's, Prodigy's, spaCy's, GLiNER's, Hugging Face's."""

WORDS = ("words", "tokens", "tokenized_text")
"""Keys whose list of strings may be the words of a post; the first that is there."""

_ALIKE = {
    *("entity", "entities", "namedentities", "goldentities", "label", "labels", "span", "spans", "ent", "ents"),
    *("annotation", "annotations", "completions", "ner", "nertag", "nertags", "nerlabel", "nerlabels", "tag", "tags"),
    *("bio", "biotags", "iob", "iobtags", "bioes", "gold", "mentions"),
}
"""Names, in lower case without punctuation, under which a list or an object that resembles labels looks like them."""

TAG = re.compile(r"O|[BIESLU]-.+", re.DOTALL)
_PLACES = {"start", "start_offset", "token_start", "result"}  # the last is Label Studio's, around regions
_WRITTEN = re.compile(r"""\s*[\[{].*["'\d].*[\]}]\s*""", re.DOTALL)
_EXPECTED = 'a list of [start, end, label] or {"start", "end", "label"}, or one tag for each of the "words"'


def without_labels(row: Mapping[str, Any], *, words: int) -> dict[str, Any]:
    """The keys of a record that hold no labels; ``words`` is how many words the post has.

    A key of a labelling tool holds labels where its value resembles them: entities with their places, or tags of the
    words. Topics under ``tags`` or a class under ``label`` are the user's own.

    >>> without_labels({"label": [[0, 5, "PER"]], "tags": ["sport", "nba"]}, words=2)
    {'tags': ['sport', 'nba']}
    """
    lengths = _lengths(row, words)
    return {key: value for key, value in row.items() if not _holds(key, value, lengths)}


def by_word(row: Mapping[str, Any]) -> bool:
    """Whether a record's labels are tags of its words or count words, rather than characters."""
    values = [(key, row[key]) for key in KEYS if isinstance(row.get(key), list) and row[key]]
    return any(_tags_of_words(key, value) or (key == "ner" and isinstance(value[0], list)) for key, value in values)


_NO_LABELS = frozenset({"id", "text", "offsets", "image", "images"})
"""Keys of a post that hold something else, whatever it looks like: names of pictures may be S-1.jpg and B-2.jpg."""


def spans_of(
    row: Mapping[str, Any], *, text: str, offsets: Offsets, labels: Reading = "repair"
) -> tuple[Span, ...] | None:
    """The entities of a record over its words, sorted; None if it has no labels.

    Raises:
        DataError: Labels are faulty, two keys contradict each other, or an unknown key looks like labels. The message
            has no place.
    """
    readings: dict[str, tuple[Span, ...]] = {}
    unread: list[str] = []
    lengths = _lengths(row, len(offsets))
    for key in KEYS:
        value = row.get(key)
        if value is not None and (key == "entities" or _readable(key, value, words=len(offsets))):
            readings[key] = _read(row, key, text, offsets, labels)
        elif value and (_holds(key, value, lengths) or _written_out(value)):
            unread.append(key)
    if not readings:
        if unread:
            raise DataError(
                f'"{unread[0]}" looks like labels that cannot be read: expected {_EXPECTED}, found '
                f"{clipped(json.dumps(row[unread[0]], default=str), 60)}. If it is something else, rename the key"
            )
        for key, value in row.items():
            if key not in KEYS and key not in WORDS and key not in _NO_LABELS and _alike(key, value, lengths):
                raise DataError(
                    f'"{key}" looks like labels, and mner does not read that key. If these are the entities, rename '
                    f'it to "entities" ({_EXPECTED}); if not, give it a name that does not look like labels'
                )
        return None
    (first, spans), *others = readings.items()
    for key, reading in others:
        if reading != spans:
            raise DataError(f'"{first}" and "{key}" hold different labels for this post; remove one of the two keys')
    return spans


def _lengths(row: Mapping[str, Any], words: int) -> set[int]:
    """How many tags a record may have: one for each word of the post, or for each of the tokens it names."""
    return {words, *(len(row[key]) for key in WORDS if isinstance(row.get(key), list | tuple))}


def _holds(key: str, value: Any, lengths: set[int]) -> bool:
    """Whether a key is one for labels and its value holds them, or resembles them; an empty list says "no entities"."""
    if key not in KEYS or not isinstance(value, list | tuple | dict):
        return False
    if isinstance(value, dict) or (value and key not in ("ner", "ner_tags")):
        return _resembles(value, lengths)
    return bool(value) or _says_none(key, min(lengths))


def _says_none(key: str, words: int) -> bool:
    """Whether an empty list under a key says that there are no entities; empty ``tags`` do not, beside words."""
    return key != "tags" or not words


def _resembles(value: Any, lengths: set[int]) -> bool:
    """Whether a value that is not empty resembles labels: entities with places, groups of them, or tags of words."""
    if isinstance(value, dict):
        groups = [group for group in value.values() if group]
        lists = bool(groups) and all(isinstance(group, list | tuple) for group in groups)  # names by their types
        return lists or any(map(_has_places, groups))
    if not isinstance(value, list | tuple) or not value:
        return False
    if _has_places(value) or _tag_list(value):
        return True
    tagged = any(isinstance(item, str) and TAG.fullmatch(item) for item in value)
    return len(value) in lengths and (tagged or all(type(item) is int for item in value))


def _has_places(value: Any) -> bool:
    """Whether a list or an object contains a list, or an object that has a place in the text."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return any(isinstance(x, list | tuple) or (isinstance(x, dict) and bool(_PLACES & x.keys())) for x in items)


def _alike(key: str, value: Any, lengths: set[int]) -> bool:
    """Whether a key that mner does not know looks like labels, by its name and by what it holds."""
    if re.sub(r"[\W_]", "", key).casefold() in _ALIKE and _resembles(value, lengths):
        return True
    return isinstance(value, list) and bool(value) and (_tag_list(value) or all(map(_span_like, value)))


def _tag_list(value: Any) -> bool:
    """Whether a value is a list of tags."""
    tags = value if isinstance(value, list | tuple) else ()
    return bool(tags) and all(isinstance(tag, str) and TAG.fullmatch(tag) for tag in tags)


def _written_out(value: Any) -> bool:
    """Whether a text is a written list or object, or tags with spaces between them, rather than one label."""
    if not isinstance(value, str):
        return False
    tags = value.split()
    return _WRITTEN.fullmatch(value) is not None or (len(tags) > 1 and set(tags) != {"O"} and _tag_list(tags))


def _span_like(item: Any) -> bool:
    if isinstance(item, dict):
        starts = {"start", "start_offset", "token_start"} & item.keys()
        return bool(starts and {"label", "labels"} & item.keys())
    return isinstance(item, list) and len(item) == 3 and sorted(type(x).__name__ for x in item) == ["int", "int", "str"]


def _readable(key: str, value: Any, *, words: int) -> bool:
    if not isinstance(value, list):
        return False
    if not value:
        return _says_none(key, words)
    if any(map(_span_like, value)):
        return True
    return _tags_of_words(key, value) and (len(value) == words or key == "ner_tags")


def _tags_of_words(key: str, value: Any) -> bool:
    """Whether a value is one tag for each word: names, or the numbers that Hugging Face's data sets hold."""
    if not isinstance(value, list):
        return False
    return _tag_list(value) or (key in ("ner_tags", "tags", "labels") and all(type(tag) is int for tag in value))


def _read(row: Mapping[str, Any], key: str, text: str, offsets: Offsets, labels: Reading) -> tuple[Span, ...]:
    value = row[key]
    if not isinstance(value, list):
        raise DataError(f'"{key}": expected a list of {{"start", "end", "label"}}')
    if value and _tags_of_words(key, value):
        return _tagged(key, value, len(offsets), labels)
    if key == "ner" and value and all(isinstance(item, list) for item in value):
        spans = [_word_entity(item, text, offsets) for item in value]
    else:
        spans = [_entity(item, row, text, offsets) for item in value]
    spans = sorted(set(spans))
    for left, right in pairwise(spans):
        if right.start < left.end:
            raise DataError(
                f"two entities share a word: {left.label} words {left.start}-{left.end} and "
                f"{right.label} words {right.start}-{right.end}; one word has one label"
            )
    return tuple(spans)


def _tagged(key: str, tags: Sequence[Any], words: int, labels: Reading) -> tuple[Span, ...]:
    """The entities of tags, one for each word."""
    if any(type(tag) is int for tag in tags):
        named = "tags" if key != "tags" else "ner_tags"
        raise DataError(
            f'"{key}" holds numbers, and the file does not name them. Write names, in Python: names = '
            f'ds.features["{key}"].feature.names; ds.map(lambda row: {{"{named}": [names[tag] for tag in '
            f'row["{key}"]]}}, remove_columns="{key}").to_json("posts.jsonl")'
        )
    if len(tags) != words:
        raise DataError(f'"{key}": {len(tags)} tags for {words} words')
    scheme: Scheme = "BIOES" if any(tag[:2] in ("E-", "S-") for tag in tags) else "IOB2"
    spans = to_spans(tags, scheme=scheme, labels=labels)
    return tuple(replace(span, label=_typed(span.label)) for span in spans)


def _word_entity(item: Sequence[Any], text: str, offsets: Offsets) -> Span:
    """The entity of GLiNER's [first word, last word, label]."""
    first, last, label = item if len(item) == 3 else (None, None, None)
    if type(first) is not int or type(last) is not int or not isinstance(label, str) or not label:
        raise DataError(
            f'"ner": expected [first word, last word, label], found {clipped(json.dumps(item, default=str), 80)}'
        )
    if not 0 <= first <= last < len(offsets):
        raise DataError(f'"ner": {first}-{last} is not within the {len(offsets)} words; the last word is inclusive')
    return word_span(offsets[first][0], offsets[last][1], _typed(label), offsets, text=text)


def _entity(item: Any, row: Mapping[str, Any], text: str, offsets: Offsets) -> Span:
    """The entity of one item that counts characters, or tokens that have a place in the text."""
    if isinstance(item, list) and len(item) == 3:
        item = dict(zip(("start", "end", "label"), item, strict=True))
    start, end, label = _fields(item, row) if isinstance(item, dict) else (None, None, None)
    if type(start) is not int or type(end) is not int or not isinstance(label, str) or not label:
        hint = "; export the labels' names, not their numbers" if type(label) is int else ""
        raise DataError(
            f'expected an entity {{"start", "end", "label"}}, found {clipped(json.dumps(item, default=str), 80)}{hint}'
        )
    span = word_span(start, end, _typed(label), offsets, text=text)
    surface = item.get("text")
    if isinstance(surface, str) and surface != text[start:end]:
        raise DataError(
            f'entity {start}-{end} reads "{text[start:end]}" but says "{surface}"; '
            "offsets count characters (code points), not bytes or UTF-16 units"
        )
    return span


def _fields(item: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Start, end and label of an item, whichever names the tool gives them."""
    start, end = (item.get(key, item.get(f"{key}_offset")) for key in ("start", "end"))
    label, several = item.get("label"), item.get("labels")
    if label is None and isinstance(several, list) and len(several) == 1:
        label = several[0]
    if label is None and isinstance(several, list) and len(several) > 1:
        raise DataError(f"entity {start}-{end}: {len(several)} labels ({', '.join(map(str, several))}); it has one")
    by_token = _token_places(item, row)
    if by_token is not None:
        if start is not None and (start, end) != by_token:
            raise DataError(
                f"entity {start}-{end}: its tokens {item['token_start']}-{item['token_end']} are at "
                f"{by_token[0]}-{by_token[1]}"
            )
        start, end = by_token
    return start, end, label


def _token_places(item: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[int, int] | None:
    """Where the tokens of Prodigy's item are in the text; None if the item has no tokens."""
    first, last, tokens = item.get("token_start"), item.get("token_end"), row.get("tokens")
    if type(first) is not int or type(last) is not int or not isinstance(tokens, list):
        return None
    if not 0 <= first <= last < len(tokens):
        raise DataError(f"entity of the tokens {first}-{last}: there are {len(tokens)} tokens; the last is inclusive")
    ends = tokens[first], tokens[last]
    if not all(isinstance(token, dict) for token in ends):
        return None
    return ends[0].get("start"), ends[1].get("end")


def _typed(label: str) -> str:
    try:
        return check_type(label)
    except ValueError as error:
        raise DataError(str(error)) from None
