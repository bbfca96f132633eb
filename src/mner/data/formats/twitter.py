"""Posts as in the Twitter-15 and -17 files: a line ``IMGID:<id>``, then ``word<TAB>label``, a blank line between.

Labels are IOB2. The id is also the picture: ``IMGID:123`` is ``123.jpg``; an id that ends like a picture's file name
is that file; an empty one means no picture. The text of a post is its words joined by one space.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TextIO

from mner.data.alignment import joined
from mner.data.formats._columns import Known, Losses, glued, missing, picture_of, tags_of
from mner.data.lines import OnFault, clipped
from mner.errors import DataError
from mner.picture_files import short_name
from mner.tags import Labels, Scheme, to_spans
from mner.types import Post

_HEADER = "IMGID:"


def sniff(lines: Sequence[str]) -> bool:
    r"""Whether the first line that is not blank begins with ``IMGID:`` and is not ``word<TAB>label``.

    >>> sniff(["IMGID:1015799", "RT\tO"])
    True
    """
    first = next((line for line in lines if line.strip(" \t")), "")
    return first.startswith(_HEADER) and "\t" not in first


def scheme_of(lines: Iterable[str]) -> Scheme:
    """The scheme of the labels, which is always IOB2."""
    return "IOB2"


def read(lines: Iterable[str], *, name: str, labels: Labels, on_fault: OnFault) -> Iterator[Post]:
    """The posts, one after the other."""
    known = Known("IOB2")
    words: list[str] = []
    tags: list[str] = []
    image_id: str | None = None
    begin = count = 0
    for number, line in enumerate(chain(lines, [""]), 1):  # a blank line ends the last post
        columns = line.split("\t")
        header = len(columns) == 1 and line.startswith(_HEADER)
        if header or not line.strip(" \t"):
            if words or image_id is not None:
                text, offsets = joined(words)
                spans = to_spans(tags, labels=labels) if labels else None
                image = picture_of(image_id) if image_id else None
                yield Post(image_id or str(count), text, tuple(words), offsets, spans, image, f"{name}:{begin}")
            words, tags, image_id = [], [], None
            if header:
                image_id, begin, count = line.removeprefix(_HEADER).strip(" "), number, count + 1
            continue
        if image_id is None:
            on_fault(number, f'expected "{_HEADER}<id>" before the words of a post, found "{clipped(line)}"')
            image_id, begin, count = "", number, count + 1
        if problem := glued(line, inside=bool(words)):
            on_fault(number, problem)
        elif len(columns) != 2 or not columns[0]:
            on_fault(number, missing(columns, line))
        else:
            tag, problem = known.tag(columns[1])
            if problem and labels:
                on_fault(number, problem)
            else:
                words.append(columns[0])
                tags.append(tag)


def write(posts: Iterable[Post], stream: TextIO, *, scheme: Scheme, losses: Losses) -> None:
    """Write posts.

    Raises:
        DataError: The scheme is not IOB2, or a post cannot be held without damage.
    """
    if scheme != "IOB2":
        raise DataError(f"the twitter format is IOB2, not {scheme}; for {scheme} write conll")
    for count, post in enumerate(posts, 1):
        tags = tags_of(post, scheme=scheme, format_name="twitter")
        image_id = _image_id(post)
        losses["text"] += post.text != " ".join(post.words)
        losses["id"] += post.id != (image_id or str(count))
        losses["extra keys"] += bool(post.extra)
        losses["pictures after the first"] += bool(post.more_images)
        stream.write(f"{_HEADER}{image_id}\n")
        stream.writelines(f"{word}\t{tag}\n" for word, tag in zip(post.words, tags, strict=True))
        stream.write("\n")


def _image_id(post: Post) -> str:
    if post.image is None:
        return ""
    short = post.image.removesuffix(".jpg")
    image_id = short if short and picture_of(short) == post.image else post.image
    read_back = picture_of(image_id.strip(" "))
    if read_back != post.image:
        raise DataError(
            f'{post.where or post.id}: the image "{short_name(post.image)}" would be read back as '
            f'"{short_name(read_back)}"; give it a picture\'s suffix, or write jsonl'
        )
    return image_id
