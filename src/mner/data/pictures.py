"""What an image is called in a file of posts -> the picture in a folder."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from mner.picture_files import SUFFIXES, UNDECODED, Inline, Refused, short_name, unfiled

Found = Path | Inline | Refused
"""Where a picture is, what is written out in its place, or why it is not read."""


def place_of(folder: Path, image: str, *, allow_outside: bool = False) -> Found:
    """The place of a post's picture in a folder.

    As the post writes it; else with the other separators or the other composition of accents; else by its last part
    alone, unless the folder that it names is there; else with another picture suffix, or one more where it has none.
    Several files that fit equally well are no answer: another picture is worse than none. Where nothing is there, the
    path that was expected first.

    Args:
        folder: The folder of the pictures. Names come from anybody: what lies outside, links followed, is refused.
        image: The name: a path, or a data URI. Addresses are refused, as nothing is fetched.
        allow_outside: Take paths that lead out of the folder, too.

    >>> place_of(Path("pics"), "1.jpg").as_posix()
    'pics/1.jpg'
    """
    apart = unfiled(image)
    if apart is not None:
        return apart
    expected = folder / image
    for candidates in _candidates(folder, image):
        present = _present(candidates, None if allow_outside else folder)
        if len(present) == 1:
            return present[0]
        if present:
            names = ", ".join(path.name for path in present)
            return Refused("missing", f"several pictures fit the name {short_name(image)}: {names}; name one of them")
    if not allow_outside and not _inside(folder, expected):
        return Refused(
            "skipped",
            f"{image} lies outside the folder of the pictures, {folder}, and is not read; name its folder "
            "(--images) or allow it (--allow-outside-images)",
        )
    return expected


def _candidates(folder: Path, image: str) -> Iterator[Iterable[Path]]:
    """Where a picture may be, the best places first; those of one group are equally good."""
    names = list(dict.fromkeys(form for path in (image, image.replace("\\", "/")) for form in _forms(path)))
    yield [folder / image]
    yield [folder / name for name in names]
    last = [] if _has_folder(folder, names) else list(dict.fromkeys(name.rpartition("/")[2] for name in names))
    yield [folder / name for name in last]
    for group in (names, last):
        yield [folder / f"{stem}{case}" for stem, suffix in map(split_suffix, group) for case in _cases([suffix])]
        yield [folder / f"{stem}{case}" for stem, _ in map(split_suffix, group) for case in _cases(SUFFIXES)]


def _has_folder(folder: Path, names: Iterable[str]) -> bool:
    """Whether the folder of a name is there, below the folder of the pictures."""
    for parent in {folder / Path(name).parent for name in names if Path(name).parent != Path()}:
        try:
            if parent.is_dir() and _inside(folder, parent):
                return True
        except OSError:  # no name that a folder can have
            continue
    return False


def _forms(name: str) -> tuple[str, ...]:
    """A name as it is, and with its accents composed and apart: systems write file names in either way."""
    if name.isascii():
        return (name,)
    return name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)


def split_suffix(name: str) -> tuple[str, str]:
    """A name before its picture suffix, and that suffix; "" where it has none, as "photo.v2"."""
    stem, dot, suffix = name.rpartition(".")
    known = f"{dot}{suffix}".lower() in (*SUFFIXES, *UNDECODED) and stem.rpartition("/")[2]
    return (stem, f"{dot}{suffix}") if known else (name, "")


def _cases(suffixes: Iterable[str]) -> Iterator[str]:
    for suffix in suffixes:
        yield from dict.fromkeys((suffix.lower(), suffix.upper()))


def _present(candidates: Iterable[Path], boundary: Path | None) -> list[Path]:
    """The files among some paths, each once whatever its names, and only those inside the boundary."""
    files: dict[tuple[int, int], Path] = {}
    for path in candidates:
        try:
            status = path.stat()
        except (OSError, ValueError):  # not there, or no name that a file can have
            continue
        if not stat.S_ISDIR(status.st_mode) and (boundary is None or _inside(boundary, path)):
            files.setdefault((status.st_dev, status.st_ino), path)
    return list(files.values())


def _inside(folder: Path, path: Path) -> bool:
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError):
        return True  # no such place anywhere
