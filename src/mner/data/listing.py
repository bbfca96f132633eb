"""The pictures of a folder, of an archive or a table, or those that posts name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

from mner.data.archives import ARCHIVE, TABLE, Member, members, table
from mner.data.pictures import place_of
from mner.data.reading import read
from mner.errors import DataError
from mner.picture_files import SUFFIXES, Inline, Refused, is_picture, short_name, unfiled

Place = Path | Member | bytes | Inline | Refused
"""Where a picture is, its bytes, or why it is not read."""


def pictures(
    source: Path, *, images: Path | None = None, allow_outside_images: bool = False
) -> Iterable[tuple[str, Place]]:
    """Name and place of each picture: those in a folder and below it, sorted, or those that posts name, once each.

    In a folder, a file whose suffix says nothing is a picture if its first bytes are those of one.

    Args:
        source: A folder of pictures, one picture, a file of posts, a webdataset archive (.tar), a folder of such, or
            a Parquet file of paths or of bytes. Links to folders are not followed. Archives and tables are read as
            their pictures are needed; all else is a list. Of a folder with archives in it come first their pictures,
            each named with its archive's stem first, then those beside them and below it.
        images: Folder of the posts' or the table's pictures; None takes the folder of the file.
        allow_outside_images: Also read what posts or a table name outside that folder.

    Raises:
        DataError: There is no such file or folder, it names no picture, or a picture in an archive has the name of one
            that lies beside the archive, or of another one in it.
        MissingExtraError: Parquet without the package pyarrow.
    """
    if source.is_dir():
        loose = sorted(
            (path.relative_to(source).as_posix(), path)
            for folder, _, files in os.walk(source, onerror=_unlisted)
            for path in (Path(folder) / file for file in files)
            if is_picture(path)
        )
        archives = sorted(path for path in source.iterdir() if path.suffix.lower() == ARCHIVE and not path.is_dir())
        if archives:
            return _not_empty(chain(_of_archives(archives, dict(loose)), loose), source)
        return list(_not_empty(loose, source))
    if (address := unfiled(str(source))) is not None:
        reason = "expected a folder of pictures, a picture's file, or a file of posts, not a data URI"
        raise DataError(f"{short_name(str(source))}: {address.reason if isinstance(address, Refused) else reason}")
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; name a folder of pictures, a picture, or a file of posts")
    if is_picture(source):
        return [(source.name, source)]
    if source.suffix.lower() == ARCHIVE:
        return _not_empty(members(source), source)
    if source.suffix.lower() == TABLE:
        return _not_empty(table(source, images=images, allow_outside_images=allow_outside_images), source)
    folder = images if images is not None else source.parent
    named = dict.fromkeys(image for post in read(source, labels=False) for image in post.images)
    if not named:
        raise DataError(f"{source}: none of its posts names a picture")
    return [(short_name(image), place_of(folder, image, allow_outside=allow_outside_images)) for image in named]


def _unlisted(error: OSError) -> None:
    """Refuse a folder that cannot be listed, whose pictures would otherwise be left out without a word."""
    raise DataError(
        f"{error.filename}: cannot be listed: {error.strerror or error}; make the folder readable, or move it away"
    ) from None


def _of_archives(archives: list[Path], loose: Mapping[str, Path]) -> Iterator[tuple[str, Place]]:
    """The pictures of several archives, each named with its archive's stem first, as members often share names.

    One that is called like a picture beside the archives is refused.
    """
    for archive in archives:
        for name, member in members(archive):
            full = f"{archive.stem}/{name}"
            if full in loose:
                raise DataError(
                    f"{archive}: {name} would be called {full}, as {loose[full]} is; move the archive, or the folder "
                    "with its name, away"
                )
            yield full, member


def _not_empty(pictures: Iterable[tuple[str, Place]], source: Path) -> Iterator[tuple[str, Place]]:
    rest = iter(pictures)
    first = next(rest, None)
    if first is None:
        raise DataError(f"{source}: holds no picture ({', '.join(SUFFIXES)})")
    yield first
    yield from rest
