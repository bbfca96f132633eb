"""The pictures of a folder, or those that posts name."""

from __future__ import annotations

import os
from pathlib import Path

from mner.data.pictures import SUFFIXES, picture_path
from mner.data.reading import read
from mner.errors import DataError


def pictures(source: Path, *, images: Path | None = None) -> list[tuple[str, Path]]:
    """Name and path of each picture: those in a folder and below it, sorted, or those that posts name, once each.

    Args:
        source: A folder, one picture, or a file of posts. Links to folders are not followed.
        images: Folder of the posts' pictures; None takes the folder of the file.

    Raises:
        DataError: There is no such file or folder, or it names no picture.
    """
    if source.is_dir():
        found = [
            (path.relative_to(source).as_posix(), path)
            for folder, _, files in os.walk(source)
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
    folder = images if images is not None else source.parent
    named = dict.fromkeys(post.image for post in read(source) if post.image is not None)
    if not named:
        raise DataError(f"{source}: none of its posts names a picture")
    return [(image, picture_path(folder, image)) for image in named]
