"""Posts as a table with a header, one row for each post or for each word; commas, semicolons or TABs between cells.

With a row for each post there is a column ``text`` (or tweet, content, sentence, data), or ``words`` with a JSON list,
and perhaps the keys of a JSON record as columns, lists in them as JSON: ``id``, ``image`` (a name, or a list of names),
``entities``, ``label`` as Label Studio writes it. With a row for each word there is a column ``word`` (or token) and
perhaps one for tags (tag, label, ner, ner_tag, iob, bio); a column such as ``Sentence #``, sentence_id or id, or a
blank row, shows where a post ends. Other columns are kept. An empty cell means no value; a post without a cell for
labels has none. Line ends within quotation marks are characters of the cell.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, TextIO

from mner.bounded import LONGEST
from mner.data import gold
from mner.data.formats._columns import Known, Losses, unfit
from mner.data.gold import WORDS
from mner.data.lines import OnFault, printable, without_end
from mner.data.records import OWN, parse, post_of, to_row
from mner.errors import DataError
from mner.tags import Labels, Scheme
from mner.types import Post

COLUMNS = ("id", "text", "words", "offsets", "entities", "image")
"""The header that is written."""

LINE_ENDS = True
"""Lines come with their ends."""

_TEXT = ("text", "tweet", "content", "sentence", "data")
_WORD = ("word", "token")
_TAG = ("tag", "ner_tag", "ner", "iob", "bio", "label", "entity")
_POST = ("sentence #", "sentence_id", "sent_id", "sentence", "post_id", "doc_id", "id")
_LABELS = re.compile(r"""\s*[\[{]\s*(?:["'\[{(]|(?:O|[BIESLU]-\w+)\s*,)""")
"""How a list of entities or of tags begins, rather than a text such as "[sic] good"."""

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


def read(lines: Iterable[str], *, name: str, labels: Labels, on_fault: OnFault) -> Iterator[Post]:
    """The posts, one after the other."""
    rows = _rows(iter(lines), on_fault)
    number, header = next(rows, (1, []))
    names = [cell.strip().casefold() for cell in header]
    kind = _kind(names)
    if header and not kind:
        on_fault(number, f'expected a header with a column "text", or "word" and "tag", found {", ".join(header)}')
        return
    table = _of_width(rows, len(header), on_fault)
    posts: Iterable[tuple[int, list[str] | dict[str, Any]]] = (pair for pair in table if pair[1])
    if kind == "word":
        posts = _by_word(table, names, on_fault, labelled=bool(labels))
    for count, (number, row) in enumerate(posts, 1):
        try:
            record = row if isinstance(row, dict) else _record(header, names, row, labelled=bool(labels))
            yield post_of(record, number=count, where=f"{name}:{number}", labels=labels)
        except DataError as error:
            on_fault(number, str(error))


def write(posts: Iterable[Post], stream: TextIO, *, scheme: Scheme, losses: Losses) -> None:
    """Write posts, one row for each; there is no scheme.

    Raises:
        DataError: A cell cannot hold a text, id or image, or is longer than ``LONGEST``.
    """
    writer = csv.writer(stream, lineterminator="\n")
    quoting = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)  # the other leaves \r without marks
    writer.writerow(COLUMNS)
    for post in posts:
        row = to_row(post)
        if post.more_images or _lists(post.image or ""):
            row["image"] = json.dumps(post.images)
        for key in ("id", "text", "image"):
            value = row.get(key) or ""
            odd = "holds a byte order mark or a NUL" if re.search("[\0\ufeff]", value) else ""
            if problem := odd or unfit(re.sub(r"[\t\n]", " ", value) or " "):
                place = printable(f'{post.where or "post"}: "{post.id}"')
                raise DataError(f"{place}: its {key} {problem}, which a cell cannot hold. Write jsonl")
        cells = [_cell(row.get(key)) for key in COLUMNS]
        if not any(cell.strip() for cell in cells):
            raise DataError(f"{post.where or 'post'}: an empty post cannot be a row of a table. Write jsonl")
        if any(len(cell) > LONGEST for cell in cells):
            place = printable(f'{post.where or "post"}: "{post.id}"')
            raise DataError(f"{place}: a cell of more than {LONGEST:,} characters cannot be read again. Split the post")
        losses["id"] += not post.id
        losses["extra keys"] += bool(post.extra)
        (quoting if any("\r" in cell for cell in cells) else writer).writerow(cells)


def _cell(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def _delimiter(header: str) -> str:
    """What separates the cells: a TAB if the header contains one, else the more frequent of comma and semicolon."""
    return "\t" if "\t" in header else max(",;", key=header.count)


def _kind(names: Sequence[str]) -> str:
    """Whether a table with these columns has a row for each "word" or for each "post", "" if neither."""
    if _first(names, _WORD) is not None and _first(names, _TAG + _POST) is not None:
        return "word"
    return "post" if _first(names, _TEXT + WORDS) is not None else ""


def _first(names: Sequence[str], wanted: Iterable[str]) -> int | None:
    """The index of the first of the wanted columns that the table has."""
    return next((names.index(name) for name in wanted if name in names), None)


def _rows(lines: Iterator[str], on_fault: OnFault) -> Iterator[tuple[int, list[str]]]:
    """The number of the line that each row begins on, and its cells; blank lines before the header are skipped."""
    before, first = next(((at, line) for at, line in enumerate(lines) if line.strip()), (0, ""))
    if not first:
        return
    delimiter = _delimiter(first)
    lines = chain([first], lines)
    if delimiter == "\t":
        header = without_end(first).split("\t")
        always = all(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in header)
        for number, line in enumerate(map(without_end, lines), before + 1):
            yield number, [_unquoted(cell, always=always) for cell in line.split("\t")]
        return
    # Python's own limit, 131,072 characters, is that of all readers; it is only ever raised, as another may be reading.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = before + reader.line_num + 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            long = f"a cell of more than {csv.field_size_limit():,} characters; is a quotation mark not closed?"
            on_fault(number, long if "field limit" in str(error) else f"not CSV: {error}")


def _unquoted(cell: str, *, always: bool) -> str:
    """A cell between TABs, without its outer quotation marks if the file quotes all cells or doubles inner marks."""
    inner = cell[1:-1]
    if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"' or '"' in inner.replace('""', ""):
        return cell
    return inner.replace('""', '"') if always or '""' in inner else cell


def _of_width(rows: Iterable[tuple[int, list[str]]], width: int, on_fault: OnFault) -> Iterator[tuple[int, list[str]]]:
    """The rows that have as many cells as the header; a blank one has none."""
    for number, row in rows:
        if not any(cell.strip() for cell in row):
            yield number, []
        elif len(row) == width:
            yield number, row
        else:
            on_fault(number, f"expected {width} cells, as the header has, found {len(row)}")


def _record(header: Sequence[str], names: Sequence[str], row: Sequence[str], *, labelled: bool) -> dict[str, Any]:
    """The JSON record of a row; without labels a cell for them may be faulty, and is then left out."""
    text = _first(names, _TEXT)
    record: dict[str, Any] = {}
    for place, (column, name, cell) in enumerate(zip(header, names, row, strict=True)):
        if place == text:
            continue
        known = name in OWN or name in WORDS or name in gold.KEYS
        if not known:
            record[column] = cell
        elif cell:
            if name in ("image", "images"):
                if name == "images" or "images" not in record:
                    record["images"] = _value(cell) if _lists(cell) else [cell]
            else:
                with suppress(*(() if labelled or name not in gold.KEYS else (DataError,))):
                    record[name] = cell if name == "id" else _labels(name, cell) if name in gold.KEYS else _value(cell)
    if text is not None and (row[text] or not any(isinstance(record.get(key), list) for key in WORDS)):
        record["text"] = row[text]
    return record


def _labels(name: str, cell: str) -> Any:
    """The labels in a cell; under a name that need not mean labels, a text in brackets stays a text."""
    try:
        return _value(cell)
    except DataError:
        if name == "entities" or _LABELS.match(cell):
            raise
        return cell


def _lists(cell: str) -> bool:
    """Whether a cell for pictures holds a list of them."""
    return cell.lstrip().startswith(('["', "['"))


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
    rows: Iterable[tuple[int, list[str]]], names: Sequence[str], on_fault: OnFault, *, labelled: bool
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON record of each post's rows, with the line of the first; a row with a faulty tag is left out."""
    word, tag, of_post = _first(names, _WORD), _first(names, _TAG), _first(names, _POST)
    image = _first(names, ("image",))
    others = [place for place in range(len(names)) if place not in (word, tag, of_post, image)]
    known = Known("BIOES")
    post: list[list[str]] = []
    begin, current = 0, ""
    for number, row in chain(rows, [(0, [])]):  # a blank row ends the last post
        name = row[of_post] if row and of_post is not None else ""
        if post and (not row or name not in ("", current)):
            record: dict[str, Any] = {"words": [cells[word or 0] for cells in post]}
            if current:
                record["id"] = current
            if tag is not None and labelled:
                record["ner_tags"] = [cells[tag] for cells in post]
            if image is not None:
                cell = post[0][image]
                record |= {"images": _value(cell)} if _lists(cell) else {"image": cell}
            columns = [[cells[place] for place in others] for cells in post]
            if any(map(any, columns)):
                record["columns"] = columns
            yield begin, record
            post, begin = [], 0
        if not row:
            current = ""
            continue
        current = name or current
        begin = begin or number
        problem = known.tag(row[tag])[1] if tag is not None and labelled else ""
        if problem:
            on_fault(number, problem)
        else:
            post.append(row)
