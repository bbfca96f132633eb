"""Hugging Face datasets: a data set -> posts and back, with names of labels and with pictures."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mner.data.alignment import align, whole
from mner.data.pictures import place_of
from mner.data.records import post_of
from mner.errors import DataError, ImageError, MissingExtraError
from mner.files import writing_bytes
from mner.picture_files import HEAD, Inline, kind_of, open_regular, short_name
from mner.safe_text import printable
from mner.tags import from_spans
from mner.types import Post

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

TOKENS, TAGS = "tokens", "ner_tags"
"""What data sets of the hub call the words and their labels."""

_LOG = logging.getLogger(__name__)

_LONGEST = 200
"""Characters of a picture's name, at most; a longer name is replaced."""


def from_dataset(dataset: Dataset | IterableDataset, *, images: str | Path | None = None) -> Iterator[Post]:
    """The posts of a data set, one after the other.

    Columns are read as the keys of a row of JSON lines are: ``text``, ``tokens`` or ``words``, ``ner_tags`` or
    ``entities``, ``id``, ``image`` or ``images``; ``dataset.rename_column`` gives a column its name. Numbers of a
    ``ClassLabel`` become its names. A row whose labels are -1 or null has none, which is not the same as having no
    entities.

    Args:
        dataset: One split.
        images: Folder for the pictures, where columns of the type ``Image`` or of lists of it have some; each post then
            names its pictures' files, as a file of posts does.

    Raises:
        DataError: While iterating: a row is no post, or pictures have no folder to go to.
        MissingExtraError: The package datasets is not installed.
        TypeError: It is a whole ``DatasetDict``, or no data set.

    >>> from datasets import Dataset
    >>> rows = Dataset.from_dict({"tokens": [["Kevin", "Love", "won"]], "ner_tags": [["B-PER", "I-PER", "O"]]})
    >>> next(from_dataset(rows)).spans
    (Span(start=0, end=2, label='PER'),)
    """
    library = _library()
    if not isinstance(dataset, library.Dataset | library.IterableDataset):
        hint = '; name a split: dataset["train"]' if isinstance(dataset, Mapping) else ""
        raise TypeError(f"dataset: expected a datasets.Dataset, got {type(dataset).__name__}{hint}")
    return _posts(dataset, None if images is None else Path(images))


def to_dataset(posts: Iterable[Post], *, images: str | Path | None = None) -> Dataset:
    """The data set of posts, which ``from_dataset`` reads back.

    The columns are ``id``, ``text``, ``tokens``, ``ner_tags`` (a ``ClassLabel`` over IOB2 tags; null where a post
    carries no labels) and ``image``, or ``images`` (lists) where a post has several; ``offsets`` where the words do not
    stand in the text in one way only. Other keys of the posts are left out.

    Args:
        posts: The posts; all are held in memory, their pictures are not.
        images: Folder of the pictures, which then are a column of the type ``Image``; pictures that are not there are
            left out, with a warning. None keeps the names of the pictures as text.

    Raises:
        DataError: Entities of a post overlap, or it holds half a surrogate pair, which names it; or the folder holds no
            picture of these posts.
        MissingExtraError: The package datasets is not installed.

    >>> from mner.types import Span
    >>> rows = to_dataset([Post("Kevin Love won", spans=(Span(0, 2, "PER"),))])
    >>> rows[0]["tokens"], rows[0]["ner_tags"], rows.features["ner_tags"].feature.names
    (['Kevin', 'Love', 'won'], [1, 2, 0], ['O', 'B-PER', 'I-PER'])
    """
    library = _library()
    posts = list(map(whole, posts))
    tags = list(map(_tags, posts))
    types = sorted({span.label for post in posts for span in post.spans or ()})
    names = ["O", *(f"{prefix}-{label}" for label in types for prefix in "BI")]
    text, number = library.Value("string"), library.Value("int32")
    features = {
        "id": text,
        "text": text,
        TOKENS: library.List(text),
        TAGS: library.List(library.ClassLabel(names=names)),
    }
    columns: dict[str, list[Any]] = {
        "id": [post.id for post in posts],
        "text": [post.text for post in posts],
        TOKENS: [list(post.words) for post in posts],
        TAGS: tags,
    }
    held: list[list[Any]] = [list(post.images) for post in posts]
    picture = text
    if images is not None:
        held = _pictures(posts, Path(images))
        picture = library.Image()
    if any(post.more_images for post in posts):
        features["images"] = library.List(picture)
        columns["images"] = [[each for each in pictures if each is not None] for pictures in held]
    else:
        features["image"] = picture
        columns["image"] = [pictures[0] if pictures else None for pictures in held]
    if any(align(post.text, post.words) != post.offsets for post in posts):
        features["offsets"] = library.List(library.List(number))
        columns["offsets"] = [[list(pair) for pair in post.offsets] for post in posts]
    return library.Dataset.from_dict(columns, features=library.Features(features))


def _tags(post: Post) -> list[str] | None:
    """The tags of a post that a data set can hold; None if it carries no labels."""
    try:
        "".join((post.id, post.text, *post.words, *post.images)).encode()
        return None if post.spans is None else from_spans(post.spans, len(post.words))
    except UnicodeEncodeError:
        fault = "holds half a surrogate pair, which is not Unicode text; take it out"
    except DataError as error:
        fault = str(error)
    place = f"{post.where}: " if post.where else ""
    raise DataError(printable(f'{place}post "{post.id}": {fault}'))


def _library() -> Any:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f'data sets of the hub need datasets ({error}): pip install "mner[hub-data]"'
        ) from error
    return datasets


def _posts(dataset: Any, images: Path | None) -> Iterator[Post]:
    library = _library()
    features = dataset.features or {}
    pictures = [name for name, feature in features.items() if isinstance(feature, library.Image)]
    lists = [name for name, feature in features.items() if isinstance(_inner(feature), library.Image)]
    for name in pictures:
        dataset = dataset.cast_column(name, library.Image(decode=False))
    for name in lists:
        dataset = dataset.cast_column(name, library.List(library.Image(decode=False)))
    for number, row in enumerate(dataset, 1):
        named = {name: _named(value, features.get(name)) for name, value in row.items()}
        record = {name: value for name, value in named.items() if value is not None}  # a table has all columns
        try:
            held = [record.pop(name, None) for name in pictures]
            held += [picture for name in lists for picture in record.pop(name, None) or ()]
            if names := [_saved(picture, images) for picture in held if picture is not None]:
                record["images"] = names
            if "words" not in record and isinstance(record.get(TOKENS), list):
                record["words"] = record.pop(TOKENS)
            yield post_of(record, number=number, where=f"row {number}")
        except DataError as error:
            raise DataError(f"row {number}: {error}") from None


def _named(value: Any, feature: Any) -> Any:
    """A value with the names of its labels; None for labels that are not known."""
    if hasattr(feature, "int2str") and isinstance(value, int):
        return feature.int2str(value) if value >= 0 else None
    inner = _inner(feature)
    if isinstance(value, list) and inner is not None:
        named = [_named(item, inner) for item in value]
        return None if None in named and hasattr(inner, "int2str") else named
    if isinstance(value, dict) and isinstance(feature, dict):
        return {key: _named(item, feature.get(key)) for key, item in value.items()}
    return value


def _inner(feature: Any) -> Any:
    """The type of a list's elements; None where a column holds no lists."""
    return getattr(feature, "feature", feature[0] if isinstance(feature, list) and feature else None)


def _saved(picture: Any, images: Path | None) -> str:
    """The name under which a picture now stands in the folder."""
    if images is None:
        raise DataError('the data set holds pictures; name a folder for them: from_dataset(dataset, images="photos")')
    path, content = picture.get("path"), picture.get("bytes")
    if content is None:
        content = _of_file(path or "")
    digest = hashlib.sha256(content).hexdigest()[:16]
    suffix = (kind_of(content[:HEAD]) or "bin").lower()
    name = (path or "").replace("\\", "/").rpartition("/")[2].lstrip(".")
    if not name or len(os.fsencode(name)) > _LONGEST or not name.isprintable():
        name = f"{digest}.{suffix}"
    if (images / name).is_dir() or ((images / name).exists() and (images / name).read_bytes() != content):
        name = f"{digest}-{name}"
    images.mkdir(parents=True, exist_ok=True)
    with writing_bytes(images / name) as stream:
        stream.write(content)
    return name


def _of_file(path: str) -> bytes:
    """The content of a picture that a data set names and does not hold; of nothing but a picture."""
    try:
        with open_regular(Path(path)) as stream:
            content = stream.read()
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: the picture is not in the data set, and cannot be read here: {error}") from None
    if kind_of(content[:HEAD]) is None:
        raise DataError(f"{path}: the picture is not in the data set, and the file of that name is not a picture")
    return content


def _pictures(posts: Sequence[Post], images: Path) -> list[list[dict[str, Any] | None]]:
    """The pictures of each post as the feature ``Image`` takes them; a warning says how many are not there.

    Raises:
        DataError: No picture is there.
    """
    held = [[_picture(images, name) for name in post.images] for post in posts]
    names = [name for post in posts for name in post.images]
    absent = [name for name, picture in zip(names, chain(*held), strict=True) if picture is None]
    if absent and len(absent) == len(names):
        raise DataError(
            f"{images}: holds no picture of these posts, such as {short_name(absent[0])}; name the folder of the "
            "pictures: to_dataset(posts, images=FOLDER). Without images their names are kept as text"
        )
    if absent:
        _LOG.warning(
            "%s: %d of %d pictures are not there, such as %s; the data set leaves them out",
            images,
            len(absent),
            len(names),
            short_name(absent[0]),
        )
    return held


def _picture(images: Path, name: str) -> dict[str, Any] | None:
    """A post's picture as the feature ``Image`` takes it; None where there is none that could be read."""
    place = place_of(images, name)
    if isinstance(place, Inline):
        try:
            return {"bytes": place.read(), "path": None}
        except ImageError:
            return None
    return {"bytes": None, "path": str(place)} if isinstance(place, Path) and place.is_file() else None
