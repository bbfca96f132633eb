"""Posts as columns: the word first, its label last, blank lines between posts.

Columns are separated by TABs, or in lines without one by spaces. A line of only spaces and TABs is a blank line.
The scheme (IOB2, IOB1 or BIOES) is found by a first pass over the labels. ``-DOCSTART-`` lines are skipped.
Before a post's first word, ``# key = value`` is a comment: ``id`` (or ``sent_id``), ``image`` and ``text`` (used where
the words stand in it) belong to the post, others are kept as extra keys, as are columns between word and label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from mner.data.alignment import align, joined
from mner.data.formats._columns import Known, Losses, post, shown, tags_of, unfit
from mner.data.lines import Lines, OnFault, raising
from mner.tags import Reading, Scheme, detect
from mner.types import Post

_COMMENT = re.compile(r"# ?([A-Za-z_][\w.-]*) = ([^\t]*)|# (id) (\S+)(?:\t.*)?", re.DOTALL)
_JSON = re.compile(r'\s*\[?\s*\{\s*["}]')
_DOCUMENT = "-DOCSTART-"
_OWN = {"id", "sent_id", "image", "text", "columns"}


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
    return detect(_label_columns(lines))


def read(
    lines: Iterable[str], *, name: str, labels: Reading = "repair", on_fault: OnFault | None = None
) -> Iterator[Post]:
    """The posts, one after the other.

    Args:
        lines: Without their line feed. What can be read only once is kept in memory, as the scheme must be known
            first; a file (``Lines``) is read twice.
        name: The file, for messages.
        labels: How an I- that continues nothing is read.
        on_fault: What to do about a bad line; None raises ``DataError``. A bad line is left out.
    """
    if not (isinstance(lines, Sequence) or (isinstance(lines, Lines) and lines.repeatable)):
        lines = list(lines)
    fault = on_fault or raising(name)
    scheme = scheme_of(lines)
    known = Known(scheme)
    words: list[str] = []
    tags: list[str] = []
    middle: list[list[str]] = []
    notes: dict[str, str] = {}
    begin = count = 0

    def done() -> Post:
        extra: dict[str, Any] = {key: value for key, value in notes.items() if key not in _OWN}
        if any(middle):
            extra["columns"] = middle
        return post(
            words,
            tags,
            name=notes.get("id") or notes.get("sent_id") or str(count),
            scheme=scheme,
            labels=labels,
            image=notes.get("image"),
            text=notes.get("text"),
            where=f"{name}:{begin}",
            extra=extra,
        )

    for number, line in enumerate(lines, 1):
        if not line.strip(" \t"):
            if begin:
                yield done()
            words, tags, middle, notes, begin = [], [], [], {}, 0
            continue
        parts = columns(line)
        comment = None if words else _COMMENT.fullmatch(line)
        if comment and (comment[1] or known.problem(parts[-1])):
            notes[comment[1] or comment[3]] = comment[2] if comment[1] else comment[4]
        elif not words and parts[0] == _DOCUMENT:
            continue
        elif len(parts) < 2 or not parts[0]:
            many = f"{len(parts)} column" if parts[0] else "no word"
            fault(number, f'expected "word<TAB>label", found {many} ("{shown(line)}")')
            continue
        elif problem := known.problem(parts[-1]):
            fault(number, problem)
            continue
        else:
            words.append(parts[0])
            tags.append(parts[-1])
            middle.append(parts[1:-1])
        if not begin:
            begin, count = number, count + 1
    if begin:
        yield done()


def write(posts: Iterable[Post], stream: TextIO, *, scheme: Scheme = "IOB2", losses: Losses | None = None) -> int:
    """The number of posts written, columns separated by TABs.

    A comment stands before a post whose id is not its number, that has a picture, or a text of its own.

    Raises:
        DataError: A post cannot be held without damage.
    """
    lost = losses if losses is not None else Losses()
    count = 0
    for count, found in enumerate(posts, 1):
        tags = tags_of(found, scheme=scheme, format_name="conll", first=_DOCUMENT)
        middle = _middle(found)
        lost["extra keys"] += ("columns" in found.extra and middle is None) or not _notable(found.extra)
        for key, value in _notes(found, str(count), lost):
            stream.write(f"# {key} = {value}\n")
        for at, (word, tag) in enumerate(zip(found.words, tags, strict=True)):
            stream.write("\t".join([word, *(middle[at] if middle else ()), tag]) + "\n")
        stream.write("\n")
    return count


def _label_columns(lines: Iterable[str]) -> Iterator[list[str]]:
    """The last column of each post's lines; comments have none."""
    tags: list[str] = []
    for line in lines:
        if not line.strip(" \t"):
            yield tags
            tags = []
        elif len(parts := columns(line)) > 1 and (tags or not _COMMENT.fullmatch(line)):
            tags.append(parts[-1])
    yield tags


def _notes(post: Post, number: str, lost: Losses) -> Iterator[tuple[str, str]]:
    """The comments of a post that a line can hold."""
    if post.id != number or not (post.words or post.image):
        if unfit(post.id.replace("\r", "\n")):
            lost["id"] += 1
            if not post.words:  # without a comment nothing would be left of the post
                yield "id", number
        else:
            yield "id", post.id
    if post.image is not None:
        yield "image", post.image
    if post.text != joined(post.words)[0]:
        if unfit(post.text.replace("\r", "\n")) or align(post.text, post.words) != post.offsets:
            lost["text"] += 1
        else:
            yield "text", post.text
    for key, value in post.extra.items():
        if _keepable(key, value):
            yield key, value


def _keepable(key: str, value: object) -> bool:
    fits = isinstance(value, str) and not unfit(value.replace("\r", "\n"))
    return fits and key not in _OWN and _COMMENT.fullmatch(f"# {key} = x") is not None


def _notable(extra: Mapping[str, Any]) -> bool:
    return all(key == "columns" or _keepable(key, value) for key, value in extra.items())


def _middle(post: Post) -> list[list[str]] | None:
    """The columns between word and label, if the post has some that lines can hold."""
    kept = post.extra.get("columns")
    if not isinstance(kept, list) or len(kept) != len(post.words):
        return None
    fits = all(isinstance(row, list) and all(isinstance(x, str) and not (x and unfit(x)) for x in row) for row in kept)
    return kept if fits else None
