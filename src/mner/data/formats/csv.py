"""Posts as a table with a header: a row a post, or a row a word. Cells are parted by commas, semicolons or TABs.

A row a post has a column ``text`` (or tweet, content, sentence, data), or ``words`` with a JSON list, and may have the
keys of a JSON record as columns, lists in them as JSON: ``id``, ``image``, ``entities``, ``label`` as Label Studio
writes it. A row a word has a column ``word`` (or token) and one for tags (tag, label, ner, ner_tag, iob, bio); a column
such as ``Sentence #``, sentence_id or id, or a blank row, tells where a post ends. Further columns are kept.
An empty cell is no value; without a cell for labels a post has none.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Literal, TextIO

from mner.data import gold
from mner.data.formats._columns import Known, Losses, unfit
from mner.data.gold import WORDS
from mner.data.lines import OnFault, printable, raising
from mner.data.records import OWN, parse, post_of, to_row
from mner.errors import DataError
from mner.tags import Reading, Scheme
from mner.types import Post

COLUMNS = ("id", "text", "words", "offsets", "entities", "image")
"""The header that is written."""

_TEXT = ("text", "tweet", "content", "sentence", "data")
_WORD = ("word", "token")
_TAG = ("tag", "ner_tag", "ner", "iob", "bio", "label", "entity")
_POST = ("sentence #", "sentence_id", "sent_id", "sentence", "post_id", "doc_id", "id")
_NAME = re.compile(r"[\w #.()-]{1,40}")


def sniff(lines: Sequence[str]) -> bool:
    r"""Whether the first line that is not blank is such a header of two columns or more.

    >>> sniff(["id,text,entities", '7,Kevin,[]']), sniff(["Kevin\tB-PER"])
    (True, False)
    """
    first = next((line for line in lines if line.strip()), "")
    header = [cell.strip().strip('"') for cell in first.split(_delimiter(first))]
    names = [name.casefold() for name in header]
    if any(map(gold.TAG.fullmatch, header)):
        return False
    return len(names) > 1 and all(map(_NAME.fullmatch, names)) and len(set(names)) == len(names) and _kind(names) != ""


def read(
    lines: Iterable[str], *, name: str, labels: Reading | Literal[False] = "repair", on_fault: OnFault | None = None
) -> Iterator[Post]:
    """The posts, one after the other.

    Args:
        lines: Without their line feed.
        name: The file, for messages.
        labels: What an I- that continues nothing means, where tags are given; False leaves labels unread.
        on_fault: What to do about a bad row; None raises ``DataError``. A bad row is left out.
    """
    fault = on_fault or raising(name)
    rows = _rows(iter(lines), fault)
    number, header = next(rows, (1, []))
    names = [cell.strip().casefold() for cell in header]
    kind = _kind(names)
    if header and not kind:
        fault(number, f'expected a header with a column "text", or "word" and "tag", found {", ".join(header)}')
        return
    table = _of_width(rows, len(header), fault)
    groups = _by_word(table, names, fault if labels is not False else None) if kind == "word" else table
    for count, (number, group) in enumerate((pair for pair in groups if pair[1]), 1):
        try:
            record = group if isinstance(group, dict) else _record(header, names, group or ())
            yield post_of(record, number=count, where=f"{name}:{number}", labels=labels)
        except DataError as error:
            fault(number, str(error))


def write(posts: Iterable[Post], stream: TextIO, *, scheme: Scheme = "IOB2", losses: Losses | None = None) -> int:
    """The number of posts written. ``scheme`` has no effect.

    Raises:
        DataError: A text, id or image cannot stand in a cell.
    """
    lost = losses if losses is not None else Losses()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for post in posts:
        count += 1
        row = to_row(post)
        for key in ("id", "text", "image"):
            value = row.get(key) or ""
            odd = "holds a carriage return, a byte order mark or a NUL" if re.search("[\r\0\ufeff]", value) else ""
            if problem := odd or unfit(re.sub(r"[\t\n]", " ", value) or " "):
                place = printable(f'{post.where or "post"}: "{post.id}"')
                raise DataError(f"{place}: its {key} {problem}, which a cell cannot hold. Write jsonl")
        cells = [_cell(row.get(key)) for key in COLUMNS]
        if not any(cell.strip() for cell in cells):
            raise DataError(f"{post.where or 'post'}: it is empty, which a table cannot hold. Write jsonl")
        lost["id"] += not post.id
        lost["extra keys"] += bool(post.extra)
        writer.writerow(cells)
    return count


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _delimiter(header: str) -> str:
    """What parts the cells of a header: a TAB where it has one, else the more frequent of comma and semicolon."""
    return "\t" if "\t" in header else max(",;", key=header.count)


def _kind(names: Sequence[str]) -> str:
    """Whether a table with these columns has a row a "word" or a row a "post", "" if neither."""
    if _first(names, _WORD) is not None and _first(names, _TAG + _POST) is not None:
        return "word"
    return "post" if _first(names, _TEXT + WORDS) is not None else ""


def _first(names: Sequence[str], wanted: Iterable[str]) -> int | None:
    """The place of the first of the wanted columns that is there."""
    return next((names.index(name) for name in wanted if name in names), None)


def _rows(lines: Iterator[str], fault: OnFault) -> Iterator[tuple[int, list[str]]]:
    """The number of the line that each row begins on, and its cells; the first row is not blank."""
    before = 0
    for first in lines:
        if first.strip():
            break
        before += 1
    else:
        return
    delimiter = _delimiter(first)
    lines = chain([first], lines)
    if delimiter == "\t":
        always = all(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in first.split("\t"))
        for number, line in enumerate(lines, before + 1):
            yield number, [_unquoted(cell, always=always) for cell in line.split("\t")]
        return
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True)
    while True:
        number = before + reader.line_num + 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault(number, f"not CSV: {error}")


def _unquoted(cell: str, *, always: bool) -> str:
    """A cell between TABs; its outer quotation marks go where the file quotes all, or doubles the inner ones."""
    inner = cell[1:-1]
    if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"' or '"' in inner.replace('""', ""):
        return cell
    return inner.replace('""', '"') if always or '""' in inner else cell


def _of_width(
    rows: Iterable[tuple[int, list[str]]], width: int, fault: OnFault
) -> Iterator[tuple[int, list[str] | None]]:
    """The rows that have as many cells as the header; None for a blank one."""
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            yield number, None
        elif len(row) == width:
            yield number, row
        else:
            fault(number, f"expected {width} cells, as the header has, found {len(row)}")


def _record(header: Sequence[str], names: Sequence[str], row: Sequence[str]) -> dict[str, Any]:
    """The JSON record of a row."""
    text = _first(names, _TEXT)
    record: dict[str, Any] = {}
    for place, (column, name, cell) in enumerate(zip(header, names, row, strict=True)):
        if place == text:
            continue
        known = name in OWN or name in WORDS or name in gold.KEYS
        if not known:
            record[column] = cell
        elif cell:
            record[name] = cell if name in ("id", "image") else _value(cell)
    if text is not None and (row[text] or not any(isinstance(record.get(key), list) for key in WORDS)):
        record["text"] = row[text]
    return record


def _value(cell: str) -> Any:
    """A list or object written as JSON, or as Python prints it; any other cell as it is."""
    if cell.lstrip()[:1] not in ("[", "{"):
        return cell
    try:
        return parse(cell)
    except DataError as error:
        try:
            return json.loads(json.dumps(ast.literal_eval(cell.strip())))
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            raise error from None


def _by_word(
    rows: Iterable[tuple[int, list[str] | None]], names: Sequence[str], fault: OnFault | None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON record of each post's rows, with the line of the first; ``fault`` takes tags that are none."""
    word, tag, of_post = _first(names, _WORD), _first(names, _TAG), _first(names, _POST)
    image = _first(names, ("image",))
    others = [place for place in range(len(names)) if place not in (word, tag, of_post, image)]
    known = Known("BIOES")
    held: list[list[str]] = []
    begin, current = 0, ""

    def record() -> tuple[int, dict[str, Any]]:
        columns = [[row[place] for place in others] for row in held]
        found: dict[str, Any] = {"words": [row[word or 0] for row in held]}
        if current:
            found["id"] = current
        if tag is not None and fault is not None:
            found["ner_tags"] = [row[tag] for row in held]
        if image is not None:
            found["image"] = held[0][image]
        return begin, {**found, **({"columns": columns} if any(map(any, columns)) else {})}

    for number, row in rows:
        name = row[of_post] if row and of_post is not None else ""
        if held and (row is None or name not in ("", current)):
            yield record()
            held, begin = [], 0
        if row is None:
            current = ""
            continue
        current = name or current
        begin = begin or number
        problem = known.tag(row[tag])[1] if tag is not None and fault is not None else ""
        if problem and fault is not None:
            fault(number, problem)
        else:
            held.append(row)
    if held:
        yield record()
