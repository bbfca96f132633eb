"""The pictures of a folder, of an archive or a table, or those that posts name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from mner.data.archives import ARCHIVE, TABLE, Member, members, table
from mner.data.pictures import SUFFIXES, picture_path
from mner.data.reading import read
from mner.errors import DataError

Place = Path | Member | bytes
"""Where a picture is, or its bytes."""


def pictures(source: Path, *, images: Path | None = None) -> Iterable[tuple[str, Place]]:
    """Name and place of each picture: those in a folder and below it, sorted, or those that posts name, once each.

    Args:
        source: A folder of pictures, one picture, a file of posts, a webdataset archive (.tar), a folder of such, or
            a Parquet file of paths or of bytes. Links to folders are not followed. Archives and tables are read as
            their pictures are needed; all else is a list.
        images: Folder of the posts' or the table's pictures; None takes the folder of the file.

    Raises:
        DataError: There is no such file or folder, or it names no picture.
        MissingExtraError: Parquet without the package pyarrow.
    """
    if source.is_dir():
        archives = sorted(source.glob(f"*{ARCHIVE}"))
        if archives:
            return _some(_of_archives(archives), source)
        found = [
            (path.relative_to(source).as_posix(), path)
            for folder, _, files in os.walk(source, onerror=_unlisted)
            for path in (Path(folder) / file for file in files)
            if path.suffix.lower() in SUFFIXES
        ]
        if not found:
            raise DataError(f"{source}: holds no picture ({', '.join(SUFFIXES)})")
        return sorted(found)
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; name a folder of pictures, a picture, or a file of posts")
    if source.suffix.lower() in SUFFIXES:
        return [(source.name, source)]
    if source.suffix.lower() == ARCHIVE:
        return _some(members(source), source)
    if source.suffix.lower() == TABLE:
        return _some(table(source, images=images), source)
    folder = images if images is not None else source.parent
    named = dict.fromkeys(post.image for post in read(source, labels=False) if post.image is not None)
    if not named:
        raise DataError(f"{source}: none of its posts names a picture")
    return [(image, picture_path(folder, image)) for image in named]


def _unlisted(error: OSError) -> None:
    """Pictures that nobody can see would otherwise be left out without a word."""
    raise DataError(
        f"{error.filename}: cannot be listed: {error.strerror or error}; make the folder readable, or move it away"
    ) from None


def _of_archives(archives: list[Path]) -> Iterator[tuple[str, Place]]:
    """The pictures of several archives, each named with its archive's stem first, as members often share names."""
    for archive in archives:
        for name, member in members(archive):
            yield f"{archive.stem}/{name}", member


def _some(found: Iterable[tuple[str, Place]], source: Path) -> Iterator[tuple[str, Place]]:
    empty = True
    for one in found:
        empty = False
        yield one
    if empty:
        raise DataError(f"{source}: holds no picture ({', '.join(SUFFIXES)})")
