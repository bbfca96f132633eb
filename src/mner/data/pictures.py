"""What an image is called in a file of posts -> the picture in a folder."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif")
"""Endings that make a name a picture's file name."""


def picture_path(folder: Path, image: str) -> Path:
    """The path of a post's picture in a folder.

    As the post writes it; else by its last part alone; else with another picture suffix. Where nothing is there, or
    the name is none that a file can have, the path that was expected first.

    >>> picture_path(Path("pics"), "1.jpg").as_posix()
    'pics/1.jpg'
    """
    path = folder / image
    if _there(path) or not path.name:
        return path
    flat = folder / path.name
    others = (place.with_suffix(suffix) for place in dict.fromkeys([path, flat]) for suffix in SUFFIXES)
    return next((other for other in (flat, *others) if _there(other)), path)


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long to be looked for
        return False
