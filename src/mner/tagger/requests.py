"""What a caller gives -> a post, its picture, and perhaps a ready context."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mner.data import gold
from mner.data.alignment import whole
from mner.data.records import post_of
from mner.picture_files import Inline, Refused, short_name, unfiled
from mner.types import Caption, Post, VisualContext

if TYPE_CHECKING:
    from PIL.Image import Image

PostLike = str | Post | Mapping[str, Any]
"""A text, a post, or a row with the keys text or words, and perhaps id, offsets, image, context."""

if TYPE_CHECKING:
    PictureLike = str | os.PathLike[str] | bytes | Image
    """A path, the bytes of a picture's file, or an opened picture."""

ContextLike = str | VisualContext | Mapping[str, Any]
"""A context, a row of the artefact, or a caption."""

GIVEN = "given"
"""Source of a caption that came as a bare string."""

_KEYS = ("id", "text", "words", "offsets")


@dataclass(frozen=True, slots=True)
class Request:
    """One post to tag.

    Attributes:
        post: The post; its ``image`` is the picture's name, if it has one.
        picture: The path, bytes or opened picture that the caller gave, or the picture that a data URI holds; None:
            ``post.image`` names one, or none.
        context: What stands for the picture, which is then not read.
    """

    post: Post
    picture: Any = None
    context: VisualContext | None = None

    @property
    def pictured(self) -> bool:
        """True when there is a picture or something that stands for one."""
        return self.post.image is not None or self.picture is not None or self.context is not None


def request(
    post: PostLike,
    *,
    image: PictureLike | None = None,
    context: ContextLike | None = None,
    caption_source: str = GIVEN,
) -> Request:
    """The post that a caller means, words split and picture named.

    Args:
        post: A text, a post or a row.
        image: Its picture; goes before the one that ``post`` names.
        context: What stands for the picture; goes before the one of a row.
        caption_source: Source to name for a caption that comes as a bare string.

    Raises:
        DataError: A row holds neither text nor words, or a context is not as the artefact writes them.
        TypeError: An argument is of none of these types.

    >>> request({"words": ["Hi", "Bo"], "image": "1.jpg"}).post.image
    '1.jpg'
    """
    if isinstance(post, str):
        parsed = Post(whole(Post("", post, (), ())).text)
    elif isinstance(post, Post):
        parsed = whole(post)
    elif isinstance(post, Mapping):
        parsed = _post_of_row(post)
        context = post.get("context") if context is None else context
        named = post.get("image") if image is None else None
        if isinstance(named, str | os.PathLike):
            parsed = replace(parsed, image=os.fspath(named) or None)
        elif named is not None:
            image = named
    else:
        many = isinstance(post, Iterable) and not isinstance(post, bytes | bytearray)
        raise TypeError(
            f'expected a text, a mner.Post or a row such as {{"text": ...}}, got {type(post).__name__}'
            + ("; many posts: tagger.batch(posts) returns a list, tagger.pipe(posts) a stream" if many else "")
        )
    picture = None
    if isinstance(image, str | os.PathLike):
        name = os.fspath(image)
        picture = unfiled(name) or Path(name)
        parsed = replace(parsed, image=short_name(name))
    elif image is not None:
        picture = _opened(image)
    elif parsed.image is not None and isinstance(written := unfiled(parsed.image), Inline | Refused):
        picture = written
        parsed = replace(parsed, image=short_name(parsed.image))
    return Request(parsed, picture, _context(context, parsed.image or GIVEN, caption_source))


def check_many(posts: Any) -> None:
    """Nothing, if these are many posts.

    Raises:
        TypeError: It is a single post, whose letters or keys would be taken for posts, or nothing to iterate over.
    """
    if isinstance(posts, str | bytes | bytearray | Mapping | Post) or not isinstance(posts, Iterable):
        raise TypeError(
            f"expected many posts, such as a list of texts, got {type(posts).__name__}; one post: tagger(post)"
        )


def check_score(min_score: float) -> None:
    """Nothing, if this is a probability.

    Raises:
        ValueError: It is not a number from 0 to 1.
    """
    if not isinstance(min_score, Real) or not 0 <= min_score <= 1:
        raise ValueError(f"min_score: expected a probability from 0 to 1, got {min_score!r}")


def _post_of_row(row: Mapping[str, Any]) -> Post:
    known = {key: row[key] for key in _KEYS if row.get(key) is not None}
    try:
        record = json.loads(json.dumps({"id": "", **known}, default=list))  # tuples and arrays of words are welcome
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"a row's text is a string and its words are a list of strings: {error}") from None
    ours = {*_KEYS, "image", "context", "entities"}
    extra = {key: value for key, value in row.items() if key not in ours and not gold.holds(key, value)}
    return replace(post_of(record, number=0, labels=False), extra=extra)


def _opened(image: Any) -> Any:
    if isinstance(image, bytes | bytearray | memoryview):
        return bytes(image)
    if hasattr(image, "convert") and hasattr(image, "size"):
        return image
    raise TypeError(
        f"image: expected a path, the bytes of a picture's file or a PIL image, got {type(image).__name__}; "
        "an array of pixels becomes one by PIL.Image.fromarray(array)"
    )


def _context(context: ContextLike | None, image: str, source: str) -> VisualContext | None:
    if context is None or isinstance(context, VisualContext):
        return context
    if isinstance(context, str):
        return VisualContext(image=image, captions=(Caption(context, source=source),))
    if isinstance(context, Mapping):
        from mner.contexts.rows import from_row

        return from_row({"image": image, **context}, where="context")
    raise TypeError(f"context: expected a caption, a VisualContext or its row, got {type(context).__name__}")
