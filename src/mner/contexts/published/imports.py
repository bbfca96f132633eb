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
        kind: What it holds. Texts (retrieved sentences, background) are used as they are.
        source: The source of the entries; "" takes the file's own name without suffix, or the detector's.
        posts: Post id -> its picture. With it, names are ids of posts, and each text belongs to that post alone.
        suffix: Added to names of pictures that have none, such as the numbers of COCO.
        attribute_threshold: An attribute of a detector is kept where its confidence is over this; None takes the
            detector's own default.
        left_out: Called with each id that ``posts`` lacks or that has no picture there.

    Raises:
        DataError: The file is missing or damaged; the message names file and line. Or all of it was left out.
    """
    if kind in {"vinvl", "bottomup"}:
        options: dict[str, Any] = {} if attribute_threshold is None else {"attribute_threshold": attribute_threshold}
        published = vinvl.Published(path, **options) if kind == "vinvl" else bottomup.Published(path, **options)
        for name in published:
            tags, cut = limit_tags(published.find(name).tags)
            yield VisualContext(_picture(name, suffix), tags=tags, extra=cut)
        return
    source = source or path.name.partition(".")[0]
    last, used = None, False
    for sentence in sentences(path):
        extra = dict(sentence.extra)
        image: str | None = _picture(sentence.name, suffix)
        if posts is not None:
            image, extra["post"] = posts.get(sentence.name), sentence.name
        last, used = sentence.name, used or image is not None
        if image is None:
            left_out(sentence.name)
        elif kind == "captions":
            yield VisualContext(image, captions=(Caption(sentence.text, sentence.score, source, extra),))
        else:
            score = {} if sentence.score is None else {"score": sentence.score}
            yield VisualContext(image, texts=(ContextText(sentence.text, source, {**score, **extra}),))
    if last is not None and not used:
        if last in (posts or {}):
            raise DataError(f"{path}: its names, such as {last!r}, are ids of posts without a picture")
        known = next((name for name, image in (posts or {}).items() if image), "none")
        raise DataError(
            f"{path}: its names, such as {last!r}, are not ids of posts with a picture, such as {known!r}; if they are "
            "names of pictures, leave the posts out"
        )


def _picture(name: str, suffix: str) -> str:
    """The picture's name with a suffix.

    >>> _picture("123", ".jpg"), _picture("a/b.png", ".jpg"), _picture("IMGID:5", ".jpg"), _picture("v1.2 final", "")
    ('123.jpg', 'a/b.png', '5.jpg', 'v1.2 final')
    """
    named = key(name)
    ending = PurePosixPath(named).suffix
    return named if 2 <= len(ending) <= 5 and ending[1:].isalnum() else named + suffix
