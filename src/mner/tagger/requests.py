"""What a caller gives -> a post, its picture, and perhaps a ready context."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mner.data import gold
from mner.data.alignment import whole
from mner.data.records import post_of
from mner.errors import DataError
from mner.picture_files import Inline, Refused, short_name, unfiled
from mner.several import MOST_PICTURES, UNNAMED
from mner.types import Caption, Post, VisualContext

if TYPE_CHECKING:
    from PIL.Image import Image

PostLike = str | Post | Mapping[str, Any]
"""A text, a post, or a row with the keys text or words, and perhaps id, offsets, image or images, context."""

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
        post: The post; its ``images`` are the names of its pictures, as far as they have names.
        picture: The path, bytes or opened picture that the caller gave, or the picture that a data URI holds; None:
            ``post.image`` names one, or none.
        context: What stands for all the pictures, which are then not read.
        apart: Of a post with several pictures a request for each of them; else empty.
    """

    post: Post
    picture: Any = None
    context: VisualContext | None = None
    apart: tuple[Request, ...] = ()

    @property
    def pictured(self) -> bool:
        """True when there is a picture or something that stands for one."""
        alone = self.post.image is not None or self.picture is not None or self.context is not None
        return alone or bool(self.apart)


def request(
    post: PostLike,
    *,
    image: PictureLike | Sequence[PictureLike] | None = None,
    context: ContextLike | Sequence[ContextLike] | None = None,
    caption_source: str = GIVEN,
    max_pictures: int = MOST_PICTURES,
) -> Request:
    """The post that a caller means, words split and pictures named.

    Args:
        post: A text, a post or a row.
        image: Its picture, or a list of its pictures; goes before what ``post`` names.
        context: What stands for the pictures, or a list with one for each; goes before the one of a row.
        caption_source: Source to name for a caption that comes as a bare string.
        max_pictures: Most pictures of the post.

    Raises:
        DataError: A row holds neither text nor words, or a context is not as the artefact writes them, or there are
            too many pictures, or not as many contexts as pictures.
        TypeError: An argument is of none of these types.

    >>> request({"words": ["Hi", "Bo"], "image": "1.jpg"}).post.image
    '1.jpg'
    >>> request("Hi Bo", image=["1.jpg", "2.jpg"]).post.images
    ('1.jpg', '2.jpg')
    """
    named: Sequence[Any] = ()
    if isinstance(post, str):
        parsed = Post(whole(Post("", post, (), ())).text)
    elif isinstance(post, Post):
        parsed = whole(post)
        named = parsed.images
    elif isinstance(post, Mapping):
        parsed = _post_of_row(post)
        context = post.get("context") if context is None else context
        named = _pictures_of_row(post) if image is None else ()
    else:
        many = isinstance(post, Iterable) and not isinstance(post, bytes | bytearray)
        raise TypeError(
            f'expected a text, a mner.Post or a record such as {{"text": ...}}, got {type(post).__name__}'
            + ("; many posts: tagger.batch(posts) returns a list, tagger.pipe(posts) a stream" if many else "")
        )
    pictures = [_named(each) for each in named] if image is None else [_given(each) for each in _listed(image)]
    contexts: list[Any] = list(context) if isinstance(context, list | tuple) else [context]
    _check_count(len(pictures), contexts, max_pictures)
    if len(pictures) < 2 and len(contexts) < 2:
        name, picture = pictures[0] if pictures else (None, None)
        if name is not None or image is not None:
            parsed = parsed.with_images([name] if name else [])
        return Request(
            parsed, picture, _context(contexts[0] if contexts else None, parsed.image or GIVEN, caption_source)
        )
    pictures = pictures or [(None, None)] * len(contexts)
    names = [name for name, _ in pictures if name is not None]
    each: list[Any] = contexts if len(contexts) == len(pictures) else [None] * len(pictures)
    return Request(
        parsed.with_images(names if len(names) == len(pictures) else names[:1]),
        context=_context(contexts[0], names[0] if names else GIVEN, caption_source) if len(contexts) == 1 else None,
        apart=tuple(
            Request(parsed.with_images([name] if name else []), picture, _context(own, name or UNNAMED, caption_source))
            for (name, picture), own in zip(pictures, each, strict=True)
        ),
    )


def _check_count(pictures: int, contexts: Sequence[Any], most: int) -> None:
    """Refuse too many pictures, and a list of contexts that are not one for each picture."""
    if max(pictures, len(contexts)) > most:
        raise DataError(
            f"{max(pictures, len(contexts))} pictures, the most of one post is {most}; leave some out, or allow more: "
            "mner.load(max_pictures=...), --max-pictures"
        )
    if pictures and len(contexts) != 1 and len(contexts) != pictures:
        raise DataError(f"context: {len(contexts)} for {pictures} pictures; give one for each, or one for all of them")


def _listed(image: Any) -> Sequence[Any]:
    """The pictures that a caller gave as one or as a list."""
    return image if isinstance(image, list | tuple) else [image]


def _pictures_of_row(row: Mapping[str, Any]) -> Sequence[Any]:
    """The pictures of a row: its "images", or its "image", which may be a list, too."""
    image, images = row.get("image"), row.get("images")
    if images is None:
        return [] if image is None else [each for each in _listed(image) if each != ""]
    if not isinstance(images, list | tuple):
        raise DataError(f'"images": expected a list of pictures, found {type(images).__name__}')
    if image is not None and not (len(images) and image is images[0]) and image not in [*images[:1], ""]:
        raise DataError('"image" is not the first of "images"; leave "image" out')
    return images


def _given(image: Any) -> tuple[str | None, Any]:
    """The name and the source of a picture that the caller gave; a path is not looked up in any folder."""
    if isinstance(image, str | os.PathLike):
        name = os.fspath(image)
        return short_name(name), unfiled(name) or Path(name)
    return None, _opened(image)


def _named(image: Any) -> tuple[str | None, Any]:
    """The name of a picture that a post names, and its source if that is no file that is looked up later."""
    if not isinstance(image, str | os.PathLike):
        return None, _opened(image)
    name = os.fspath(image)
    if isinstance(written := unfiled(name), Inline | Refused):
        return short_name(name), written
    return name or None, None


def check_many(posts: Any) -> None:
    """Nothing, if these are many posts.

    Raises:
        TypeError: It is a single post, whose letters or keys would be taken for posts, or nothing to iterate over.
    """
    if isinstance(posts, str | bytes | bytearray | Mapping | Post) or not isinstance(posts, Iterable):
        raise TypeError(
            f"expected many posts, such as a list of texts, got {type(posts).__name__}; one post: tagger(post)"
        )


def plain_posts(posts: Iterable[str | Post]) -> Iterator[Post]:
    """The posts, a text as a post of its own.

    Raises:
        TypeError: One is neither.

    >>> [post.text for post in plain_posts(["Hi Bo", Post("Hi Al")])]
    ['Hi Bo', 'Hi Al']
    """
    for number, post in enumerate(posts, 1):
        if not isinstance(post, str | Post):
            raise TypeError(f"post {number}: expected a text or a mner.Post, got {type(post).__name__}")
        yield request(post).post if isinstance(post, str) else post


def _post_of_row(row: Mapping[str, Any]) -> Post:
    known = {key: row[key] for key in _KEYS if row.get(key) is not None}
    if not known.keys() & {"text", "words"}:
        raise DataError(f'expected "text" or "words", found the keys {", ".join(sorted(map(str, row))) or "none"}')
    try:
        record = json.loads(json.dumps({"id": "", **known}, default=list))  # tuples and arrays of words are welcome
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"a record's text is a string and its words are a list of strings: {error}") from None
    ours = {*_KEYS, "image", "images", "context", "entities"}
    post = post_of(record, number=0, labels=False)
    others = gold.without_labels(row, words=len(post.words))
    return replace(post, extra={key: value for key, value in others.items() if key not in ours})


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
    raise TypeError(f"context: expected a caption, a VisualContext or its record, got {type(context).__name__}")
