"""Posts with labels and files of named boxes -> where the picture shows each gold entity."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mner.data.box_files import BoxedPicture, BoxFolder, BoxLines, NamedBox
from mner.data.lines import clipped, printable
from mner.errors import DataError
from mner.types import Box, Post

UNREACHABLE: Box = (0.0, 0.0, 0.0, 0.0)
"""Stands for a gold box that cannot be used: the picture shows the entity, and no predicted box overlaps it."""

UNNAMED, NO_ENTITY = "boxes without a name", "boxes with the name of no entity of their post"
NO_NUMBERS, NO_AREA, OUTSIDE = "boxes without four numbers", "boxes without an area", "boxes that leave the picture"
UNLISTED = "posts without boxes on file, taken to show none of their entities"

Unlisted = Literal["refuse", "no-box"]
"""What a picture without boxes on file is: an error, or one that shows none of its post's entities."""


@dataclass(frozen=True, slots=True)
class GoldBoxes:
    """Where the pictures of posts show their gold entities.

    Attributes:
        posts: For each post, for each of its spans, the boxes that show it; () is "not in the picture".
        faults: What is odd in the files and ends nothing -> how often.
        first: What is odd -> where it occurs first.
        sizes: The width and height of each post's picture in pixels, as far as the files say.
    """

    posts: tuple[tuple[tuple[Box, ...], ...], ...]
    faults: Mapping[str, int]
    first: Mapping[str, str]
    sizes: tuple[tuple[float, float] | None, ...] = ()

    def notes(self) -> list[str]:
        """A line for each kind of fault: how often, and where first.

        >>> GoldBoxes((), {OUTSIDE: 2}, {OUTSIDE: "boxes.jsonl:7"}).notes()
        ['2 boxes that leave the picture; the first: boxes.jsonl:7']
        """
        return [f"{count} {fault}; the first: {self.first[fault]}" for fault, count in self.faults.items()]


@dataclass(slots=True)
class _Faults:
    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def add(self, fault: str, where: str) -> None:
        self.counts[fault] += 1
        self.first.setdefault(fault, printable(where))


def read_boxes(source: str | Path, posts: Sequence[Post], *, unlisted: Unlisted = "refuse") -> GoldBoxes:
    """The boxes of each gold entity of posts.

    A box belongs to every entity of its post whose words, joined by one space, are its name. It is cut at the
    picture's edges. A box without an area, or without its numbers, still says that the picture shows the entity, but
    matches no predicted box. All of these are counted. Posts without entities or without a picture need no boxes; of a
    post with several pictures the boxes are those of the first.

    Args:
        source: A folder of XML files (Pascal VOC), or a file of JSON lines.
        posts: Posts with labels.
        unlisted: What a picture without boxes on file is, if its post has entities.

    Raises:
        DataError: The source is missing; it is damaged, or declares a document type; it lacks a picture, and
            ``unlisted`` is "refuse"; or it lacks all of them.

    >>> import json, tempfile
    >>> from mner.types import Span
    >>> row = {"image": "1.jpg", "boxes": [{"name": "Kevin Love", "box": [10, 20, 110, 220]}]}
    >>> post = Post("Kevin Love is back in Cleveland", spans=(Span(0, 2, "PER"), Span(5, 6, "LOC")), image="1.jpg")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = (Path(folder) / "boxes.jsonl").write_text(json.dumps(row))
    ...     read_boxes(Path(folder) / "boxes.jsonl", [post]).posts
    ((((10.0, 20.0, 110.0, 220.0),), ()),)
    """
    source = Path(source)
    pictures = BoxFolder(source) if source.is_dir() else BoxLines(source)
    faults = _Faults()
    gold: list[tuple[tuple[Box, ...], ...]] = []
    sizes: list[tuple[float, float] | None] = []
    listed = False
    lacking: list[Post] = []
    for post in posts:
        picture = pictures.get(post.image) if post.spans and post.image is not None else None
        listed |= picture is not None
        if picture is None and post.spans and post.image is not None:
            if unlisted == "refuse":
                raise DataError(
                    f"{_lack(post, source, pictures.entry(post.image))}. Add it, without boxes if the picture shows "
                    "none of its entities; if all such pictures are left out there, say so: --unlisted no-box"
                )
            lacking.append(post)
            faults.add(UNLISTED, f"{post.where or post.id} ({post.image})")
        gold.append(_matched(post, picture, faults))
        sizes.append(
            (picture.width, picture.height) if picture and math.isfinite(picture.width + picture.height) else None
        )
    if lacking and not listed:
        entry = pictures.entry(lacking[0].image or "")
        raise DataError(f"{_lack(lacking[0], source, entry)}, nor any other post's. Name the boxes of these posts")
    return GoldBoxes(tuple(gold), dict(faults.counts), faults.first, tuple(sizes))


def _lack(post: Post, source: Path, entry: str) -> str:
    return printable(
        f'{post.where or "posts"}: {source} has no boxes for the picture of post "{post.id}": expected {entry}'
    )


def _matched(post: Post, picture: BoxedPicture | None, faults: _Faults) -> tuple[tuple[Box, ...], ...]:
    """The boxes of each span of a post."""
    names = [" ".join(post.words[span.start : span.end]) for span in post.spans or ()]
    boxes: dict[str, list[Box]] = {name: [] for name in names}
    for named in picture.boxes if picture else ():
        if not named.name:
            faults.add(UNNAMED, named.where)
        elif named.name not in boxes:
            faults.add(NO_ENTITY, f'{named.where} ("{clipped(named.name)}")')
        elif picture:
            boxes[named.name].append(_usable(named, picture, faults))
    return tuple(tuple(boxes[name]) for name in names)


def _usable(named: NamedBox, picture: BoxedPicture, faults: _Faults) -> Box:
    """A box cut at its picture's edges, ``UNREACHABLE`` if nothing is left of it."""
    if named.sides is None:
        faults.add(NO_NUMBERS, named.where)
        return UNREACHABLE
    left, top, right, bottom = named.sides
    if right <= left or bottom <= top:
        faults.add(NO_AREA, named.where)
        return UNREACHABLE
    box = (max(left, 0.0), max(top, 0.0), min(right, picture.width), min(bottom, picture.height))
    if box != named.sides:
        faults.add(OUTSIDE, named.where)
    return box if box[2] > box[0] and box[3] > box[1] else UNREACHABLE
