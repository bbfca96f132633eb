"""Posts as columns: the word first, its label last, blank lines between posts.

Columns are separated by TABs, or in lines without one by spaces. A line of only spaces and TABs is a blank line.
Where the first column counts the words, as in CoNLL-U, the word is the second; a line
``# global.columns = ID FORM NER`` names the columns of files that are laid out otherwise. The scheme (IOB2, IOB1 or
BIOES) is found by a first pass over the labels. ``-DOCSTART-`` lines separate posts and are skipped.
Before a post's first word, ``# key = value`` is a comment: ``id`` (or ``sent_id``), ``image`` (or ``images``, a JSON
list) and ``text`` (used where the words occur in it) belong to the post, others are kept as extra keys, as are columns
between word and label.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TextIO

from mner.data.alignment import align, joined
from mner.data.formats._columns import Known, Losses, glued, missing, tags_of, unfit
from mner.data.formats._layout import DOCUMENT, HEADER, HOW, Layout, find, resembles_index
from mner.data.lines import Lines, OnFault
from mner.data.records import images_of, parse
from mner.errors import DataError
from mner.tags import Labels, Scheme, detect, to_spans, trimmed
from mner.types import Post

_COMMENT = re.compile(r"# ?([A-Za-z_][\w.-]*) = ([^\t]*)|# (id) (\S+)(?:\t.*)?", re.DOTALL)
_JSON = re.compile(r'\s*\[?\s*\{\s*["}]')
_OWN = {"id", "sent_id", "image", "images", "text", "columns", HEADER}


def sniff(lines: Sequence[str]) -> bool:
    """Whether the first line that is neither blank nor a comment has columns.

    >>> sniff(["# id = 7", "Kevin B-PER"])
    True
    """
    first = next((line for line in lines if line.strip(" \t") and not _COMMENT.fullmatch(line)), "")
    return len(columns(first)) > 1 and not _JSON.match(first)


def columns(line: str) -> list[str]:
    r"""The columns of a line: between TABs if it has one, else between runs of spaces.

    >>> columns("New York\tB-LOC")
    ['New York', 'B-LOC']
    """
    if "\t" not in line:
        return [part for part in line.split(" ") if part]
    parts = line.split("\t")
    parts[-1] = parts[-1].strip(" ")
    return parts


def scheme_of(lines: Iterable[str]) -> Scheme:
    """The scheme of the labels in a file, which is read once for it."""
    lines = _repeatable(lines)
    return detect(_labels(lines, _layout(lines, lambda line, message: None) or Layout()))


def read(lines: Iterable[str], *, name: str, labels: Labels, on_fault: OnFault) -> Iterator[Post]:
    """The posts, one after the other.

    A file (``Lines``) is read twice, as the scheme must be known first; a stream is kept in memory. Where labels are
    not read, a line may be a word alone.
    """
    lines = _repeatable(lines)
    layout = _layout(lines, on_fault, labelled=bool(labels))
    if layout is None:
        return
    scheme = detect(_labels(lines, layout))
    known = Known(scheme)
    words: list[str] = []
    tags: list[str] = []
    middle: list[list[str]] = []
    notes: dict[str, str] = {}
    begin = count = 0
    for number, line in enumerate(chain(lines, [""]), 1):  # a blank line ends the last post
        parts = columns(line)
        blank, document = not line.strip(" \t"), DOCUMENT in parts[: layout.word + 1]
        if blank or (words and (document or layout.restarts(parts))):
            if begin:
                text = notes.get("text", " ".join(words))
                offsets = align(text, words)
                if offsets is None:
                    text, offsets = joined(words)
                post_id = notes.get("id") or notes.get("sent_id") or str(count)
                spans = to_spans(tags, scheme=scheme, labels=labels) if labels else None
                images, where = _images(notes, begin, on_fault), f"{name}:{begin}"
                extra: dict[str, Any] = {key: value for key, value in notes.items() if key not in _OWN}
                if any(middle):
                    extra["columns"] = middle
                yield Post(post_id, text, tuple(words), offsets, spans, None, where, extra).with_images(images)
            words, tags, middle, notes, begin = [], [], [], {}, 0
        if blank or document:
            continue
        word, written, others = layout.of(parts)
        tag, problem = known.tag(written)
        word = word or (parts[0] if not labels and len(parts) == 1 else "")
        comment = None if words else _COMMENT.fullmatch(line)
        if comment and (comment[1] or problem):
            if comment[1] == HEADER:
                continue
            notes[comment[1] or comment[3]] = comment[2] if comment[1] else comment[4]
        elif layout.skips(parts):
            continue
        else:
            lacking = "" if word else missing(parts, line)
            if problem := glued(line, inside=bool(words)) or lacking or (problem if labels else ""):
                on_fault(number, f"{problem}. {HOW}" if word and len(parts) > 2 else problem)
                continue
            words.append(word)
            tags.append(tag)
            middle.append(others)
        if not begin:
            begin, count = number, count + 1


def write(posts: Iterable[Post], stream: TextIO, *, scheme: Scheme, losses: Losses) -> None:
    """Write posts; the id, picture, text and extra keys of each are comments before its first word.

    Raises:
        DataError: A post cannot be held without damage.
    """
    named = False
    for count, post in enumerate(posts, 1):
        tags = tags_of(post, scheme=scheme, format_name="conll", reserved=DOCUMENT)
        middle = _middle(post.extra.get("columns"), len(post.words))
        dropped = [key for key, value in post.extra.items() if key != "columns" and not _keepable(key, value)]
        losses["extra keys"] += bool(dropped) or ("columns" in post.extra and middle is None)
        if middle and not named and resembles_index(post.words):
            stream.write(f"# {HEADER} = FORM X NER\n")
            named = True
        for key, value in _notes(post, str(count), losses):
            stream.write(f"# {key} = {value}\n")
        for at, (word, tag) in enumerate(zip(post.words, tags, strict=True)):
            stream.write("\t".join([word, *(middle[at] if middle else ()), tag]) + "\n")
        stream.write("\n")


def _repeatable(lines: Iterable[str]) -> Sequence[str] | Lines:
    if isinstance(lines, Sequence) or (isinstance(lines, Lines) and lines.repeatable):
        return lines
    return list(lines)


def _layout(lines: Sequence[str] | Lines, on_fault: OnFault, *, labelled: bool = True) -> Layout | None:
    rows = (columns(line) if line.strip(" \t") else [] for line in lines)
    return find(enumerate(rows, 1), on_fault=on_fault, labelled=labelled)


def _labels(lines: Iterable[str], layout: Layout) -> Iterator[list[str]]:
    """The labels of each post's lines; comments have none."""
    tags: list[str] = []
    for line in lines:
        parts = columns(line)
        if not line.strip(" \t") or DOCUMENT in parts[: layout.word + 1] or (tags and layout.restarts(parts)):
            yield tags
            tags = []
        if len(parts) > 1 and not layout.skips(parts) and (tags or not _COMMENT.fullmatch(line)):
            tags.append(trimmed(layout.of(parts)[1]))
    yield tags


def _notes(post: Post, number: str, losses: Losses) -> Iterator[tuple[str, str]]:
    """The comments of a post that a line can hold."""
    if post.id != number or not (post.words or post.image):
        if unfit(post.id.replace("\r", "\n")):
            losses["id"] += 1
            if not post.words:  # without a comment nothing would be left of the post
                yield "id", number
        else:
            yield "id", post.id
    if post.more_images:
        yield "images", json.dumps(post.images)
    elif post.image is not None:
        yield "image", post.image
    if post.text != " ".join(post.words):
        if unfit(post.text.replace("\r", "\n")) or align(post.text, post.words) != post.offsets:
            losses["text"] += 1
        else:
            yield "text", post.text
    for key, value in post.extra.items():
        if _keepable(key, value):
            yield key, value


def _images(notes: Mapping[str, str], line: int, on_fault: OnFault) -> list[str]:
    """The pictures that a post's comments name; a faulty list is reported, and none of it is taken."""
    row: dict[str, Any] = {"image": notes.get("image")}
    try:
        return images_of(row | ({"images": parse(notes["images"])} if "images" in notes else {}))
    except DataError as error:
        on_fault(line, str(error))
        return []


def _keepable(key: str, value: object) -> bool:
    fits = isinstance(value, str) and not unfit(value.replace("\r", "\n"))
    return fits and key not in _OWN and _COMMENT.fullmatch(f"# {key} = x") is not None


def _middle(columns: object, words: int) -> list[list[str]] | None:
    """The columns between word and label, if there are any that lines can hold."""
    if not isinstance(columns, list) or len(columns) != words:
        return None
    fits = all(isinstance(cells, list) and all(map(_fits, cells)) for cells in columns)
    return columns if fits else None


def _fits(cell: object) -> bool:
    return isinstance(cell, str) and not (cell and unfit(cell)) and "\r" not in cell and "\ufeff" not in cell
