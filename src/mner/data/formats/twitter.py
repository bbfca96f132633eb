"""Posts as in the Twitter-15 and -17 files: a line ``IMGID:<id>``, then ``word<TAB>label``, a blank line between.

Labels are IOB2. The id is also the picture: ``IMGID:123`` is ``123.jpg``; an id that ends like a picture's file name
is that file; an empty one is no picture. A post has no text but its words joined by one space.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TextIO

from mner.data.alignment import joined
from mner.data.formats._columns import Known, Losses, glued, picture_of, post, shown, tags_of
from mner.data.lines import OnFault, raising
from mner.errors import DataError
from mner.picture_files import short_name
from mner.tags import Reading, Scheme
from mner.types import Post

_HEADER = "IMGID:"


def sniff(lines: Sequence[str]) -> bool:
    r"""Whether the first line that is not blank is ``IMGID:`` and no ``word<TAB>label``.

    >>> sniff(["IMGID:1015799", "RT\tO"])
    True
    """
    first = next((line for line in lines if line.strip(" \t")), "")
    return first.startswith(_HEADER) and "\t" not in first


def scheme_of(lines: Iterable[str]) -> Scheme:
    """The scheme of the labels, which is always IOB2."""
    return "IOB2"


def read(
    lines: Iterable[str], *, name: str, labels: Reading | Literal[False] = "repair", on_fault: OnFault | None = None
) -> Iterator[Post]:
    """The posts, one after the other.

    Args:
        lines: Without their line feed.
        name: The file, for messages.
        labels: How an I- that continues nothing is read; False leaves labels unread.
        on_fault: What to do about a bad line; None raises ``DataError``. A bad line is left out.
    """
    fault = on_fault or raising(name)
    known = Known("IOB2")
    words: list[str] = []
    tags: list[str] = []
    image_id: str | None = None
    begin = count = 0

    def done() -> Post:
        written = image_id or ""
        return post(
            words,
            tags,
            name=written or str(count),
            scheme="IOB2",
            labels=labels,
            image=picture_of(written) if written else None,
            where=f"{name}:{begin}",
        )

    for number, line in enumerate(lines, 1):
        columns = line.split("\t")
        header = len(columns) == 1 and line.startswith(_HEADER)
        if header or not line.strip(" \t"):
            if words or image_id is not None:
                yield done()
            words, tags, image_id = [], [], None
            if header:
                image_id, begin, count = line.removeprefix(_HEADER).strip(" "), number, count + 1
            continue
        if image_id is None:
            fault(number, f'expected "{_HEADER}<id>" before the words of a post, found "{shown(line)}"')
            image_id, begin, count = "", number, count + 1
        if problem := glued(line, inside=bool(words)):
            fault(number, problem)
            continue
        if len(columns) != 2 or not columns[0]:
            many = f"{len(columns)} column{'s' if len(columns) != 1 else ''}"
            fault(number, f'expected "word<TAB>label", found {many if columns[0] else "no word"} ("{shown(line)}")')
            continue
        tag, problem = known.tag(columns[1])
        if problem and labels is not False:
            fault(number, problem)
            continue
        words.append(columns[0])
        tags.append(tag)
    if words or image_id is not None:
        yield done()


def write(posts: Iterable[Post], stream: TextIO, *, scheme: Scheme = "IOB2", losses: Losses | None = None) -> int:
    """The number of posts written.

    Raises:
        DataError: The scheme is not IOB2, or a post cannot be held without damage.
    """
    if scheme != "IOB2":
        raise DataError(f"the twitter format is IOB2, not {scheme}; for {scheme} write conll")
    lost = losses if losses is not None else Losses()
    count = 0
    for count, found in enumerate(posts, 1):
        tags = tags_of(found, scheme="IOB2", format_name="twitter")
        written = _image_id(found)
        lost["text"] += found.text != joined(found.words)[0]
        lost["id"] += found.id != (written or str(count))
        lost["extra keys"] += bool(found.extra)
        stream.write(f"{_HEADER}{written}\n")
        stream.writelines(f"{word}\t{tag}\n" for word, tag in zip(found.words, tags, strict=True))
        stream.write("\n")
    return count


def _image_id(post: Post) -> str:
    if post.image is None:
        return ""
    short = post.image.removesuffix(".jpg")
    written = short if short and picture_of(short) == post.image else post.image
    if picture_of(written.strip(" ")) != post.image:
        raise DataError(
            f'{post.where or post.id}: the image "{short_name(post.image)}" would be read back as '
            f'"{short_name(picture_of(written.strip(" ")))}"; give it a picture\'s suffix, or write jsonl'
        )
    return written
