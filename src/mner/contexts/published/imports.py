"""Published files -> rows of the artefact, without the pictures: objects, captions, and texts by picture or post."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from mner.contexts.artefact import key
from mner.contexts.published import bottomup, vinvl
from mner.contexts.published.sentences import sentences
from mner.contexts.tag_limit import limit_tags
from mner.errors import DataError
from mner.types import Caption, ContextText, VisualContext

Kind = Literal["texts", "captions", "vinvl", "bottomup"]
"""What a published file holds."""

KINDS: tuple[Kind, ...] = get_args(Kind)


def rows(
    path: Path,
    kind: Kind,
    *,
    source: str = "",
    posts: Mapping[str, str | None] | None = None,
    suffix: str = ".jpg",
    attribute_threshold: float | None = None,
    left_out: Callable[[str], None] = lambda name: None,
) -> Iterator[VisualContext]:
    """The rows of a published file, one after the other; a picture may have several, which join when they are read.

    Args:
        path: The file or folder.
        kind: What it holds. Texts (retrieved sentences, background) stand beside the words as they are.
        source: The name that entries carry; "" takes the file's own name without suffix, or the detector's.
        posts: Post id -> its picture. With it names are ids of posts, and each text belongs to that post alone.
        suffix: Put behind names of pictures that have none, such as the numbers of COCO.
        attribute_threshold: An attribute of a detector is kept where its confidence is over this; None takes what the
            detector's own option has.
        left_out: Called with each id that ``posts`` lacks or that has no picture there.

    Raises:
        DataError: The file is missing or damaged; the message names file and line. Or all of it was left out.
    """
    if kind in {"vinvl", "bottomup"}:
        told: dict[str, Any] = {} if attribute_threshold is None else {"attribute_threshold": attribute_threshold}
        published = vinvl.Published(path, **told) if kind == "vinvl" else bottomup.Published(path, **told)
        for name in published:
            tags, cut = limit_tags(published.find(name).tags)
            yield VisualContext(_picture(name, suffix), tags=tags, extra=cut)
        return
    source = source or path.name.partition(".")[0]
    last, used = None, False
    for one in sentences(path):
        extra = dict(one.extra)
        image: str | None = _picture(one.name, suffix)
        if posts is not None:
            image, extra["post"] = posts.get(one.name), one.name
        last, used = one.name, used or image is not None
        if image is None:
            left_out(one.name)
        elif kind == "captions":
            yield VisualContext(image, captions=(Caption(one.text, one.score, source, extra),))
        else:
            score = {} if one.score is None else {"score": one.score}
            yield VisualContext(image, texts=(ContextText(one.text, source, {**score, **extra}),))
    if last is not None and not used:
        raise DataError(
            f"{path}: its names, such as {last!r}, are no ids of posts with a picture, such as "
            f"{next(iter(posts or ()), 'none')!r}; if they are names of pictures, leave the posts out"
        )


def _picture(name: str, suffix: str) -> str:
    """The picture's name with a suffix.

    >>> _picture("123", ".jpg"), _picture("a/b.png", ".jpg"), _picture("IMGID:5", ".jpg"), _picture("v1.2 final", "")
    ('123.jpg', 'a/b.png', '5.jpg', 'v1.2 final')
    """
    named = key(name)
    ending = PurePosixPath(named).suffix
    return named if 2 <= len(ending) <= 5 and ending[1:].isalnum() else named + suffix
