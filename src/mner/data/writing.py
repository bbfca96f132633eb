"""Posts -> a file, whole or not at all."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from mner.data.identify import by_name, load
from mner.files import writing
from mner.tags import Scheme
from mner.types import Post

_LOG = logging.getLogger(__name__)


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

    Args:
        posts: Read and written one after the other.
        target: A path, or an open text stream.
        format: "twitter", "conll", "jsonl" or a dotted module name; None: by the file's suffix.
        scheme: The label scheme of a column format.
        losses: Is given what the format cannot hold -> in how many posts; None: that is logged as a warning.
        replace: False refuses to replace a file whose content is another.

    Raises:
        DataError: A post cannot be held without damage, or the file cannot be written.
        PluginError: There is no such format.
    """
    lost: Counter[str] = Counter()
    if isinstance(target, str | Path):
        writer = load(format or by_name(target))
        with writing(Path(target), replace=replace) as stream:
            count: int = writer.write(posts, stream, scheme=scheme, losses=lost)
    else:
        count = load(format or by_name(str(getattr(target, "name", "")))).write(
            posts, target, scheme=scheme, losses=lost
        )
    lost = +lost  # what was counted zero times was not lost
    if losses is not None:
        losses.update(lost)
    elif lost:
        _LOG.warning("%s: not kept: %s", target, describe(lost))
    return count


def describe(losses: Counter[str]) -> str:
    """What a format could not hold, in words.

    >>> describe(Counter({"text": 3}))
    'text of 3 posts'
    """
    return ", ".join(f"{what} of {number} post{'s' if number != 1 else ''}" for what, number in losses.items())
