"""Posts as columns: the word first, its label last, blank lines between posts.

Columns are separated by TABs, or in lines without one by spaces. A line of only spaces and TABs is a blank line.
Where the first column counts the words, as in CoNLL-U, the word is the second; a line
``# global.columns = ID FORM NER`` names the columns of files that are laid out otherwise. The scheme (IOB2, IOB1 or
BIOES) is found by a first pass over the labels. ``-DOCSTART-`` lines part posts and are skipped.
Before a post's first word, ``# key = value`` is a comment: ``id`` (or ``sent_id``), ``image`` and ``text`` (used where
the words stand in it) belong to the post, others are kept as extra keys, as are columns between word and label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TextIO

from mner.data.alignment import align, joined
from mner.data.formats._columns import Known, Losses, glued, post, shown, tags_of, unfit
from mner.data.formats._layout import DOCUMENT, HEADER, HOW, Layout, find, resembles_index
from mner.data.lines import Lines, OnFault, raising
from mner.tags import Reading, Scheme, detect, trimmed
from mner.types import Post

_COMMENT = re.compile(r"# ?([A-Za-z_][\w.-]*) = ([^\t]*)|# (id) (\S+)(?:\t.*)?", re.DOTALL)
_JSON = re.compile(r'\s*\[?\s*\{\s*["}]')
_OWN = {"id", "sent_id", "image", "text", "columns", HEADER}


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
    return _scheme(lines, _layout(lines, lambda line, message: None) or Layout())


def read(
    lines: Iterable[str], *, name: str, labels: Reading | Literal[False] = "repair", on_fault: OnFault | None = None
) -> Iterator[Post]:
    """The posts, one after the other.

    Args:
        lines: Without their line feed. What can be read only once is kept in memory, as the scheme must be known
            first; a file (``Lines``) is read twice.
        name: The file, for messages.
        labels: How an I- that continues nothing is read; False leaves labels unread, and a line may be a word alone.
        on_fault: What to do about a bad line; None raises ``DataError``. A bad line is left out.
    """
    lines = _repeatable(lines)
    fault = on_fault or raising(name)
    layout = _layout(lines, fault, labelled=labels is not False)
    if layout is None:
        return
    scheme = _scheme(lines, layout)
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
        parts = columns(line)
        blank, document = not line.strip(" \t"), DOCUMENT in parts[: layout.word + 1]
        if blank or (words and (document or layout.restarts(parts))):
            if begin:
                yield done()
            words, tags, middle, notes, begin = [], [], [], {}, 0
        if blank or document:
            continue
        word, written, others = layout.of(parts)
        tag, problem = known.tag(written)
        word = word or (parts[0] if labels is False and len(parts) == 1 else "")
        comment = None if words else _COMMENT.fullmatch(line)
        if comment and (comment[1] or problem):
            if comment[1] == HEADER:
                continue
            notes[comment[1] or comment[3]] = comment[2] if comment[1] else comment[4]
        elif layout.skips(parts):
            continue
        elif problem := glued(line, inside=bool(words)) or _missing(parts, word, line) or (problem if labels else ""):
            fault(number, f"{problem}. {HOW}" if word and len(parts) > 2 else problem)
            continue
        else:
            words.append(word)
            tags.append(tag)
            middle.append(others)
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
    count, named = 0, False
    for count, found in enumerate(posts, 1):
        tags = tags_of(found, scheme=scheme, format_name="conll", reserved=DOCUMENT)
        middle = _middle(found)
        lost["extra keys"] += ("columns" in found.extra and middle is None) or not _notable(found.extra)
        if middle and not named and resembles_index(found.words):
            stream.write(f"# {HEADER} = FORM X NER\n")
            named = True
        for key, value in _notes(found, str(count), lost):
            stream.write(f"# {key} = {value}\n")
        for at, (word, tag) in enumerate(zip(found.words, tags, strict=True)):
            stream.write("\t".join([word, *(middle[at] if middle else ()), tag]) + "\n")
        stream.write("\n")
    return count


def _repeatable(lines: Iterable[str]) -> Sequence[str] | Lines:
    if isinstance(lines, Sequence) or (isinstance(lines, Lines) and lines.repeatable):
        return lines
    return list(lines)


def _layout(lines: Sequence[str] | Lines, fault: OnFault, *, labelled: bool = True) -> Layout | None:
    rows = (columns(line) if line.strip(" \t") else [] for line in lines)
    return find(enumerate(rows, 1), on_fault=fault, labelled=labelled)


def _scheme(lines: Iterable[str], layout: Layout) -> Scheme:
    return detect(_labels(lines, layout))


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


def _missing(parts: Sequence[str], word: str, line: str) -> str:
    """What a line lacks, "" if nothing."""
    if word:
        return ""
    many = f"{len(parts)} column{'s' if len(parts) > 1 else ''}" if parts[0] else "no word"
    return f'expected "word<TAB>label", found {many} ("{shown(line)}")'


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
    fits = all(isinstance(row, list) and all(map(_fits, row)) for row in kept)
    return kept if fits else None


def _fits(column: object) -> bool:
    return isinstance(column, str) and not (column and unfit(column)) and "\r" not in column and "\ufeff" not in column
