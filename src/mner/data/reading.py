"""A file of posts -> posts, one after the other."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from mner.data.identify import detect, load
from mner.data.lines import Lines, OnFault, raising
from mner.data.pictures import place_of
from mner.data.records import excluded
from mner.errors import ConfigError, DataError
from mner.picture_files import Refused, unfiled
from mner.tags import Labels, check_type
from mner.types import Post

OnExcluded = Callable[[Post, str], None]
"""Called with a post that is left out, and why."""

_LOG = logging.getLogger(__name__)


def read(
    source: str | Path | IO[Any],
    *,
    format: str | None = None,
    labels: Labels = "repair",
    images: str | Path | None = None,
    on_fault: OnFault | None = None,
    on_excluded: OnExcluded | None = None,
) -> Iterator[Post]:
    r"""The posts of a file, streamed: memory stays flat however large the file is.

    Args:
        source: A path, or an open stream of bytes or text such as ``sys.stdin``. A stream of columns is kept in
            memory, because its label scheme shows only at its end.
        format: A format's name, such as "twitter", "conll", "jsonl", or a dotted module name; None: by first lines
            and file name.
        labels: What an I- that continues nothing means: repair, it begins an entity; strict, it is O. False: every
            post has ``spans`` None, as a prediction needs no labels.
        images: The folder of the pictures. Each post's image becomes the path of its picture there, as ``place_of``
            finds it; data URIs and addresses stay as they are. None leaves images as they are written.
        on_fault: Called with (line, message) for each bad line, which is then left out; None raises.
        on_excluded: Called with (post, reason) for each post that its annotator rejected or skipped. It is left out,
            unless ``labels`` is False. None logs how many there were.

    Raises:
        DataError: While iterating: the file is missing, of no known format, or has a bad line, or names a picture
            outside ``images``.
        PluginError: There is no such format.

    >>> import io
    >>> [post.words for post in read(io.StringIO("Kevin\tB-PER\nwins\tO\n"))]
    [('Kevin', 'wins')]
    """
    lines = Lines(source, on_fault=on_fault)
    reader = load(format or detect(lines))
    source_lines: Iterable[str] = lines if lines.repeatable else iter(lines)
    if getattr(reader, "LINE_ENDS", False):
        source_lines = lines.whole()
    posts: Iterator[Post] = reader.read(
        source_lines, name=lines.name, labels=labels, on_fault=on_fault or raising(lines.name)
    )
    if labels is False:
        posts = (post if post.spans is None else replace(post, spans=None) for post in posts)
    else:
        posts = _accepted(posts, lines.name, on_excluded)
    if images is None:
        yield from posts
        return
    for post in posts:
        yield post.with_images([_placed(Path(images), image, post.where) for image in post.images])


def _placed(folder: Path, image: str, where: str) -> str:
    """The path of a picture in a folder; a data URI or an address as it is."""
    place = place_of(folder, image)
    if isinstance(place, Refused) and place.status == "skipped" and unfiled(image) is None:
        raise DataError(f"{where}: {place.reason}")
    return str(place) if isinstance(place, Path) else image


def _accepted(posts: Iterator[Post], name: str, on_excluded: OnExcluded | None) -> Iterator[Post]:
    """The posts that nobody set aside."""
    reasons: Counter[str] = Counter()
    for post in posts:
        if not (reason := excluded(post.extra)):
            yield post
        elif on_excluded is not None:
            on_excluded(post, reason)
        else:
            reasons[reason] += 1
    for reason, count in reasons.items():
        _LOG.warning("%s: %d post%s left out: %s", name, count, "s" * (count != 1), reason)


def rename(post: Post, types: Mapping[str, str]) -> Post:
    """The post with its gold entities' types renamed; a type that is not in ``types`` stays.

    Raises:
        ConfigError: A new name is not a valid type.

    >>> from mner.types import Span
    >>> post = Post("1", "Oscars", ("Oscars",), ((0, 6),), (Span(0, 1, "OTHER"),))
    >>> rename(post, {"OTHER": "MISC"}).spans
    (Span(start=0, end=1, label='MISC'),)
    """
    if not types or not post.spans:
        return post
    try:
        names = {label: check_type(types[label]) for label in {span.label for span in post.spans} & types.keys()}
    except ValueError as error:
        raise ConfigError(f"data.rename: {error}") from None
    return replace(post, spans=tuple(replace(span, label=names.get(span.label, span.label)) for span in post.spans))
