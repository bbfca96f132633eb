"""A file of posts in one format -> the same posts in another."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TextIO

from mner.data.fingerprint import Stamp, Stamper
from mner.data.reading import read
from mner.data.writing import write
from mner.tags import Reading, Scheme


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

    Words, entities, pictures and order, hence the stamp, are the same in every format; what else a format cannot
    hold is counted.

    Args:
        source: A path, or an open stream.
        target: A path, or an open text stream.
        format: The source's format; None: by first lines and name.
        to: The target's format; None: by its suffix.
        labels: What an I- that continues nothing means in the source.
        scheme: The label scheme of a column format.
        replace: False refuses to replace a file whose content is another.

    Raises:
        DataError: The source has a bad line, or a post cannot be held without damage.
        PluginError: There is no such format.
    """
    stamper, losses, excluded = Stamper(), Counter[str](), Counter[str]()
    found = read(source, format=format, labels=labels, on_excluded=lambda post, reason: excluded.update([reason]))
    posts = (stamper.add(post) for post in found)
    write(posts, target, format=to, scheme=scheme, losses=losses, replace=replace)
    return Converted(stamper.stamp(), dict(losses), dict(excluded))
