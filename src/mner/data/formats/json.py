"""Posts as one JSON array: the rows of ``jsonl`` between brackets, a Label Studio export, spaCy's list of pairs.

The object of the NER annotator for spaCy (``{"classes", "annotations": [pair or null, ...]}``) is read, too. The whole
file is in memory at once; for large files there are JSON lines.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO

from mner.data.formats._columns import Losses
from mner.data.formats.jsonl import line_of
from mner.data.formats.jsonl import sniff as is_jsonl
from mner.data.lines import OnFault
from mner.data.records import finite, post_of, to_row, unique
from mner.errors import DataError
from mner.tags import Labels, Scheme
from mner.types import Post

_LOG = logging.getLogger(__name__)
_BEGIN = re.compile(r'\s*\[\s*(?:[\[{"]|\]?\s*$)|\s*\{\s*(?:$|"classes")')
_DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=finite)


def sniff(lines: Sequence[str]) -> bool:
    r"""Whether the first line that is not blank begins an array of objects or of pairs.

    >>> sniff(["[", '{"text": "Kevin"}', "]"]), sniff(["[\tO"])
    (True, False)
    """
    first = next((line for line in lines if line.strip()), "")
    return _BEGIN.match(first) is not None and not is_jsonl([first])


def read(lines: Iterable[str], *, name: str, labels: Labels, on_fault: OnFault) -> Iterator[Post]:
    """The posts, one after the other; where the text is not JSON, reading ends.

    A bad element is reported with the line that it begins on.
    """
    text = "\n".join(lines)
    line = at = count = skipped = 0
    try:
        for start, record in _elements(text):
            line, at = line + text.count("\n", at, start), start
            if record is None:  # skipped in the NER annotator
                skipped += 1
                continue
            count += 1
            try:
                yield post_of(record, number=count, where=f"{name}:{line + 1}", labels=labels)
            except DataError as error:
                on_fault(line + 1, str(error))
    except (ValueError, RecursionError) as error:
        place = error.lineno if isinstance(error, json.JSONDecodeError) else line + 1
        on_fault(place, f"not JSON: {error}")
    if skipped:
        _LOG.warning("%s: %d post%s left out: null, skipped by the annotator", name, skipped, "s" * (skipped != 1))


def write(posts: Iterable[Post], stream: TextIO, *, scheme: Scheme, losses: Losses) -> None:
    """Write posts; nothing is lost, and there is no scheme."""
    count = 0
    for count, post in enumerate(posts, 1):
        stream.write(("[\n" if count == 1 else ",\n") + line_of(to_row(post)))
    stream.write("\n]\n" if count else "[]\n")


def _elements(text: str) -> Iterator[tuple[int, Any]]:
    """Where each record of the file begins, and the record."""
    at = _blank(text, 0)
    if at == len(text):
        return
    if text[at] == "{":
        record, end = _DECODER.raw_decode(text, at)
        listed = record.get("annotations") if "text" not in record else None
        _check_end(text, end)
        yield from ((at, item) for item in (listed if isinstance(listed, list) else [record]))
        return
    if text[at] != "[":
        raise json.JSONDecodeError("expected an array of posts", text, at)
    at = _blank(text, at + 1)
    while text[at : at + 1] != "]":
        record, end = _DECODER.raw_decode(text, at)
        yield at, record
        at = _blank(text, end)
        if text[at : at + 1] == ",":
            at = _blank(text, at + 1)
            if text[at : at + 1] == "]":
                raise json.JSONDecodeError("a comma before the closing bracket", text, at)
        elif text[at : at + 1] != "]":
            raise json.JSONDecodeError('expected "," or "]" after an element of the array', text, at)
    _check_end(text, at + 1)


def _blank(text: str, at: int) -> int:
    """The place of the next character that is not white space."""
    return next((place for place in range(at, len(text)) if text[place] not in " \t\r\n"), len(text))


def _check_end(text: str, at: int) -> None:
    if (at := _blank(text, at)) < len(text):
        raise json.JSONDecodeError(
            "text after the end of the array; one record in each line is the format jsonl", text, at
        )
