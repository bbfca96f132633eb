"""Posts -> a file, whole or not at all; a file of posts in one format -> the same posts in another."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any, TextIO

from mner.data.fingerprint import Stamp, Stamper
from mner.data.identify import by_name, load
from mner.data.reading import read
from mner.errors import DataError
from mner.files import writing
from mner.tags import Reading, Scheme
from mner.types import Post

_LOG = logging.getLogger(__name__)

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
"""Suffixes by which other programs know that a file is packed."""


def write(
    posts: Iterable[Post],
    target: str | Path | TextIO,
    *,
    format: str | None = None,
    scheme: Scheme = "IOB2",
    losses: Counter[str] | None = None,
    replace: bool = True,
) -> int:
    """The number of posts written.

    A file appears under its name only when it is whole. When anything fails on the way, an interrupt too, what was
    there before stays.

    >>> import io
    >>> from mner.types import Post, Span
    >>> stream = io.StringIO()
    >>> write([Post("Kevin won", spans=(Span(0, 1, "PER"),))], stream, format="conll", losses=Counter())
    1
    >>> stream.getvalue().split()
    ['Kevin', 'B-PER', 'won', 'O']

    Args:
        posts: Read and written one after the other.
        target: A path, or an open text stream.
        format: "twitter", "conll", "jsonl" or a dotted module name; None: by the file's suffix.
        scheme: The label scheme of a column format.
        losses: Receives what the format cannot hold -> in how many posts; None: that is logged as a warning.
        replace: False refuses to replace a file that has other content.

    Raises:
        DataError: A post cannot be held without damage, or the file cannot be written, or is named as a packed one.
        PluginError: There is no such format.
    """
    opened: AbstractContextManager[TextIO]
    if isinstance(target, str | Path):
        if Path(target).suffix.lower() in _PACKED:
            unpacked = Path(target).with_suffix("")
            raise DataError(f"{target}: posts are written unpacked; name {unpacked}, and pack that file afterwards")
        name, opened = target, writing(Path(target), replace=replace)
    else:
        name, opened = str(getattr(target, "name", "")), nullcontext(target)
    writer = load(format or by_name(name))
    written, lost = count(), Counter[str]()
    counted = (post for post, _ in zip(posts, written, strict=False))
    with opened as stream:
        writer.write(counted, stream, scheme=scheme, losses=lost)
    lost = +lost  # without what was lost in no post
    if losses is not None:
        losses.update(lost)
    elif lost:
        _LOG.warning("%s: not kept: %s", target, describe(lost))
    return next(written)


def describe(losses: Counter[str]) -> str:
    """What a format could not hold, in words.

    >>> describe(Counter({"text": 3}))
    'text of 3 posts'
    """
    return ", ".join(f"{what} of {number} post{'s' if number != 1 else ''}" for what, number in losses.items())


@dataclass(frozen=True, slots=True)
class Converted:
    """What was converted.

    Attributes:
        stamp: The stamp of the posts.
        losses: What the new format could not hold -> in how many posts.
        excluded: Why posts were left out -> how many.
    """

    stamp: Stamp
    losses: dict[str, int]
    excluded: dict[str, int] = field(default_factory=dict)


def convert(
    source: str | Path | IO[Any],
    target: str | Path | TextIO,
    *,
    format: str | None = None,
    to: str | None = None,
    labels: Reading = "repair",
    scheme: Scheme = "IOB2",
    replace: bool = True,
) -> Converted:
    """What was converted. The target appears only when it is whole; it may be the source.

    Words, entities, pictures and order, hence the stamp, are the same in every format that holds several pictures of a
    post; what else a format cannot hold is counted. Parameters and errors are those of ``read`` and ``write``; ``to``
    is the target's format.

    >>> import io
    >>> target = io.StringIO()
    >>> convert(io.StringIO('{"text": "Kevin won", "entities": [[0, 5, "PER"]]}'), target, to="conll").stamp.posts
    1
    >>> target.getvalue().split()
    ['Kevin', 'B-PER', 'won', 'O']
    """
    stamper, losses, excluded = Stamper(), Counter[str](), Counter[str]()
    posts = read(source, format=format, labels=labels, on_excluded=lambda post, reason: excluded.update([reason]))
    write(map(stamper.add, posts), target, format=to, scheme=scheme, losses=losses, replace=replace)
    return Converted(stamper.stamp(), dict(losses), dict(excluded))
